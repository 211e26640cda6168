"""The life of one managed PostgreSQL instance, from creation to deletion, in under a minute.

`python -m workflows.demo` opens an engine on `.lockstep/lockstep.db`, creates an instance under a
new name, lets its actor check its health, deletes it and waits until the actor has ended. What ran
stays there for `lockstep list` and `lockstep show`.
With `LOCKSTEP_FAIL_PROBE=1` it shows the roll-back instead.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

import workflows.activities
from engine import Engine
from engine.cli.progress import Progress
from engine.cli.tree_view import LiveTree
from engine.errors import InstanceFailed
from workflows.cluster import rows

HOME = Path(".lockstep")


def say(text: str) -> None:
    """One line of the story."""
    print(text, flush=True)


async def narrate(engine: Engine, instance_id: str) -> None:
    """Show what the instance does until it ends: as a live tree on a terminal, else in lines."""
    if sys.stdout.isatty():
        with LiveTree(Console(highlight=False)) as tree:
            async for event in engine.client.events(instance_id):
                tree.add(event)
        return
    progress = Progress()
    async for event in engine.client.events(instance_id):
        line = progress.line(event)
        if line is not None:
            say(f"  {instance_id:<20} {line}")


async def until_checked(name: str, times: int) -> None:
    """Return when the actor has recorded so many health checks."""
    query = "SELECT id FROM health WHERE name = ?"
    while len(rows(query, [name])) < times:  # noqa: ASYNC110 - the cluster announces nothing
        await asyncio.sleep(0.1)


async def live(engine: Engine, name: str) -> None:
    """Create, watch, delete."""
    actor = f"actor-{name}"
    say(f"Creating {name}")
    creation = await engine.client.start(
        "create-instance", {"name": name, "check_every": "1s"}, id=f"create-{name}"
    )
    async with asyncio.TaskGroup() as story:
        story.create_task(narrate(engine, creation.id))
        try:
            created: Any = await creation.result(timeout=60)
        except InstanceFailed as failure:
            created = failure
    if isinstance(created, InstanceFailed):
        say(f"Rolled back: {created.error['type']}: {created.error['message']}")
        say(
            f"Left behind: {len(rows('SELECT * FROM instances'))} records,"
            f" {len(rows('SELECT * FROM pods'))} pods"
        )
        return
    say(f"Running at {created['dsn']} after {created['seconds']:.1f} s")
    async with asyncio.TaskGroup() as story:
        watcher = story.create_task(narrate(engine, actor))
        await asyncio.wait_for(until_checked(name, 2), 20)
        say(f"Deleting {name}")
        deletion = await engine.client.start("delete-instance", {"name": name}, id=f"delete-{name}")
        await deletion.result(timeout=20)
        ended: Any = await engine.client.result(actor, timeout=20)
        await watcher
    checks = rows("SELECT healthy FROM health WHERE name = ?", [name])
    healthy = sum(check["healthy"] for check in checks)
    say(f"The actor ended: {ended['reason']}, {healthy} of {len(checks)} checks healthy")
    say(
        f"Left behind: {len(rows('SELECT * FROM instances'))} records,"
        f" {len(rows('SELECT * FROM pods'))} pods"
    )


async def main() -> None:
    """Open the engine and tell the story."""
    async with Engine.open(
        f"sqlite:///{HOME / 'lockstep.db'}",
        workflows="workflows",
        activities=[workflows.activities],
    ) as engine:
        await live(engine, f"orders-{secrets.token_hex(3)}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
