"""Following an instance to its end, on a terminal as a tree, elsewhere in lines on stderr."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from engine.cli.clean import clean, clean_line
from engine.cli.exits import TIMED_OUT, CommandFailed
from engine.errors import (
    ClientError,
    InstanceCancelled,
    InstanceFailed,
    InstanceTerminated,
    ResultTimeout,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from engine.client.client import Client
    from engine.values.json import Json

ENDINGS: Final = (InstanceFailed, InstanceCancelled, InstanceTerminated)
MOST_CAUSES: Final = 20


@contextmanager
def progress_view(*, quiet: bool = False) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """What to give events to."""
    if quiet:
        yield lambda event: None
        return
    if sys.stderr.isatty():
        from engine.cli.tree_view import LiveTree

        with LiveTree() as live:
            yield live.add
        return
    from engine.cli.progress import Progress

    progress = Progress()

    def tell(event: Mapping[str, Any]) -> None:
        line = progress.line(event)
        if line is not None:
            click.echo(clean_line(line), err=True)

    yield tell


async def follow(
    client: Client,
    instance_id: str,
    take: Callable[[Mapping[str, Any]], None],
    *,
    timeout: float | None = None,  # noqa: ASYNC109 - the client takes it so
) -> Json:
    """Give every event to `take` until the instance ends; the output. Raises as `result`."""

    async def feed() -> None:
        async for event in client.events(instance_id):
            take(event)

    events = asyncio.create_task(feed())
    try:
        result = await client.result(instance_id, timeout)
    except ENDINGS:
        await events
        raise
    except BaseException:  # it goes on, so its events do not end by themselves
        events.cancel()
        await asyncio.gather(events, return_exceptions=True)
        raise
    await events
    return result


def not_completed(error: ClientError, instance_id: str) -> CommandFailed:
    """What a command says of an instance that ended otherwise, or not in time."""
    if isinstance(error, ResultTimeout):
        hint = f"it goes on while a `lockstep worker` runs: `lockstep watch {instance_id}`"
        return CommandFailed(error.message, hint=hint, exit_code=TIMED_OUT)
    tree = getattr(error, "error", None)
    text = f"{error.message}\n{error_tree(tree)}" if tree else error.message
    hint = f"`lockstep show {instance_id}` and `lockstep history {instance_id}` tell more"
    return CommandFailed(text, hint=hint)


def error_tree(error: Mapping[str, Any]) -> str:
    """An error with its causes, one below the other."""
    lines: list[str] = []
    cause: Any = error
    for depth in range(MOST_CAUSES):
        indent = "  " * depth
        lead = "caused by " if depth else ""
        message = clean(str(cause.get("message", ""))).replace("\n", f"\n{indent}  ")
        lines.append(f"{indent}{lead}{clean_line(str(cause.get('type')))}: {message}")
        lines += [f"{indent}  {fact}" for fact in _facts(cause)]
        cause = cause.get("cause")
        if not isinstance(cause, dict):
            break
    return "\n".join(lines)


def _facts(error: Mapping[str, Any]) -> Iterator[str]:
    if error.get("step"):
        attempt = error.get("attempt")
        tried = f", attempt {attempt}" if attempt is not None else ""
        yield f"at {clean_line(str(error['step']))}{tried}"
    if error.get("details") is not None:
        yield f"details {clean_line(json.dumps(error['details'], ensure_ascii=False))}"
