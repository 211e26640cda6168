"""`lockstep show`: one instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import OK
from engine.cli.options import instance_argument, output_option, project_options, utc_option

if TYPE_CHECKING:
    from engine.cli.settings import Settings
    from engine.client.models import InstanceInfo


@click.command("show")
@instance_argument
@output_option
@utc_option
@project_options("database")
def command(settings: Settings, id: str, output: str, utc: bool) -> int:
    """Show one instance: what it is, what it waits for, how it ended."""
    from engine.cli.instances import record_of, show_lines
    from engine.cli.opening import run_async
    from engine.cli.output import print_record

    record = record_of(run_async(_show(settings, id)))
    print_record(record, show_lines(record, utc=utc), output)
    return OK


async def _show(settings: Settings, instance_id: str) -> InstanceInfo:
    from engine.cli.opening import open_client

    async with open_client(settings) as opened:
        return await opened.client.get(instance_id)
