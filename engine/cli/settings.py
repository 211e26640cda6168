"""Project settings: where the database, the workflows and the activities are.

They stand in `lockstep.toml`, or under `[tool.lockstep]` of `pyproject.toml`, of the nearest folder
upwards. Each is overridden by its `LOCKSTEP_*` variable, and that by its flag. Nothing is needed:
without any file, the folder the command is called in is the project. The table of them is FIELDS.

Rule 1: a path in a settings file counts from that file; one in a variable or flag from the working
folder.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from engine.errors import SettingsError
from engine.values.json import JsonObject

FILE: Final = "lockstep.toml"
PROJECT_FILE: Final = "pyproject.toml"
DATABASE_FILE: Final = ".lockstep/lockstep.db"
SQLITE: Final = "sqlite:///"

Kind = Literal["url", "path", "names", "mapping"]


class Field(msgspec.Struct, frozen=True):
    """One setting: its name in the file, and what it is."""

    name: str
    kind: Kind
    default: str
    text: str

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return f"LOCKSTEP_{self.name.upper()}"


FIELDS: Final = (
    Field(
        "database",
        "url",
        f"`{SQLITE}{DATABASE_FILE}` beside the settings",
        "Where instances live: `sqlite:///relative.db`, `sqlite:////absolute.db`.",
    ),
    Field(
        "workflows",
        "path",
        "`workflows` if there is such a folder",
        "The folder of workflow files that `run` and `worker` deploy first.",
    ),
    Field(
        "activities",
        "names",
        "`activities` if there is such a module",
        "Python modules that hold the activities, as they are imported from the project's folder.",
    ),
    Field("queues", "names", "`default`", "Task queues that `run` and `worker` serve."),
    Field(
        "config",
        "mapping",
        "empty",
        "What workflows read as `config`; pinned by an instance when it starts.",
    ),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force. `source` is the file they come from, if there is one."""

    root: Path
    source: Path | None
    database: str
    workflows: Path | None
    activities: tuple[str, ...]
    queues: tuple[str, ...]
    config: JsonObject


def load_settings(
    folder: Path,
    environment: Mapping[str, str],
    flags: Mapping[str, Any] | None = None,
    *,
    here: Path | None = None,
) -> Settings:
    """The settings of the project that `folder` belongs to.

    Paths in `environment` and `flags` count from `here`; from `folder` if left out.

    Raises:
        SettingsError: a file, variable or flag cannot be used.
    """
    root, source, table = _find(folder.absolute())
    stated = _of_file(table, source, root)
    base = folder.absolute() if here is None else here
    stated.update(_of_environment(environment, base))
    stated.update(_of_flags(flags or {}, base))
    stated.setdefault("database", f"{SQLITE}{root / DATABASE_FILE}")
    if "workflows" not in stated:
        stated["workflows"] = found if (found := root / "workflows").is_dir() else None
    if "activities" not in stated:
        there = (root / "activities.py").is_file() or (root / "activities/__init__.py").is_file()
        stated["activities"] = ("activities",) if there else ()
    return Settings(
        root=root,
        source=source,
        database=stated["database"],
        workflows=stated["workflows"],
        activities=stated["activities"],
        queues=stated.get("queues", ("default",)),
        config=stated.get("config", {}),
    )


def _find(folder: Path) -> tuple[Path, Path | None, dict[str, Any]]:
    for place in (folder, *folder.parents):
        own = place / FILE
        if own.is_file():
            return place, own, _read(own)
        project = place / PROJECT_FILE
        if project.is_file():
            table = _read(project).get("tool", {}).get("lockstep")
            if table is not None:
                return place, project, table
    return folder, None, {}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error


def _of_file(table: object, source: Path | None, root: Path) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise SettingsError(f"{source}: `tool.lockstep` is not a table")
    known = {field.name: field for field in FIELDS}
    stated: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}"
            raise SettingsError(f"{source}: there is no setting `{name}`", hint=hint)
        stated[name] = _checked(known[name], value, root, f"{source}: `{name}`")
    return stated


def _of_environment(environment: Mapping[str, str], folder: Path) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    for field in FIELDS:
        text = environment.get(field.variable)
        if text:
            stated[field.name] = _checked(field, _parsed(field, text), folder, field.variable)
    return stated


def _of_flags(flags: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    given = {name: value for name, value in flags.items() if value not in (None, ())}
    return {
        field.name: _checked(field, given[field.name], folder, f"--{field.name}")
        for field in FIELDS
        if field.name in given
    }


def _parsed(field: Field, text: str) -> Any:
    if field.kind == "names":
        return [part.strip() for part in text.split(",") if part.strip()]
    if field.kind != "mapping":
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError(f"{field.variable} is not JSON: {error}") from error


def _checked(field: Field, value: Any, base: Path, where: str) -> Any:
    match field.kind:
        case "url" if isinstance(value, str) and value:
            return _absolute(value, base)
        case "path" if isinstance(value, str | Path) and str(value):
            return base / value
        case "names" if _is_names(value):
            return tuple(value)
        case "mapping" if isinstance(value, dict):
            return _json(value, where)
    wanted = {"url": "a URL", "path": "a path", "names": "a list of names", "mapping": "a table"}
    raise SettingsError(f"{where} is {wanted[field.kind]}, not {json.dumps(value, default=str)}")


def _is_names(value: object) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(one, str) and one for one in value)
    )


def _absolute(url: str, base: Path) -> str:
    """A SQLite URL that means the same from any working folder."""
    if "://" not in url:
        return f"{SQLITE}{base / url}"
    path = url.removeprefix(SQLITE)
    if path == url or not path or path == ":memory:":
        return url
    return f"{SQLITE}{base / path}"


def _json(value: dict[str, Any], where: str) -> JsonObject:
    """A TOML table as JSON; its dates and times become text."""
    try:
        decoded: JsonObject = json.loads(json.dumps(value, default=_moment, allow_nan=False))
    except ValueError as error:
        raise SettingsError(f"{where} holds a number that JSON has not: {error}") from error
    return decoded


def _moment(value: Any) -> str:
    return str(value.isoformat())


def environment() -> Mapping[str, str]:
    """The variables of this process."""
    return os.environ
