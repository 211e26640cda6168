"""`lockstep versions`: what is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import OK
from engine.cli.options import complete_workflows, output_option, project_options, utc_option

if TYPE_CHECKING:
    from engine.cli.settings import Settings
    from engine.values.json import JsonObject


@click.command("versions")
@click.argument("name", required=False, shell_complete=complete_workflows)
@output_option
@utc_option
@project_options("database")
def command(settings: Settings, name: str | None, output: str, utc: bool) -> int:
    """List deployed versions, of one workflow or of all, with how many instances run on each."""
    from engine.cli.opening import run_async
    from engine.cli.output import print_records
    from engine.cli.versions import columns

    records = run_async(_versions(settings, name))
    print_records(records, columns(utc=utc), output, empty="nothing is deployed")
    return OK


async def _versions(settings: Settings, name: str | None) -> list[JsonObject]:
    from engine.cli.opening import open_client
    from engine.cli.versions import record_of
    from engine.errors import UnknownWorkflow

    async with open_client(settings) as opened:
        found = await opened.client.deployments(name)
        if name is not None and not found:
            raise UnknownWorkflow(name)
        counts = await opened.provider.counts()
        return [record_of(one, counts) for one in found]
