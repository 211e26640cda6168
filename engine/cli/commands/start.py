"""`lockstep start`: start an instance and leave it to the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from engine.cli.exits import OK
from engine.cli.options import complete_workflows, output_option, project_options, start_options
from engine.cli.output import say

if TYPE_CHECKING:
    from engine.cli.settings import Settings
    from engine.values.json import Json


@click.command("start")
@click.argument("workflow", metavar="WORKFLOW", shell_complete=complete_workflows)
@start_options
@click.option("--wait", is_flag=True, help="Wait for the end and print the result as JSON.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Wait no longer than this.")
@output_option
@project_options("database", "config")
def command(workflow: str, settings: Settings, **options: Any) -> int:
    """Start an instance.

    The start is durable when this returns; a node (`lockstep worker`) works on it. Prints the
    instance's id; with --wait its result.
    """
    from engine.cli.opening import run_async
    from engine.cli.options import json_argument
    from engine.cli.output import print_json, print_record

    value = json_argument(options["inputs"])
    instance_id, waited, result = run_async(_start(settings, workflow, value, options))
    if waited:
        print_json(result)
    elif options["output"] == "table":
        click.echo(instance_id)
    else:
        print_record({"instance_id": instance_id}, {}, options["output"])
    return OK


async def _start(
    settings: Settings, workflow: str, value: Json, options: dict[str, Any]
) -> tuple[str, bool, Json]:
    from engine.cli.following import ENDINGS, not_completed
    from engine.cli.opening import open_client
    from engine.errors import ResultTimeout
    from engine.storage.records import TERMINAL_STATUSES

    async with open_client(settings) as opened:
        handle = await opened.client.start(
            workflow,
            {} if value is None else value,
            id=options["id"],
            version=options["version"],
            on_duplicate=options["on_duplicate"],
        )
        info = await opened.provider.info(now=0)
        if not info.node_alive and (await handle.info()).status not in TERMINAL_STATUSES:
            say("no node is alive: it waits for `lockstep worker`")
        if options["wait"]:
            try:
                return handle.id, True, await handle.result(options["timeout"])
            except (*ENDINGS, ResultTimeout) as error:
                raise not_completed(error, handle.id) from error
        return handle.id, False, None
