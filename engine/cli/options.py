"""Options that several commands share, and the arguments that take JSON."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import click

from engine.cli.settings import Settings, environment, load_settings
from engine.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.values.json import Json

P = ParamSpec("P")
R = TypeVar("R")

OUTPUTS: Final = ("table", "json", "jsonl", "yaml")
ON_DUPLICATE: Final = ("reject", "return_existing", "restart_if_finished", "terminate_and_restart")

_FLAGS: Final[dict[str, tuple[tuple[str, ...], dict[str, Any]]]] = {
    "database": (("--database",), {"metavar": "URL", "help": "Database of the instances."}),
    "workflows": (("--workflows",), {"metavar": "PATH", "help": "Folder of workflow files."}),
    "activities": (
        ("--activities",),
        {"metavar": "MODULE", "multiple": True, "help": "Module of activities; repeatable."},
    ),
    "queues": (
        ("--queue", "queues"),
        {"metavar": "NAME", "multiple": True, "help": "Task queue to serve; repeatable."},
    ),
    "config": (
        ("--config",),
        {"metavar": "K=V|JSON|@FILE", "multiple": True, "help": "What workflows read as `config`."},
    ),
}


def project_options(*names: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Options that override the settings called `names`; the command gets `settings`."""

    def decorate(function: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(function)
        def command(*args: Any, project: str | None, **given: Any) -> R:
            flags = {name: given.pop(name) for name in names}
            if flags.get("config"):
                flags["config"] = json_argument(flags["config"])
            settings = settings_of(project, flags)
            return function(*args, settings=settings, **given)

        wrapped: Callable[..., R] = command
        for name in reversed(names):
            words, details = _FLAGS[name]
            wrapped = click.option(*words, **details)(wrapped)
        return click.option(
            "--project", metavar="DIR", help="Folder of the project; here if left out."
        )(wrapped)

    return decorate


def settings_of(project: str | None, flags: dict[str, Any]) -> Settings:
    """The settings of the project in a folder. Raises `SettingsError`."""
    folder = Path(project) if project is not None else Path.cwd()
    if not folder.is_dir():
        raise SettingsError(f"there is no folder `{folder}`")
    return load_settings(folder, environment(), flags, here=Path.cwd())


def output_option(function: Callable[P, R]) -> Callable[P, R]:
    """`-o`: how data is written."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(OUTPUTS),
        default="table",
        show_default=True,
        help="How data is written to stdout.",
    )(function)


def utc_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--utc`: whole times instead of `3 min ago`."""
    return click.option("--utc", is_flag=True, help="Write times in full, in UTC.")(function)


def instance_argument(function: Callable[P, R]) -> Callable[P, R]:
    """The argument ID, which the shell completes."""
    return click.argument("id", metavar="ID", shell_complete=_complete_ids)(function)


def start_options(function: Callable[P, R]) -> Callable[P, R]:
    """What `run` and `start` take."""
    for decorate in (
        click.option(
            "--on-duplicate",
            type=click.Choice(ON_DUPLICATE),
            default="reject",
            show_default=True,
            help="What to do when the id is taken.",
        ),
        click.option("--version", metavar="RANGE", help="Exact, or a range such as `^1.2`."),
        click.option("--id", metavar="ID", help="Id of the instance; a random one if left out."),
        click.option(
            "-i",
            "--input",
            "inputs",
            multiple=True,
            metavar="K=V|JSON|@FILE",
            help="Input: a field, a JSON value, or a JSON file (`@-` is stdin); repeatable.",
        ),
    ):
        function = decorate(function)
    return function


def json_argument(texts: Sequence[str]) -> Json:
    """What `-i` options say together: fields are merged; another value stands alone.

    Raises:
        SettingsError: it is no JSON, or the parts cannot be merged.
    """
    if not texts:
        return None
    parts = [_part(text) for text in texts]
    if len(parts) == 1:
        return parts[0]
    merged: dict[str, Json] = {}
    for text, part in zip(texts, parts, strict=True):
        if not isinstance(part, dict):
            raise SettingsError(f"`{text}` is not an object, so it cannot be merged with others")
        merged.update(part)
    return merged


def _part(text: str) -> Json:
    if text.startswith("@"):
        return _json(_content(text[1:]), text)
    key, equals, value = text.partition("=")
    if equals and key.replace("-", "_").isidentifier():
        return {key: _field(value)}
    return _json(text, text)


def _content(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read()
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"`{name}` cannot be read: {error}") from error


def _field(value: str) -> Json:
    """JSON where it is JSON (`3`, `true`, `[1]`, `"3"`), else the text itself."""
    if value.startswith("@"):
        return _json(_content(value[1:]), value)
    try:
        return _loads(value)
    except ValueError:
        return value


def _json(text: str, shown: str) -> Json:
    try:
        return _loads(text)
    except ValueError as error:
        raise SettingsError(
            f"`{shown:.80}` is neither JSON nor `name=value`: {error}",
            hint="""for example: -i name=Ann, -i '{"name": "Ann"}', -i @input.json""",
        ) from error


def _loads(text: str) -> Json:
    try:
        value: Json = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def complete_workflows(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of workflows, for the shell."""
    from engine.cli.completing import workflow_names

    return workflow_names(ctx.params, incomplete)


def _complete_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from engine.cli.completing import instance_ids

    return instance_ids(ctx.params, incomplete)
