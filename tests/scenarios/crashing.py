"""A process that runs an engine until something kills it, for the tests of durability.

    python -m tests.scenarios.crashing URL FOLDER POINT

Effects go into `FOLDER/effects`, a line each, synced before anything else happens. The process
kills itself with SIGKILL at the point asked for, which may be none.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from engine import ActivityContext, Engine, activity

WORKFLOW = """
dsl: 1
name: main
version: "1.0.0"
input_schema: { type: object, properties: { n: { type: integer, default: 0 } } }
steps:
  - id: first
    activity: crash.effect
    with: { label: "first ${{ input.n }}" }
  - id: nap
    sleep: 20ms
  - id: second
    activity: crash.effect
    with: { label: "second ${{ input.n }}" }
  - when: ${{ input.n == 1 }}
    return: ${{ [steps.first.output, steps.second.output] }}
  - continue_as_new: { n: "${{ input.n + 1 }}" }
"""


def die() -> None:
    """End as if the power had gone."""
    os.kill(os.getpid(), signal.SIGKILL)


def note(folder: Path, text: str) -> None:
    """Append a line that outlives the process."""
    with (folder / "effects").open("a") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def crash_activities(folder: Path, point: str) -> list[Any]:
    """Activities that die where they are told, once per process."""

    @activity("crash.effect", timeout="10s")
    async def effect(label: str, ctx: ActivityContext) -> str:
        if point == f"before {label}":
            die()
        note(folder, f"{label} {ctx.idempotency_key}")
        if point == f"after {label}":
            die()
        return label

    @activity("crash.always", timeout="10s")
    async def always() -> str:
        if point == "healed":
            return "well"
        note(folder, "poison")
        die()
        return "never"

    return [effect, always]


async def is_running(engine: Engine) -> bool:
    """Whether the instance has neither ended nor been set aside."""
    return (await engine.client.get("main")).status in ("pending", "running")


async def main(url: str, folder: Path, point: str) -> None:
    """Start the instance unless it is there, then wait for its end or ours.

    An instance that was set aside ends the process, too.
    """
    async with Engine.open(
        url, workflows=folder / "workflows", activities=crash_activities(folder, point)
    ) as engine:
        await engine.client.start("main", {}, id="main", on_duplicate="return_existing")
        if point == "started":
            die()
        async with asyncio.timeout(20):
            while await is_running(engine):  # noqa: ASYNC110 - an instance set aside has no end
                await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
