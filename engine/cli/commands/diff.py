"""`lockstep diff`: what changed between two workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.exits import FAILED, OK
from engine.cli.options import project_options

if TYPE_CHECKING:
    from engine.cli.settings import Settings
    from engine.graph.steps import StepGraph


@click.command("diff")
@click.argument("a")
@click.argument("b")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the differences are written to stdout.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 when there is a difference.")
@project_options("database", "workflows")
def command(settings: Settings, a: str, b: str, form: str, exit_code: bool) -> int:
    """Say what changed between two workflows, step by step.

    A and B are files, names (`order`, the working file), releases or deployments (`order@1.2.0`),
    or files of a git commit (`main:workflows/order.yaml`).
    """
    from engine.cli.clean import clean
    from engine.cli.output import print_json
    from engine.cli.releasing import telling_findings, workflow_folder_of
    from engine.gitops.compare import as_json, as_text, compare_targets
    from engine.gitops.target import find_target
    from engine.gitops.workspace import open_workspace

    workspace = open_workspace(workflow_folder_of(settings))

    def stored(name: str, version: str) -> StepGraph | None:
        from engine.cli.opening import run_async

        return run_async(_stored(settings, name, version))

    with telling_findings():
        found = compare_targets(
            find_target(a, workspace, stored), find_target(b, workspace, stored)
        )
    if form == "json":
        print_json(as_json(found))
    else:
        click.echo(clean(as_text(found)), nl=False)
    return FAILED if exit_code and not found.equal else OK


async def _stored(settings: Settings, name: str, version: str) -> StepGraph | None:
    """The graph that is deployed under a version, if there is a store."""
    from engine.cli.opening import open_client
    from engine.errors import StorageUnavailable
    from engine.gitops.refusals import UnknownTarget
    from engine.graph.revision import load_graph

    try:
        async with open_client(settings) as opened:
            for one in await opened.client.deployments(name):
                if one.version == version:
                    graph = await opened.provider.graph(one.revision)
                    return None if graph is None else load_graph(graph)
    except StorageUnavailable as error:
        raise UnknownTarget(
            f"`{name}` {version} is not released, and no store can be asked: {error.message}"
        ) from error
    return None
