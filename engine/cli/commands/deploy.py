"""`lockstep deploy`: store workflow versions and lock them, all of a folder or none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.exits import OK, CommandFailed
from engine.cli.options import output_option, project_options

if TYPE_CHECKING:
    from engine.cli.settings import Settings
    from engine.storage.records import Deployment


@click.command("deploy")
@click.argument("path", required=False, type=click.Path())
@output_option
@project_options("database", "workflows")
def command(settings: Settings, path: str | None, output: str) -> int:
    """Store workflow versions and lock them.

    PATH is a file or folder; the project's workflows if left out. One bad file, or one version
    that is locked with another content, and nothing is stored.
    """
    from engine.cli.deploying import near
    from engine.cli.opening import run_async
    from engine.cli.output import print_records
    from engine.cli.versions import columns, record_of
    from engine.errors import SettingsError

    place = Path(path) if path is not None else settings.workflows and near(settings.workflows)
    if place is None:
        raise SettingsError("there are no workflows here", hint="name a file or folder")
    done = run_async(_deploy(settings, place))
    names = ("name", "version", "revision")
    shown = {name: cell for name, cell in columns(utc=True).items() if name in names}
    print_records([record_of(one) for one in done], shown, output, empty="no workflows there")
    return OK


async def _deploy(settings: Settings, path: Path) -> list[Deployment]:
    from engine.cli.deploying import compiled, refused, tell_findings, tell_refusal
    from engine.cli.opening import open_client

    candidates, diagnostics = compiled(path)
    tell_findings(diagnostics)
    if any(one.severity == "error" for one in diagnostics):
        raise CommandFailed(f"nothing of {path} is deployed: not everything compiles")
    async with open_client(settings, create=True) as opened:
        refusals = await refused(opened, candidates)
        for refusal in refusals:
            tell_refusal(refusal)
        if refusals:
            raise CommandFailed(f"nothing of {path} is deployed: {len(refusals)} locked")
        return await opened.client.deploy_compiled(candidates)
