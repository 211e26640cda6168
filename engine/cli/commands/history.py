"""`lockstep history`: the events of one execution. As JSON it is what `lockstep replay` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from engine.cli.exits import OK
from engine.cli.options import instance_argument, output_option, project_options, utc_option
from engine.cli.output import print_json, print_table, print_yaml

if TYPE_CHECKING:
    from engine.cli.exported import Exported
    from engine.cli.settings import Settings


@click.command("history")
@instance_argument
@click.option("--execution", type=int, metavar="N", help="An earlier execution.")
@output_option
@utc_option
@project_options("database")
def command(settings: Settings, id: str, execution: int | None, output: str, utc: bool) -> int:
    """Print the history of an instance.

    With `-o json` it is an export that `lockstep replay` verifies anywhere; with `-o jsonl` one
    event a line.
    """
    from engine.cli.exported import document
    from engine.cli.opening import run_async

    exported = run_async(_history(settings, id, execution))
    if output == "table":
        from engine.cli.times import clock

        columns = {
            "seq": lambda one: str(one["seq"]),
            "at": lambda one: clock(one["at"], utc=utc),
            "kind": lambda one: one["kind"],
            "step": lambda one: one.get("path") or "",
            "what": _what,
        }
        print_table(exported.events, columns)
    elif output == "jsonl":
        for event in exported.events:
            print_json(event, compact=True)
    elif output == "json":
        print_json(document(exported))
    else:
        print_yaml(document(exported))
    return OK


async def _history(settings: Settings, instance_id: str, execution: int | None) -> Exported:
    from engine.cli.exported import Exported
    from engine.cli.opening import open_client

    async with open_client(settings) as opened:
        events = await opened.client.history(instance_id, execution)
        executions = {one.execution: one for one in await opened.provider.executions(instance_id)}
        wanted = max(executions, default=1) if execution is None else execution
        there = executions[wanted]
        return Exported(
            instance_id=instance_id,
            execution=wanted,
            workflow=there.pin.workflow,
            version=there.pin.version,
            revision=there.pin.revision,
            semantics=there.pin.semantics,
            status=there.status,
            events=events,
        )


def _what(event: dict[str, Any]) -> str:
    """The fields of an event that are not in columns of their own."""
    import json

    shown = {"seq", "at", "kind", "path", "execution", "instance_id", "config", "deadline"}
    if event["kind"].startswith("child"):
        shown = shown - {"instance_id"}
    parts = [
        f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in event.items()
        if key not in shown
    ]
    return " ".join(parts)
