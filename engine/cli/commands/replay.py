"""`lockstep replay`: do histories replay as they were recorded?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.exits import DIVERGED, OK
from engine.cli.options import output_option, project_options

if TYPE_CHECKING:
    from engine.cli.settings import Settings
    from engine.values.json import JsonObject


@click.command("replay")
@click.argument("subjects", nargs=-1, required=True, metavar="ID|FILE...")
@click.option(
    "--workflow",
    "workflow_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Replay on this definition instead of the recorded revision.",
)
@output_option
@project_options("database")
def command(
    settings: Settings, subjects: tuple[str, ...], workflow_file: str | None, output: str
) -> int:
    """Verify that histories replay as they were recorded.

    An ID is an instance of the database, all its executions; a FILE is what `lockstep history ID
    -o json` wrote. The definition comes from the database, or from --workflow. Exits with 5 when
    one diverges.
    """
    from engine.cli.opening import run_async
    from engine.cli.output import print_records
    from engine.cli.replaying import COLUMNS, verify

    given = None if workflow_file is None else Path(workflow_file)
    records: list[JsonObject] = run_async(verify(settings, subjects, given))
    print_records(records, COLUMNS, output)
    return OK if all(one["result"] == "ok" for one in records) else DIVERGED
