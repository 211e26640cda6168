"""`lockstep rebase`: move running instances to another version, those whose history fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import DIVERGED, OK, UNAVAILABLE
from engine.cli.options import complete_workflows, output_option, project_options

if TYPE_CHECKING:
    from engine.cli.settings import Settings
    from engine.client.rebasing import RebaseOutcome
    from engine.values.json import JsonObject


@click.command("rebase")
@click.argument("workflow", metavar="NAME", shell_complete=complete_workflows)
@click.option("--to", required=True, metavar="RANGE", help="The version to go over to.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@output_option
@project_options("database")
def command(settings: Settings, workflow: str, to: str, dry_run: bool, output: str) -> int:
    """Move running instances to another version, those whose history fits.

    The history of every instance of NAME that has not ended is replayed on that version. One that
    decides all the same is compatible and is moved, which its history records; of the others the
    first difference is told, and they stay. Exits with 5 when one diverges, with 75 when one never
    stood still for long enough.
    """
    from engine.cli.opening import run_async
    from engine.cli.output import print_records

    records = run_async(_rebase(settings, workflow, to, dry_run=dry_run))
    columns = {
        "instance": lambda one: one["instance_id"],
        "status": lambda one: one["status"],
        "version": lambda one: one["version"],
        "result": lambda one: one["result"],
        "problem": lambda one: one["problem"] or "",
    }
    print_records(records, columns, output, empty=f"no instance of {workflow} runs")
    results = {one["result"] for one in records}
    if "diverges" in results:
        return DIVERGED
    return UNAVAILABLE if "busy" in results else OK


async def _rebase(settings: Settings, workflow: str, to: str, *, dry_run: bool) -> list[JsonObject]:
    from engine.cli.opening import open_client

    async with open_client(settings) as opened:
        moves = opened.client.rebase(workflow, to=to, dry_run=dry_run)
        return [_record(one) async for one in moves]


def _record(one: RebaseOutcome) -> JsonObject:
    verdict = one.verdict if one.verdict is not None and not one.verdict.compatible else None
    return {
        "instance_id": one.instance_id,
        "execution": one.execution,
        "status": one.status,
        "version": one.version,
        "result": one.result,
        "problem": str(verdict) if verdict is not None else None,
        "event": verdict.seq if verdict is not None else None,
        "step_path": verdict.step_path if verdict is not None else None,
        "expected": verdict.expected if verdict is not None else None,
        "got": verdict.got if verdict is not None else None,
    }
