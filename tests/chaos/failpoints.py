"""A process that kills copies of itself at every boundary; the next copy must go on.

    python -m tests.chaos.failpoints FOLDER FIRST STRIDE AGAIN

A point is reached before and after each commit and claim (after: nobody has heard of it yet) and
before and after each effect. Copy A dies at point FIRST, FIRST + STRIDE, … until it gets through
alive; copy B must bring everything to its end (with AGAIN it dies once more on the way, and C
does). Prints one JSON object: how many points there were, and how many kills.

It forks, so it must stay without threads; that is why it is no part of the tests' own process.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from engine import ActivityContext, ActivityError, activity
from engine.history.events import ActivityScheduled
from tests.runtime.rig import Rig, Watched, running, workflow
from tests.scenarios.history_view import history_of

MAIN = workflow("""
input_schema: { type: object, properties: { n: { type: integer, default: 0 } } }
signals: { back: {} }
steps:
  - parallel:
      left:
        - id: left
          activity: fx.do
          with: { label: "left ${{ input.n }}" }
      right:
        - id: right
          workflow: child@^1
          with: { label: "child ${{ input.n }}" }
  - id: flaky
    activity: fx.flaky
    with: { label: "flaky ${{ input.n }}" }
    retry: { max_attempts: 2, backoff: fixed, delay: 5ms }
  - start: side@^1
    instance_id: side-${{ input.n }}
    with: { to: "${{ instance.id }}", n: "${{ input.n }}" }
  - signal: go
    to: side-${{ input.n }}
  - id: answer
    wait: back
  - sleep: 5ms
  - try:
      - saga:
          - id: debit
            activity: fx.do
            with: { label: "debit ${{ input.n }}" }
            compensate:
              - id: refund
                activity: fx.do
                with: { label: "refund ${{ input.n }}" }
          - raise: { type: fx.refused, message: no }
    catch:
      - on: [fx.refused]
        steps:
          - id: caught
            activity: fx.do
            with: { label: "caught ${{ input.n }}" }
  - when: ${{ input.n == 1 }}
    return: ${{ steps.answer.output }}
  - continue_as_new: { n: "${{ input.n + 1 }}" }
""")
CHILD = workflow(
    """
input_schema: { type: object, properties: { label: { type: string } } }
steps:
  - id: work
    activity: fx.do
    with: { label: "${{ input.label }}" }
output: ${{ steps.work.output }}
""",
    name="child",
)
SIDE = workflow(
    """
input_schema: { type: object, properties: { to: { type: string }, n: { type: integer } } }
signals: { go: {} }
steps:
  - wait: go
  - id: work
    activity: fx.do
    with: { label: "side ${{ input.n }}" }
  - signal: back
    to: ${{ input.to }}
    with: hello ${{ input.n }}
""",
    name="side",
)
LABELS = [
    f"{label} {n}"
    for n in (0, 1)
    for label in ("left", "child", "flaky", "debit", "refund", "caught", "side")
]
INSTANCES = ("main", "side-0", "side-1")


class Points:
    """Counts the points reached; the process dies at the one asked for."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.reached = 0

    def reach(self) -> None:
        self.reached += 1
        if self.reached == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def watched(points: Points) -> Callable[[Any], Watched]:
    """A wrapper of the provider with points around what it stores for a node."""

    def wrap(provider: Any) -> Watched:
        store = Watched(provider)
        for name in ("commit", "claim"):
            store.before[name] = store.after[name] = points.reach
        return store

    return wrap


def activities(points: Points, folder: Path) -> list[Any]:
    """Activities with an effect in the outside world: a line in a file."""

    def work(label: str, key: str) -> str:
        points.reach()
        with (folder / "effects").open("a") as file:
            file.write(f"{label}|{key}\n")
        points.reach()
        return label

    @activity("fx.do", timeout="10s")
    async def do(label: str, ctx: ActivityContext) -> str:
        return work(label, ctx.idempotency_key)

    @activity("fx.flaky", timeout="10s")
    async def flaky(label: str, ctx: ActivityContext) -> str:
        if ctx.attempt == 1:
            points.reach()
            raise ActivityError("not yet")
        return work(label, ctx.idempotency_key)

    return [do, flaky]


async def run(folder: Path, fatal: int) -> None:
    """Work until all three instances have ended, or die at the point."""
    points = Points(fatal)
    async with running(
        f"sqlite:///{folder / 'lockstep.db'}",
        activities=activities(points, folder),
        wrap=watched(points),
    ) as rig:
        await rig.client.start("main", {}, id="main", on_duplicate="return_existing")
        assert await rig.client.result("main", timeout=20) == "hello 1"
        for name in INSTANCES[1:]:
            await rig.client.result(name, timeout=20)
        (folder / "points").write_text(str(points.reached))
        if fatal == 0:
            await look(rig, folder)


async def look(rig: Rig, folder: Path) -> None:
    """Assert that nobody can see that there were kills, but in the number of effects."""
    await rig.check()
    for execution in (1, 2):
        events = await history_of(rig.client, "main", execution)
        calls = Counter(one.path for one in events if isinstance(one, ActivityScheduled))
        assert sorted(calls.values()) == [1, 1, 1, 1, 2], calls  # `flaky` is tried twice
    lines = (folder / "effects").read_text().splitlines()
    labels = Counter(line.partition("|")[0] for line in lines)
    assert sorted(labels) == sorted(LABELS), labels
    assert len(set(lines)) == len(LABELS), "an effect was repeated under another key"
    kills = int((folder / "kills").read_text())
    assert len(lines) <= len(LABELS) + 2 * kills, "more effects than steps and calls in flight"


async def prepare(folder: Path) -> None:
    """A store with the definitions, to be copied."""
    async with running(f"sqlite:///{folder / 'lockstep.db'}", MAIN, CHILD, SIDE):
        pass


def forked(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run it in a copy of this process; the exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            asyncio.run(work())
            code = 0
        except BaseException:  # noqa: BLE001 - the copy must not go on as this process
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def sweep(root: Path, first: int, stride: int, again: int) -> dict[str, int]:
    """Kill at every point of the stride."""
    template = root / "template"
    template.mkdir()
    assert forked(lambda: prepare(template)) == 0
    kills, fatal = 0, first
    while True:
        folder = root / str(fatal)
        shutil.copytree(template, folder)
        code = forked(lambda: run(folder, fatal))  # noqa: B023 - called at once
        if code == 0:
            return {"kills": kills, "points": int((folder / "points").read_text())}
        assert code == -signal.SIGKILL, f"point {fatal}: the first run ended with {code}"
        deaths = 1
        if again and forked(lambda: run(folder, again)) == -signal.SIGKILL:  # noqa: B023
            deaths += 1
        (folder / "kills").write_text(str(deaths))
        code = forked(lambda: run(folder, 0))  # noqa: B023
        assert code == 0, f"killed at point {fatal}, the next run ended with {code}"
        shutil.rmtree(folder)
        kills += deaths
        fatal += stride


if __name__ == "__main__":
    sys.stdout.write(json.dumps(sweep(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
