"""`lockstep dev`: work on instances, and take over what is saved."""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from typing import TYPE_CHECKING

import click

from engine.cli.exits import OK
from engine.cli.options import project_options
from engine.cli.output import say

if TYPE_CHECKING:
    from pathlib import Path

    from engine.cli.settings import Settings
    from engine.dev.session import Event, Options

DATABASE = ".lockstep/dev.db"


@click.command("dev")
@click.option("--database", metavar="URL", help=f"Development database; `{DATABASE}` if left out.")
@click.option(
    "--restart-running",
    is_flag=True,
    help="End running instances of a saved workflow and start them again on the new version.",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="How many activities may run at once; each has a subprocess.",
)
@project_options("workflows", "activities", "queues", "config")
def command(settings: Settings, database: str | None, restart_running: bool, processes: int) -> int:
    """Work on instances and take over what is saved.

    A saved workflow file becomes a development version, `1.2.0-dev.<revision>`, which new starts
    get; running instances stay on theirs. A saved activity module is imported in fresh
    subprocesses. What does not compile or import is told, and the last good one stays. Other
    commands find the database by LOCKSTEP_DATABASE. A database in use for anything else is
    refused. Ctrl-C stops it.
    """
    from engine.cli.logs import log_to_stderr
    from engine.dev.session import Options

    log_to_stderr(workflows=True)
    options = Options(
        root=settings.root,
        database=database or f"sqlite:///{settings.root / DATABASE}",
        workflows=settings.workflows or settings.root / "workflows",
        modules=settings.activities,
        queues=settings.queues,
        config=settings.config,
        processes=processes,
        restart_running=restart_running,
    )
    return asyncio.run(_serve(options))


async def _serve(options: Options) -> int:
    from engine.dev.session import open_session

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_session(options, partial(_tell, root=options.root)) as session:
        say(f"watching {options.workflows} on {options.database}; Ctrl-C stops")
        say(f"for other commands: export LOCKSTEP_DATABASE={options.database}")
        await session.run(stop)
        say("stopping: activities may finish")
    say("stopped")
    return OK


def _tell(event: Event, *, root: Path) -> None:
    from engine.cli.deploying import tell_findings
    from engine.dev.saving import Gone, Refused, Saved
    from engine.dev.session import Broken, Reloaded, Restarted

    match event:
        case Saved():
            say(f"saved: {event.name} {event.version}")
        case Refused():
            tell_findings(event.diagnostics)
            say(f"refused: {_near(event.file, root)}; new starts get the last good version")
        case Gone():
            say(f"gone: {_near(event.file, root)}; new starts get its last good version")
        case Reloaded():
            say(f"activities imported: {len(event.activities)} (generation {event.generation})")
        case Broken():
            last = "the last good code stays" if event.generation else "no activity can run"
            say(f"activities do not import, {last}: {event.problem}")
        case Restarted(problem=None):
            say(f"restarted: {event.instance_id} on {event.version}")
        case Restarted():
            say(f"not restarted: {event.instance_id}: {event.problem}")


def _near(file: str, root: Path) -> str:
    return file.removeprefix(f"{root}/")
