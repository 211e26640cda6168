"""`lockstep terminate`: end an instance now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import OK
from engine.cli.options import instance_argument, project_options
from engine.cli.output import say

if TYPE_CHECKING:
    from engine.cli.settings import Settings


@click.command("terminate")
@instance_argument
@click.option("--reason", metavar="TEXT", help="Why; recorded in the history.")
@project_options("database")
def command(settings: Settings, id: str, reason: str | None) -> int:
    """End an instance now; nothing of it runs any more, not even its clean-up."""
    from engine.cli.opening import run_async

    run_async(_terminate(settings, id, reason))
    say(f"{id} is told to end")
    return OK


async def _terminate(settings: Settings, instance_id: str, reason: str | None) -> None:
    from engine.cli.opening import open_client

    async with open_client(settings) as opened:
        await opened.client.terminate(instance_id, reason)
