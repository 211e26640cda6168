"""`lockstep signal`: put a signal into an instance's mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import OK
from engine.cli.options import instance_argument, project_options
from engine.cli.output import say

if TYPE_CHECKING:
    from engine.cli.settings import Settings
    from engine.values.json import Json


@click.command("signal")
@instance_argument
@click.argument("name")
@click.argument("data", nargs=-1, metavar="[K=V|JSON|@FILE]...")
@project_options("database")
def command(settings: Settings, id: str, name: str, data: tuple[str, ...]) -> int:
    """Send the signal NAME to the instance ID; durable when this returns."""
    from engine.cli.opening import run_async
    from engine.cli.options import json_argument

    run_async(_signal(settings, id, name, json_argument(data)))
    say(f"signal {name} is in the mailbox of {id}")
    return OK


async def _signal(settings: Settings, instance_id: str, name: str, payload: Json) -> None:
    from engine.cli.opening import open_client

    async with open_client(settings) as opened:
        await opened.client.signal(instance_id, name, payload)
