"""`lockstep watch`: follow an instance until it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from engine.cli.exits import FAILED, INTERRUPTED, OK
from engine.cli.options import instance_argument, project_options
from engine.cli.output import is_terminal, print_json, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.cli.settings import Settings


@click.command("watch")
@instance_argument
@click.option(
    "-o",
    "--output",
    type=click.Choice(["tree", "lines", "jsonl"]),
    help="A live tree on a terminal, JSON lines elsewhere, if left out.",
)
@project_options("database")
def command(settings: Settings, id: str, output: str | None) -> int:
    """Follow an instance until it ends. Ends with 1 when the instance fails.

    Ctrl-C stops the watching, not the instance.
    """
    from engine.cli.opening import run_async

    chosen = output or ("tree" if is_terminal() else "jsonl")
    try:
        status = run_async(_watch(settings, id, chosen))
    except KeyboardInterrupt:
        say(f"{id} goes on")
        return INTERRUPTED
    return OK if status == "completed" else FAILED


async def _watch(settings: Settings, instance_id: str, output: str) -> str:
    from engine.cli.opening import open_client

    async with open_client(settings) as opened:
        if output == "tree":
            from rich.console import Console

            from engine.cli.tree_view import LiveTree

            with LiveTree(Console(highlight=False)) as live:
                async for event in opened.client.events(instance_id):
                    live.add(event)
        else:
            take = _printer(output)
            async for event in opened.client.events(instance_id):
                take(event)
        return (await opened.client.get(instance_id)).status


def _printer(output: str) -> Callable[[Mapping[str, Any]], None]:
    if output == "jsonl":
        return lambda event: print_json(dict(event), compact=True)
    from engine.cli.clean import clean_line
    from engine.cli.progress import Progress

    progress = Progress()

    def tell(event: Mapping[str, Any]) -> None:
        line = progress.line(event)
        if line is not None:
            click.echo(clean_line(line))

    return tell
