"""`lockstep worker`: be the node of the database until told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import click

from engine.cli.exits import INTERRUPTED, OK, CommandFailed
from engine.cli.options import project_options
from engine.cli.output import say

if TYPE_CHECKING:
    from engine.cli.settings import Settings
    from engine.runtime.node import Node

# A supervisor may signal a process and its whole group: that is one request, not two.
SAME_REQUEST_SECONDS = 0.2
# How often to look whether the node had to stop by itself; it does not tell.


@click.command("worker")
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long running activities may finish after the first signal.",
)
@click.option("--no-deploy", is_flag=True, help="Do not deploy the workflow folder first.")
@project_options("database", "workflows", "activities", "queues", "config")
def command(settings: Settings, grace: float, no_deploy: bool) -> int:
    """Work on instances until stopped.

    SIGTERM or Ctrl-C stops it in order: nothing new is begun, activities may finish for the grace
    period, the rest is given back, exit 0. A second signal ends it at once.
    """
    from engine.cli.logs import log_to_stderr

    log_to_stderr(workflows=True)
    return asyncio.run(_work(settings, grace, deploy=not no_deploy))


async def _work(settings: Settings, grace: float, *, deploy: bool) -> int:
    from engine.cli.deploying import deploy_folder
    from engine.cli.opening import open_node
    from engine.errors import NodeBusy

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    asked = partial(_asked_to_stop, stop, [])
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
    try:
        async with open_node(settings, grace_seconds=grace) as opened:
            if deploy and settings.workflows is not None and settings.workflows.exists():
                await deploy_folder(opened, settings.workflows)
            assert opened.node is not None
            say(_ready(settings, opened.node))
            await _until_stopped(stop, opened.node)
            if opened.node.failed is not None:
                raise opened.node.failed
            say("stopping: activities may finish; a second signal ends at once")
    except NodeBusy as error:
        hint = "one SQLite file has one worker; several will need PostgreSQL, in a later release"
        raise CommandFailed(error.message, hint=hint, exit_code=75) from error
    say("stopped")
    return OK


def _asked_to_stop(stop: asyncio.Event, first: list[float]) -> None:
    at = asyncio.get_running_loop().time()
    if first and at > first[0] + SAME_REQUEST_SECONDS:
        os._exit(INTERRUPTED)
    first.append(at)
    stop.set()


async def _until_stopped(stop: asyncio.Event, node: Node) -> None:
    waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(node.ended.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _ready(settings: Settings, node: Node) -> str:
    count = len(node.registry.names())
    queues = ", ".join(settings.queues)
    return f"working on {settings.database} (queues: {queues}; {count} activities); Ctrl-C stops"
