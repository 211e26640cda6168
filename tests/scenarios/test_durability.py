"""Scenarios 68, 70 and 72: what was acknowledged survives, and each decision is made once."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections import Counter
from pathlib import Path

import pytest

from engine import Engine
from engine.history.events import ActivityScheduled, Event
from engine.interpreter.program import Program
from tests.scenarios.activities import Stage, stage_activities
from tests.scenarios.crashing import WORKFLOW, crash_activities
from tests.scenarios.history_view import history_of
from tests.scenarios.invariants import check_invariants
from tests.scenarios.scenario import program_of

OUTPUT = ["first 1", "second 1"]
EFFECTS = ["first 0", "second 0", "first 1", "second 1"]


def write_workflow(folder: Path, text: str) -> dict[str, Program]:
    path = folder / "workflows" / "main.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return dict([program_of(path)])


async def run_until_killed(url: str, folder: Path, point: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.scenarios.crashing", url, str(folder), point
    )
    return await asyncio.wait_for(process.wait(), 30)


def calls_by_step(events: list[Event]) -> Counter[str]:
    return Counter(event.path for event in events if isinstance(event, ActivityScheduled))


@pytest.mark.parametrize(
    "points",
    [
        ["started"],
        ["before first 0"],
        ["after first 0"],
        ["after second 0"],
        ["before first 1"],
        ["after second 1"],
        ["after first 0", "before second 0", "after first 1"],
    ],
    ids=", ".join,
)
async def test_kill_9_leaves_the_same_result_and_each_decision_once(
    points: list[str], tmp_path: Path
) -> None:
    programs = write_workflow(tmp_path, WORKFLOW)
    url = f"sqlite:///{tmp_path / 'lockstep.db'}"
    for point in points:
        assert await run_until_killed(url, tmp_path, point) == -signal.SIGKILL
    async with Engine.open(
        url, workflows=tmp_path / "workflows", activities=crash_activities(tmp_path, "none")
    ) as engine:
        assert await engine.client.result("main", timeout=20) == OUTPUT
        for execution in (1, 2):
            events = await history_of(engine.client, "main", execution)
            assert calls_by_step(events) == {"first": 1, "second": 1}
        await check_invariants(engine.client, programs)
    effects = (tmp_path / "effects").read_text().splitlines()
    labels = [" ".join(line.split()[:2]) for line in effects]
    assert list(dict.fromkeys(labels)) == EFFECTS
    assert len(effects) <= len(EFFECTS) + len(points), "no more repeats than kills"
    assert len(set(effects)) == len(EFFECTS), "a repeated effect has the same idempotency key"


async def test_a_store_that_is_busy_now_and_then_fails_no_workflow(tmp_path: Path) -> None:
    programs = write_workflow(
        tmp_path,
        """
dsl: 1
name: main
version: "1.0.0"
steps:
  - id: each
    foreach: ${{ range(40) | list }}
    as: n
    steps:
      - id: pause
        sleep: 5ms
      - id: e
        activity: test.echo
        with: { value: "${{ n }}" }
    output: ${{ steps.e.output }}
output: ${{ steps.each.output | sum }}
""",
    )
    stage = Stage()
    async with Engine.open(
        f"sqlite:///{tmp_path / 'lockstep.db'}",
        workflows=tmp_path / "workflows",
        activities=stage_activities(stage),
    ) as engine:
        handle = await engine.client.start("main", id="main")
        rival = sqlite3.connect(tmp_path / "lockstep.db", isolation_level=None, timeout=10)
        try:
            for _ in range(6):
                rival.execute("BEGIN IMMEDIATE")
                await asyncio.sleep(0.08)
                rival.execute("ROLLBACK")
                await asyncio.sleep(0.02)
        finally:
            rival.close()
        assert await handle.result(timeout=30) == sum(range(40))
        await check_invariants(engine.client, programs)


async def test_what_kills_its_node_again_and_again_is_set_aside_and_can_be_resumed(
    tmp_path: Path,
) -> None:
    text = WORKFLOW.replace("activity: crash.effect", "activity: crash.always", 1).replace(
        '    with: { label: "first ${{ input.n }}" }\n', "", 1
    )
    write_workflow(tmp_path, text)
    url = f"sqlite:///{tmp_path / 'lockstep.db'}"
    kills = 0
    while (code := await run_until_killed(url, tmp_path, "poison")) == -signal.SIGKILL:
        kills += 1
        assert kills < 20, "it must be set aside some time"
    assert code == 0
    assert kills > 1, "one crash is no poison"
    async with Engine.open(
        url, workflows=tmp_path / "workflows", activities=crash_activities(tmp_path, "healed")
    ) as engine:
        assert (await engine.client.get("main")).status == "suspended"
        await engine.client.resume("main")
        assert await engine.client.result("main", timeout=20) == ["well", "second 1"]


async def test_timers_that_come_due_while_the_node_opens_all_fire(tmp_path: Path) -> None:
    programs = write_workflow(
        tmp_path,
        """
dsl: 1
name: main
version: "1.0.0"
input_schema: { type: object, properties: { ms: { type: integer } } }
steps:
  - sleep: ${{ input.ms / 1000 }}
output: ${{ input.ms }}
""",
    )
    url, folder = f"sqlite:///{tmp_path / 'lockstep.db'}", tmp_path / "workflows"
    async with Engine.open(url, workflows=folder) as engine:
        for number in range(150):
            await engine.client.start("main", {"ms": 400 + number}, id=f"i{number}")
    await asyncio.sleep(0.1)
    async with Engine.open(url, workflows=folder) as engine:
        results = [engine.client.result(f"i{number}", timeout=10) for number in range(150)]
        assert await asyncio.gather(*results) == [400 + number for number in range(150)]
        await check_invariants(engine.client, programs)
