"""A process that works on a store until it is killed.

    python -m tests.chaos.worker FOLDER [GRACE_MS]

Effects are lines `key|time` in `FOLDER/effects`, of one write each. SIGTERM ends it in order.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from engine import ActivityContext, ActivityError, Engine, NodeOptions, activity


def append(path: Path, line: str) -> None:
    """Add a line; whole, whoever else writes and whenever we are killed."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


def activities(folder: Path) -> list[Any]:
    """What the workflows of the kill tests call."""

    def effect(ctx: ActivityContext) -> None:
        append(folder / "effects", f"{ctx.idempotency_key}|{time.time()}")

    @activity("chaos.step", timeout="30s")
    async def step(ms: float, ctx: ActivityContext) -> str:
        await asyncio.sleep(ms / 1000)
        effect(ctx)
        return ctx.step_path

    @activity("chaos.poison", timeout="30s")
    async def poison(ctx: ActivityContext) -> str:
        if (folder / "healed").exists():
            return "well"
        append(folder / "deaths", ctx.instance_id)
        os.kill(os.getpid(), signal.SIGKILL)
        raise ActivityError("not reached")

    return [step, poison]


async def main(folder: Path, grace_ms: int) -> None:
    """Be the node until told to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Engine.open(
        f"sqlite:///{folder / 'lockstep.db'}",
        activities=activities(folder),
        options=NodeOptions(shutdown_grace=grace_ms * 1000),
    ):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int((sys.argv[2:] or ["10000"])[0])))
