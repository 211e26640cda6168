"""`lockstep check`: everything that is wrong with workflow files. No database, no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.exits import FAILED, OK
from engine.cli.options import settings_of
from engine.cli.output import say
from engine.cli.releasing import format_option, print_findings

if TYPE_CHECKING:
    from engine.definition.diagnostic import Diagnostic


@click.command("check")
@click.argument("files", nargs=-1, metavar="[FILES]...", type=click.Path())
@format_option
@click.option("--strict", is_flag=True, help="Warnings fail the check too.")
@click.option("--project", metavar="DIR", help="Folder of the project; here if left out.")
def command(files: tuple[str, ...], form: str, strict: bool, project: str | None) -> int:
    """Say everything that is wrong with workflow files.

    FILES are files and folders; the project's workflows if left out. Exits with 1 when there are
    findings.
    """
    from engine.cli.deploying import compiled, near
    from engine.errors import SettingsError

    paths = [Path(file) for file in files]
    if not paths:
        folder = settings_of(project, {}).workflows
        if folder is None:
            raise SettingsError("there are no workflows here", hint="name files or folders")
        paths = [near(folder)]
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise SettingsError(f"there is no file or folder `{missing[0]}`")
    seen: set[str] = set()
    found: list[Diagnostic] = []
    for path in paths:
        candidates, diagnostics = compiled(path)
        seen.update(candidate.file for candidate in candidates)
        seen.update(one.file for one in diagnostics)
        found += diagnostics
    found = list(dict.fromkeys(found))  # a file may be named, and stand in a named folder
    print_findings(found, form)
    if form == "text":
        say(_summary(len(seen), len(found)))
    failed = any(strict or _is_error(one) for one in found)
    return FAILED if failed else OK


def _is_error(one: Diagnostic) -> bool:
    return one.severity == "error"


def _summary(files: int, findings: int) -> str:
    said = f"{files} workflow{'' if files == 1 else 's'}"
    if not findings:
        return f"{said}: no findings"
    return f"{said}: {findings} finding{'' if findings == 1 else 's'}"
