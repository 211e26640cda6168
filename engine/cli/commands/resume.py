"""`lockstep resume`: let a suspended instance go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import OK, CommandFailed
from engine.cli.options import instance_argument, project_options
from engine.cli.output import say

if TYPE_CHECKING:
    from engine.cli.settings import Settings


@click.command("resume")
@instance_argument
@project_options("database")
def command(settings: Settings, id: str) -> int:
    """Let a suspended instance go on. Exits with 1 when it is not suspended."""
    from engine.cli.opening import run_async

    if not run_async(_resume(settings, id)):
        raise CommandFailed(f"instance `{id}` is not suspended")
    say(f"{id} goes on")
    return OK


async def _resume(settings: Settings, instance_id: str) -> bool:
    from engine.cli.opening import open_client

    async with open_client(settings) as opened:
        return await opened.client.resume(instance_id)
