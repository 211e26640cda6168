"""The reference of the command line in docs/cli.md, made from the commands themselves.

`python -m tests.cli.reference` writes it anew; `test_reference` compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from engine.cli.exits import MEANINGS
from engine.cli.main import COMMANDS, Session, cli
from engine.cli.settings import FIELDS

DOCS = Path(__file__).parents[2] / "docs"
BEGIN = "<!-- made from the commands: python -m tests.cli.reference -->"
END = "<!-- end -->"


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command with a context to print its help in."""
    above = click.Context(cli, info_name="lockstep", obj=Session(), **cli.context_settings)
    for name in COMMANDS:
        command = cli.get_command(above, name)
        assert command is not None
        yield name, command, click.Context(command, info_name=name, parent=above)


def cli_reference() -> str:
    """The commands by section, then the exit codes."""
    lines: list[str] = []
    last = ""
    for name, command, context in commands():
        section, text = COMMANDS[name]
        if section != last:
            lines += [f"## {section}", ""]
            last = section
        lines += [f"### lockstep {name}", "", *_usage(command, context), ""]
        lines += [*_paragraphs(command.help or text), ""]
        lines += ["| option | |", "|---|---|"]
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None and record[1]:  # arguments are told in the text
                option, told = (part.replace("|", "\\|") for part in record)
                lines.append(f"| `{option}` | {told} |")
        lines.append("")
    lines += ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(lines) + "\n"


def settings_reference() -> str:
    """The table of settings."""
    lines = ["| setting | default | variable | |", "|---|---|---|---|"]
    lines += [f"| `{one.name}` | {one.default} | `{one.variable}` | {one.text} |" for one in FIELDS]
    return "\n".join(lines) + "\n"


def replaced(page: str, made: str) -> str:
    """The page with its made part renewed."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{made}\n{END}{after}"


def _usage(command: click.Command, context: click.Context) -> list[str]:
    return ["```text", f"lockstep {context.info_name} {' '.join(command.collect_usage_pieces(context))}", "```"]  # fmt: skip  # noqa: E501


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("\n\n") for part in (part, "")][:-1]


PAGES = {"cli.md": cli_reference, "settings.md": settings_reference}

if __name__ == "__main__":
    for name, make in PAGES.items():
        path = DOCS / name
        path.write_text(replaced(path.read_text(), make()))
