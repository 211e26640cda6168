"""`lockstep release`: freeze the current version of a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import LOCKED, OK
from engine.cli.options import project_options
from engine.cli.releasing import format_option

if TYPE_CHECKING:
    from pathlib import Path

    from engine.cli.settings import Settings
    from engine.gitops.refusals import ReleaseLocked
    from engine.values.version import Part


@click.command("release")
@click.argument("name")
@click.option("--patch", "part", flag_value="patch", help="Raise the patch number first.")
@click.option("--minor", "part", flag_value="minor", help="Raise the minor number first.")
@click.option("--major", "part", flag_value="major", help="Raise the major number first.")
@format_option
@project_options("workflows")
def command(settings: Settings, name: str, part: Part | None, form: str) -> int:
    """Freeze the current version of a workflow.

    NAME counts from the workflow folder. Writes `releases/NAME/VERSION.yaml` and a line of
    `workflows.lock`; check both in. Exits with 3 when that version is released with another
    content.
    """
    from engine.cli.output import print_json, say
    from engine.cli.releasing import telling_findings, workflow_folder_of
    from engine.gitops.refusals import ReleaseLocked
    from engine.gitops.release import release

    folder = workflow_folder_of(settings)
    try:
        with telling_findings():
            done = release(folder, name, part)
    except ReleaseLocked as error:
        return _refused(folder, error, form)
    entry = done.entry
    if form == "json":
        print_json(
            {
                "name": entry.name,
                "version": entry.version,
                "revision": entry.revision,
                "file": str(done.file),
                "fresh": done.fresh,
            }
        )
    elif form == "text":
        click.echo(str(done.file))
    was = "is released" if done.fresh else "was released before, the same"
    say(f"{entry.name} {entry.version} {was}")
    return OK


def _refused(folder: Path, error: ReleaseLocked, form: str) -> int:
    """The refusal as `lock --check` tells it, at its place in the file."""
    from engine.cli.output import say
    from engine.cli.releasing import print_findings
    from engine.gitops.codes import SAME_VERSION
    from engine.gitops.lockcheck import lock_check

    found = [
        one
        for one in lock_check(folder)
        if one.code == SAME_VERSION and f"`{error.name}` {error.version} " in one.what
    ]
    print_findings(found, form)
    say(f"{error.message}; the next free version is {error.next_free}")
    return LOCKED
