"""`lockstep bump`: raise the version of a workflow in its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import OK
from engine.cli.options import output_option, project_options

if TYPE_CHECKING:
    from engine.cli.settings import Settings


@click.command("bump")
@click.argument("name")
@click.argument("to", required=False)
@output_option
@project_options("workflows")
def command(settings: Settings, name: str, to: str | None, output: str) -> int:
    """Raise the version of a workflow in its file.

    TO is `patch`, `minor`, `major` or a version. Left out, the version is raised as far as the
    changes since the last release ask for. Nothing else of the file is touched.
    """
    from engine.cli.output import print_record, say
    from engine.cli.releasing import telling_findings, workflow_folder_of
    from engine.gitops.bump import bump

    with telling_findings():
        done = bump(workflow_folder_of(settings), name, to)
    record = {"name": name, "file": str(done.file), "before": done.before, "after": done.after}
    for reason in done.reasons:
        say(reason)
    if done.before == done.after:
        say(f"{name} {done.after} is not released, and high enough")
    print_record(record, {"before": done.before, "after": done.after}, output)
    return OK
