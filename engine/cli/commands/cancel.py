"""`lockstep cancel`: ask an instance to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import OK
from engine.cli.options import instance_argument, project_options
from engine.cli.output import say

if TYPE_CHECKING:
    from engine.cli.settings import Settings


@click.command("cancel")
@instance_argument
@click.option("--reason", metavar="TEXT", help="Why; recorded in the history.")
@project_options("database")
def command(settings: Settings, id: str, reason: str | None) -> int:
    """Ask an instance to stop; its clean-up runs."""
    from engine.cli.opening import run_async

    run_async(_cancel(settings, id, reason))
    say(f"{id} is asked to stop")
    return OK


async def _cancel(settings: Settings, instance_id: str, reason: str | None) -> None:
    from engine.cli.opening import open_client

    async with open_client(settings) as opened:
        await opened.client.cancel(instance_id, reason)
