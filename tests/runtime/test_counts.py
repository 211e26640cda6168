"""What things cost, in counts that no machine changes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from engine import activity
from engine.client.models import StartRequest
from tests.runtime.rig import Rig, running, workflow


@activity("t.echo", timeout="10s")
async def echo(value: Any = None) -> Any:
    return value


HELLO = workflow("steps:\n  - id: a\n    activity: t.echo\n    with: { value: 1 }\n", name="hello")
CHAIN = workflow(
    """
input_schema: { type: object, properties: { n: { type: integer } } }
steps:
  - id: each
    foreach: ${{ range(input.n) | list }}
    as: n
    steps:
      - activity: t.echo
""",
    name="chain",
)
FAN = CHAIN.replace("name: chain", "name: fan").replace("as: n\n", "as: n\n    concurrency: 1000\n")
SIGNALS = workflow(
    """
signals: { go: {} }
steps:
  - id: loop
    while: ${{ true }}
    max_iterations: 1000
    steps:
      - wait: go
""",
    name="signals",
)
TEXTS = (HELLO, CHAIN, FAN, SIGNALS)
# Reads that would make a step cost what the history is long, or a replay.
READS = ("load", "history", "get", "list", "executions", "graph", "deployments")


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running(f"sqlite:///{tmp_path / 'db'}", *TEXTS, activities=[echo]) as rig:
        await (await rig.client.start("hello")).result(timeout=10)  # all is loaded
        await asyncio.sleep(0.1)  # the deployments have been noticed
        rig.store.reset()
        yield rig


def turns(rig: Rig) -> list[int]:
    """How many instances each commit was for."""
    return [len(deltas) for deltas in rig.store.commits]


async def test_hello_is_two_commits(rig: Rig) -> None:
    await (await rig.client.start("hello")).result(timeout=10)
    assert turns(rig) == [1, 1]


async def test_a_step_is_one_commit(rig: Rig) -> None:
    await (await rig.client.start("chain", {"n": 50})).result(timeout=10)
    assert turns(rig) == [1] * 51


async def test_a_fan_out_of_a_hundred_is_at_most_ten_commits(rig: Rig) -> None:
    await (await rig.client.start("fan", {"n": 100})).result(timeout=10)
    assert len(rig.store.commits) <= 10


async def test_a_hundred_instances_share_commits(rig: Rig) -> None:
    handles = await rig.client.start_many([StartRequest(workflow="hello")] * 100)
    await asyncio.gather(*(handle.result(timeout=10) for handle in handles))
    assert sum(turns(rig)) == 200
    assert len(rig.store.commits) <= 10


async def test_signals_that_come_together_are_one_turn(rig: Rig) -> None:
    handle = await rig.client.start("signals")
    rig.store.reset()
    await asyncio.gather(*(handle.signal("go", n) for n in range(100)))
    assert len(rig.store.commits) <= 3


async def test_a_warm_instance_is_never_replayed_nor_read(rig: Rig) -> None:
    rig.node.counters["replays"] = 0
    handle = await rig.client.start("signals", id="s")
    for _ in range(30):
        await handle.signal("go")
    await asyncio.gather(
        handle.cancel(),
        *[(await rig.client.start("chain", {"n": 30})).result(timeout=10) for _ in range(3)],
    )
    assert rig.node.counters["replays"] == 0
    read = {name: rig.store.calls[name] for name in READS if rig.store.calls[name]}
    # `result` looks once whether an instance that is not in memory has ended before.
    assert set(read) <= {"get"}
    assert read.get("get", 0) <= 3


async def test_an_idle_node_commits_nothing_and_reads_nothing(rig: Rig) -> None:
    await rig.client.start("signals")
    await asyncio.sleep(0.1)
    rig.store.reset()
    await asyncio.sleep(0.3)
    assert not rig.store.calls


async def statements_of(rig: Rig) -> list[str]:
    """The statements of the writer from here on."""
    found: list[str] = []

    def trace(raw: sqlite3.Connection) -> None:
        raw.set_trace_callback(found.append)

    await rig.store.inner._writer.bare(trace)
    return found


async def test_a_commit_is_one_hop_and_one_transaction(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    hops: list[str] = []
    hop: Callable[..., Any] = aiosqlite.Connection._execute

    async def counting(self: Any, *args: Any) -> Any:
        if self is rig.store.inner._writer._inner:
            hops.append("hop")
        return await hop(self, *args)

    found = await statements_of(rig)
    monkeypatch.setattr(aiosqlite.Connection, "_execute", counting)
    handles = await rig.client.start_many([StartRequest(workflow="chain", input={"n": 20})] * 20)
    await asyncio.gather(*(handle.result(timeout=20) for handle in handles))
    commits = len(rig.store.commits)
    assert len(hops) == commits
    assert sum(one.startswith("BEGIN") for one in found) == commits
    assert sum(one.startswith("COMMIT") for one in found) == commits


async def test_a_step_takes_as_many_statements_however_long_the_history(rig: Rig) -> None:
    handle = await rig.client.start("signals")
    found = await statements_of(rig)
    counts = []
    for _ in range(400):
        found.clear()
        await handle.signal("go")
        counts.append(len([one for one in found if "snapshot" not in one.lower()]))
    assert len(set(counts[1:])) == 1, sorted(set(counts))
    assert counts[-1] <= 9
