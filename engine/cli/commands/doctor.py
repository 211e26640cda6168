"""`lockstep doctor`: what is wrong with the project and its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import FAILED, OK, UNAVAILABLE
from engine.cli.options import output_option, project_options

if TYPE_CHECKING:
    from engine.cli.settings import Settings


@click.command("doctor")
@output_option
@project_options("database", "workflows", "activities", "queues")
def command(settings: Settings, output: str) -> int:
    """Look for what is wrong with the project and its database.

    Exits with 1 when something is, with 75 when the database cannot be opened.
    """
    from engine.cli.examining import COLUMNS, examine
    from engine.cli.opening import run_async
    from engine.cli.output import print_record, print_records

    findings, reachable = run_async(examine(settings))
    if output == "table":
        print_records(findings, COLUMNS, "table")
    else:
        worst = [one["result"] for one in findings]
        print_record({"ok": "error" not in worst, "checks": findings}, {}, output)
    if not reachable:
        return UNAVAILABLE
    return FAILED if any(one["result"] == "error" for one in findings) else OK
