"""`lockstep run`: start an instance and follow it; its result is the data."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.exits import INTERRUPTED, OK, CommandFailed
from engine.cli.options import complete_workflows, project_options, start_options
from engine.cli.output import say

if TYPE_CHECKING:
    from engine.cli.opening import Opened
    from engine.cli.settings import Settings
    from engine.values.json import Json

# How long other instances' activities may go on once ours has ended, or Ctrl-C was pressed.
GRACE_SECONDS = 2.0


@click.command("run")
@click.argument("workflow", metavar="WORKFLOW|FILE", shell_complete=complete_workflows)
@start_options
@click.option("--timeout", type=float, metavar="SECONDS", help="Stop following after so long.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@project_options("database", "workflows", "activities", "queues", "config")
def command(workflow: str, settings: Settings, **options: Any) -> int:
    """Start an instance and follow it to its end.

    The result is printed as JSON. A FILE is deployed first; for a name, so is the project's
    workflow folder. Uses the node of the database if one is alive, and else becomes it. Exits with
    1 when the instance fails.
    """
    from engine.cli.logs import log_to_stderr
    from engine.cli.opening import run_async
    from engine.cli.options import json_argument
    from engine.cli.output import print_json

    log_to_stderr()
    run = _Run(workflow, settings, json_argument(options.pop("inputs")), options)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # activities may print; stdout is the result
            result = run_async(run.follow())
    except KeyboardInterrupt:
        if run.instance_id is None:
            raise
        _tell_how_to_go_on(run.instance_id)
        return INTERRUPTED
    print_json(result)
    return OK


class _Run:
    def __init__(
        self, target: str, settings: Settings, value: Json, options: dict[str, Any]
    ) -> None:
        self.target = target
        self.settings = settings
        self.value = value
        self.options = options
        self.instance_id: str | None = None

    async def follow(self) -> Json:
        from engine.cli.following import ENDINGS, follow, not_completed, progress_view
        from engine.cli.opening import open_either
        from engine.errors import ResultTimeout

        async with open_either(self.settings, grace_seconds=GRACE_SECONDS) as opened:
            if opened.node is None:
                say("using the node that is alive")
            name = await deploy_target(opened, self.settings, self.target, self.options["version"])
            handle = await opened.client.start(
                name,
                {} if self.value is None else self.value,
                id=self.options["id"],
                version=self.options["version"],
                on_duplicate=self.options["on_duplicate"],
            )
            self.instance_id = handle.id
            timeout = self.options["timeout"]
            try:
                with progress_view(quiet=self.options["quiet"]) as take:
                    return await follow(opened.client, handle.id, take, timeout=timeout)
            except (*ENDINGS, ResultTimeout) as error:
                raise not_completed(error, handle.id) from error


async def deploy_target(
    opened: Opened, settings: Settings, target: str, version: str | None
) -> str:
    """Deploy what a start needs; the workflow's name.

    Raises:
        CommandFailed: the file of the workflow cannot be deployed.
    """
    from engine.cli.deploying import compiled, deploy_folder, refused, tell_findings, tell_refusal

    if not is_file_name(target):
        if settings.workflows is not None and settings.workflows.exists():
            wanted = target if version is None else None
            await deploy_folder(opened, settings.workflows, wanted=wanted)
        return target
    candidates, diagnostics = compiled(Path(target))
    tell_findings(diagnostics)
    if not candidates:
        raise CommandFailed(f"{target} does not compile")
    for refusal in await refused(opened, candidates):
        tell_refusal(refusal)
        raise CommandFailed(f"{target} cannot be deployed: {refusal.error.message}")
    await opened.client.deploy_compiled(candidates)
    return candidates[0].name


def is_file_name(target: str) -> bool:
    """Whether a target names a file; names of workflows have no dots."""
    return target.endswith((".yaml", ".yml"))


def _tell_how_to_go_on(instance_id: str) -> None:
    say(f"interrupted; instance {instance_id} is not lost. To go on:")
    say("  lockstep worker                 # works on everything that is open")
    say(f"  lockstep watch {instance_id}    # shows it, while a worker runs")
    say(f"  lockstep cancel {instance_id}   # stops it, with its clean-up")
