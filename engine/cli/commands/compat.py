"""`lockstep compat`: whether versions are raised as far as the changes ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import FAILED, OK, TOO_SMALL
from engine.cli.options import project_options
from engine.cli.releasing import format_option

if TYPE_CHECKING:
    from engine.cli.settings import Settings
    from engine.gitops.compat_check import Judged


@click.command("compat")
@click.option(
    "--against",
    metavar="REF",
    required=True,
    help="The git commit (or workflow folder) to compare with, for example `origin/main`.",
)
@format_option
@project_options("workflows")
def command(settings: Settings, against: str, form: str) -> int:
    """Say whether versions are raised as far as the changes since REF ask for.

    A workflow is compared with the release it follows. Exits with 4 when a version is raised too
    little.
    """
    from engine.cli.output import print_table, say
    from engine.cli.releasing import print_findings, telling_findings, workflow_folder_of
    from engine.gitops.codes import SMALL_BUMP
    from engine.gitops.compat_check import compat_check

    with telling_findings():
        found = compat_check(workflow_folder_of(settings), against)
    if form == "text":
        print_table([one for one in found.judged if one.state != "same"], COLUMNS)
    print_findings(found.findings, form)
    small = [one for one in found.findings if one.code == SMALL_BUMP]
    if small:
        say(f"{len(small)} of {len(found.judged)} workflows are raised too little")
        return TOO_SMALL
    say(f"{len(found.judged)} workflows: raised enough")
    return FAILED if found.findings else OK


def _before(one: Judged) -> str:
    return one.before or "-"


COLUMNS = {
    "name": lambda one: one.name,
    "before": _before,
    "version": lambda one: one.version,
    "declared": lambda one: one.declared,
    "required": lambda one: one.required,
    "state": lambda one: one.state,
}
