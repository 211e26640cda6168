"""`lockstep explain`: the page of a diagnostic code."""

from __future__ import annotations

import click

from engine.cli.exits import NOT_FOUND, OK, CommandFailed
from engine.cli.output import print_records


@click.command("explain")
@click.argument("code", required=False, metavar="[CODE]")
def command(code: str | None) -> int:
    """Explain a diagnostic code, for example E228; without a CODE list them all."""
    from difflib import get_close_matches

    from engine.definition.codes import CODES, explain

    if code is None:
        records = [{"code": one.code, "title": one.title} for one in CODES.values()]
        columns = {"code": lambda one: one["code"], "title": lambda one: one["title"]}
        print_records(records, columns, "table")
        return OK
    if code.upper() not in CODES:
        near = get_close_matches(code.upper(), CODES, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "`lockstep explain` lists them"
        raise CommandFailed(f"there is no diagnostic code `{code}`", hint=hint, exit_code=NOT_FOUND)
    click.echo(explain(code), nl=False)
    return OK
