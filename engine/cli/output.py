"""Data on stdout: as a table for people, as JSON, JSON lines or YAML for programs.

Rule 1: a table is coloured and folded only on a terminal; in a pipe it is plain and nothing in it
is cut.
Rule 2: nothing harmful to a terminal leaves here (see `clean`).
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from engine.cli.clean import clean, clean_json, clean_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from engine.values.json import Json

# Column title -> how its cell is had from a record.
Columns = dict[str, "Callable[[Any], str]"]

STYLES: Final = {
    "completed": "green",
    "running": "cyan",
    "pending": "cyan",
    "suspended": "yellow",
    "failed": "red",
    "cancelled": "magenta",
    "terminated": "magenta",
    "ok": "green",
    "warning": "yellow",
    "error": "red",
    "diverges": "red",
}


def is_terminal() -> bool:
    """Whether stdout is looked at by a person."""
    return sys.stdout.isatty()


def say(text: str = "") -> None:
    """A line of progress, to stderr."""
    click.echo(clean(text), err=True)


def colour(err: bool = False) -> bool:
    """Whether to colour what goes to stdout (or stderr)."""
    stream = sys.stderr if err else sys.stdout
    return stream.isatty() and "NO_COLOR" not in os.environ


def print_json(value: Json, *, compact: bool = False) -> None:
    """One JSON value."""
    layout: dict[str, Any] = {"separators": (",", ":")} if compact else {"indent": 2}
    click.echo(clean_json(json.dumps(value, ensure_ascii=False, **layout)))


def print_records(
    records: Sequence[Mapping[str, Any]], columns: Columns, output: str, *, empty: str = ""
) -> None:
    """Several records; `empty` is what to say to a person when there is none."""
    if output == "table":
        if not records and empty:
            say(empty)
        print_table(records, columns)
    elif output == "jsonl":
        for record in records:
            print_json(dict(record), compact=True)
    elif output == "json":
        print_json([dict(record) for record in records])
    else:
        print_yaml([dict(record) for record in records])


def print_record(record: Mapping[str, Any], lines: Mapping[str, str], output: str) -> None:
    """One record; `lines` are what a person sees of it."""
    if output == "table":
        width = max(map(len, lines), default=0)
        for title, text in lines.items():
            shown = clean(text).replace("\n", "\n" + " " * (width + 2))
            head = click.style(f"{title:<{width}}", bold=True)
            click.echo(f"{head}  {shown}", color=colour())
    elif output == "yaml":
        print_yaml(dict(record))
    else:
        print_json(dict(record), compact=output == "jsonl")


def print_yaml(value: Json) -> None:
    """One YAML document."""
    from engine.cli.yaml_text import yaml_text

    click.echo(clean(yaml_text(value)), nl=False)


def print_table(records: Iterable[Any], columns: Columns) -> None:
    """A table: rich on a terminal, plain elsewhere."""
    rows = [[clean_line(cell(record)) for cell in columns.values()] for record in records]
    if not rows:
        return
    if is_terminal():
        _print_rich(list(columns), rows)
        return
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in ([title.upper() for title in columns], *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _print_rich(titles: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    Console(highlight=False).print(table)
