"""Memory: what waits is put back into the store and comes back, by snapshot and tail."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from engine import NodeOptions
from engine.history.events import SignalReceived
from engine.history.letters import write_letter
from engine.storage.records import Message, Send
from tests.runtime.rig import Rig, running, status_of, workflow

SMALL = NodeOptions(cache_bytes=20_000)
WAITING = workflow("""
input_schema: { type: object, properties: { n: { type: integer } } }
signals: { go: {} }
steps:
  - id: w
    wait: go
    timeout: 10s
    default: late
output: ["${{ input.n }}", "${{ steps.w.output }}"]
""")
NAP = workflow(
    'input_schema: { type: object, properties: { n: { type: integer } } }\n'
    "steps:\n  - sleep: 300ms\noutput: ${{ input.n }}\n",
    name="nap",
)  # fmt: skip


async def test_parked_instances_come_back_by_a_message() -> None:
    async with running("sqlite://:memory:", WAITING, options=SMALL) as rig:
        handles = [await rig.client.start("main", {"n": n}, id=f"i{n}") for n in range(50)]
        assert len(rig.node.shelf) < 10
        await asyncio.gather(*(handle.signal("go", "now") for handle in handles))
        for n, handle in enumerate(handles):
            assert await handle.result(timeout=10) == [n, "now"]
        assert rig.node.counters["replays"] >= 40
        await rig.check()


async def test_parked_instances_come_back_by_their_timers() -> None:
    async with running("sqlite://:memory:", NAP, options=SMALL) as rig:
        handles = [await rig.client.start("nap", {"n": n}, id=f"i{n}") for n in range(50)]
        assert len(rig.node.shelf) < 10
        for n, handle in enumerate(handles):
            assert await handle.result(timeout=10) == n
        await rig.check()


async def test_a_parked_instance_takes_a_signal_a_cancel_and_a_terminate() -> None:
    async with running("sqlite://:memory:", WAITING) as rig:
        for name in ("s", "c", "t"):
            await rig.client.start("main", {"n": 1}, id=name)
        assert rig.node.shelf.park(everything=True) == 3
        await rig.client.signal("s", "go", "x")
        await rig.client.cancel("c", "enough")
        await rig.client.terminate("t", "now")
        assert await rig.client.result("s", timeout=5) == [1, "x"]
        await status_of(rig.store, "c", "cancelled")
        await status_of(rig.store, "t", "terminated")
        await rig.check()


async def test_signals_while_it_is_being_brought_back_keep_their_order() -> None:
    text = workflow("""
signals: { go: {} }
vars: { seen: [] }
steps:
  - while: ${{ vars.seen | length < 20 }}
    max_iterations: 20
    steps:
      - id: w
        wait: go
      - set: { seen: "${{ vars.seen + [steps.w.output] }}" }
output: ${{ vars.seen }}
""")
    async with running("sqlite://:memory:", text) as rig:
        handle = await rig.client.start("main")
        for n in range(20):
            if n % 3 == 0:
                rig.node.shelf.park(everything=True)
            await handle.signal("go", n)
        assert await handle.result(timeout=5) == list(range(20))
        await rig.check()


async def test_a_message_read_while_it_is_being_consumed_is_taken_once(tmp_path: Path) -> None:
    """The look begins before the commit and ends after it."""
    async with running(f"sqlite:///{tmp_path / 'db'}", LONG) as rig:
        handle = await rig.client.start("main", id="main")
        read, commit = rig.store.inner.messages, rig.store.inner.commit

        async def read_and_dawdle(*args: Any, **options: Any) -> Any:
            found = await read(*args, **options)
            await asyncio.sleep(0.03)
            return found

        async def dawdle_and_commit(*args: Any) -> Any:
            await asyncio.sleep(0.015)
            return await commit(*args)

        rig.store.inner.messages, rig.store.inner.commit = read_and_dawdle, dawdle_and_commit
        for _ in range(5):
            letter = write_letter(SignalReceived(at=0, name="go", payload=1))
            await rig.store.inner.send([Send(message=Message("main", letter))])
            for _ in range(20):
                rig.node.wakeups.scan()
                await asyncio.sleep(0.005)
        await handle.signal("go", "end")
        assert await handle.result(timeout=5) == 5


LONG = workflow("""
signals: { go: {} }
vars: { sum: 0 }
steps:
  - while: ${{ true }}
    max_iterations: 10000
    steps:
      - id: w
        wait: go
      - when: ${{ steps.w.output == 'end' }}
        return: ${{ vars.sum }}
      - set: { sum: "${{ vars.sum + steps.w.output }}" }
""")
OFTEN = NodeOptions(snapshot_every=50)


async def advance(rig: Rig) -> None:
    """A long history with a snapshot, parked."""
    handle = await rig.client.start("main", id="main")
    for first in range(0, 200, 5):
        await asyncio.gather(*(handle.signal("go", 1) for _ in range(first, first + 5)))
    assert rig.node.shelf.park(everything=True) == 1


async def test_a_snapshot_saves_reading_the_history_before_it() -> None:
    async with running("sqlite://:memory:", LONG, options=OFTEN) as rig:
        await advance(rig)
        [loaded] = await rig.store.inner.load(["main"], now=rig.clock.now())
        assert loaded.snapshot is not None
        assert loaded.snapshot.seq > 500
        assert sum(page.last_seq - page.first_seq + 1 for page in loaded.pages) < 80
        await rig.client.signal("main", "go", "end")
        assert await rig.client.result("main", timeout=5) == 200
        await rig.check()


SPOILT = {
    "garbage": lambda data: b"\x00garbage",
    "another format": lambda data: data.replace(b'"format":1', b'"format":9'),
    "no frames": lambda data: b'{"format":1}',
    "another node": lambda data: data.replace(b'"node":', b'"nope":'),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
async def test_a_snapshot_that_does_not_agree_is_discarded_loudly(
    spoil: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "db"
    async with running(f"sqlite:///{path}", LONG, options=OFTEN) as rig:
        await advance(rig)
    with sqlite3.connect(path) as raw:
        raw.create_function("spoil", 1, spoil)  # type: ignore[arg-type]
        assert raw.execute("UPDATE snapshots SET payload = spoil(payload)").rowcount == 1
    raw.close()
    async with running(f"sqlite:///{path}", options=OFTEN) as rig:
        await rig.client.signal("main", "go", "end")
        assert await rig.client.result("main", timeout=5) == 200
        assert "snapshot does not agree" in caplog.text
        await rig.check()
