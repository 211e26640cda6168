"""`lockstep list`: the instances there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from engine.cli.exits import OK
from engine.cli.options import complete_workflows, output_option, project_options, utc_option

if TYPE_CHECKING:
    from engine.cli.settings import Settings
    from engine.client.models import InstanceInfo

STATUSES = ("pending", "running", "suspended", "completed", "failed", "cancelled", "terminated")


@click.command("list")
@click.option(
    "-w", "--workflow", metavar="NAME", shell_complete=complete_workflows, help="Of this workflow."
)
@click.option("--version", metavar="VERSION", help="Of exactly this version.")
@click.option(
    "-s", "--status", multiple=True, type=click.Choice(STATUSES), help="In this status; repeatable."
)
@click.option("--prefix", "id_prefix", metavar="TEXT", help="Whose id begins so.")
@click.option("--parent", metavar="ID", help="Children of this instance.")
@click.option("--after", metavar="ID", help="The page after this id.")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="At most so many.",
)
@output_option
@utc_option
@project_options("database")
def command(settings: Settings, output: str, utc: bool, **where: Any) -> int:
    """List instances, newest first. Input and waits are left out; `show` has them."""
    from engine.cli.instances import list_columns, record_of
    from engine.cli.opening import run_async
    from engine.cli.output import print_records

    found = run_async(_list(settings, where))
    records = [record_of(one) for one in found]
    print_records(records, list_columns(utc=utc), output, empty="no instances")
    return OK


async def _list(settings: Settings, where: dict[str, Any]) -> list[InstanceInfo]:
    from engine.cli.opening import open_client

    where["status"] = where["status"] or None
    async with open_client(settings) as opened:
        return await opened.client.list(**where)
