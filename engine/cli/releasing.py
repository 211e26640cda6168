"""What the commands of releases share: the folder, how findings are written, files that fail."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from engine.cli.clean import clean_json
from engine.cli.deploying import findings_text, harmless, near, tell_findings
from engine.cli.exits import CommandFailed
from engine.cli.output import colour
from engine.errors import DefinitionError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from engine.cli.settings import Settings
    from engine.definition.diagnostic import Diagnostic

P = ParamSpec("P")
R = TypeVar("R")
FORMATS = ("text", "json", "sarif", "github")


def format_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--format`: how findings are written."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        help="How findings are written to stdout.",
    )(function)


def workflow_folder_of(settings: Settings) -> Path:
    """The project's workflow folder. Raises `SettingsError`."""
    if settings.workflows is None:
        raise SettingsError("there are no workflows here", hint="name their folder: --workflows")
    return near(settings.workflows)


def print_findings(found: Sequence[Diagnostic], form: str) -> None:
    """Findings on stdout; as text, with their source lines."""
    from engine import __version__
    from engine.definition.output_formats import to_github, to_json_text, to_sarif

    match form:
        case "json":
            click.echo(clean_json(to_json_text(found)), nl=False)
        case "sarif":
            click.echo(clean_json(to_sarif(found, engine_version=__version__)), nl=False)
        case "github":
            click.echo(to_github([harmless(one) for one in found]), nl=False)
        case _:
            if found:
                click.echo(findings_text(found, coloured=colour()), color=colour())


@contextmanager
def telling_findings() -> Iterator[None]:
    """A file that does not compile is told with its source lines."""
    try:
        yield
    except DefinitionError as error:
        tell_findings(error.diagnostics)
        raise CommandFailed("not everything compiles; nothing was written") from error
