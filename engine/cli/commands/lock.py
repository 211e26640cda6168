"""`lockstep lock`: verify the lock and the frozen files, or write the lock in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import LOCKED, OK
from engine.cli.options import project_options
from engine.cli.releasing import format_option

if TYPE_CHECKING:
    from engine.cli.settings import Settings


@click.command("lock")
@click.option("--check", is_flag=True, help="Only look; exits with 3 when something is wrong.")
@click.option(
    "--against",
    metavar="REF",
    help="A git commit (or a lock file) whose lines must all still be there.",
)
@format_option
@project_options("workflows")
def command(settings: Settings, check: bool, against: str | None, form: str) -> int:
    """Verify the lock and the frozen files (`--check`), or write the lock in order.

    Every line has its frozen file, which compiles and has the digests of the line; no line of REF
    vanished or changed; no working file has the version of a release with another content.
    """
    from engine.cli.output import say
    from engine.cli.releasing import print_findings, workflow_folder_of
    from engine.gitops.lockcheck import lock_check
    from engine.gitops.workspace import open_workspace

    folder = workflow_folder_of(settings)
    if against is not None and not check:
        raise click.UsageError("--against is looked at by --check only")
    workspace = open_workspace(folder)
    if check:
        found = lock_check(folder, against)
        print_findings(found, form)
        if found:
            say(f"the lock is broken: {len(found)} finding{'' if len(found) == 1 else 's'}")
            return LOCKED
    else:
        workspace.tidy_lock()
    releases = len(workspace.read_lock().entries)
    say(f"{releases} release{'' if releases == 1 else 's'}: {'sound' if check else 'in order'}")
    return OK
