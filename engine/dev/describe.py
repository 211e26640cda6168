"""What activities a project has, found out in a process of its own.

The server itself never imports the project: what was imported once cannot be imported anew. A fresh
process imports the modules, records their source (`sources`), and describes their activities, or
says what is wrong.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from engine.activities.decorator import ActivityDefinition
from engine.activities.process.locator import locator_of
from engine.activities.registry import ActivityRegistry
from engine.dev.sources import Record, Recording
from engine.values.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

IMPORT_SECONDS: Final = 30.0
_PROGRAM: Final = """
import sys
sys.path[:] = {path!r}
from engine.dev.describe import describe
describe({root!r}, {modules!r}, {record!r}, {result!r})
"""


class Face(msgspec.Struct, frozen=True):
    """An activity as the node has to know it. Durations are microseconds."""

    name: str
    module: str
    qualname: str
    description: str
    retry: RetryPolicy | None
    timeout: int | None
    heartbeat: int | None
    idempotent: bool


class Described(msgspec.Struct, frozen=True):
    """What came of it: the activities, or what is wrong."""

    faces: tuple[Face, ...] = ()
    problem: str | None = None


def _path() -> list[str]:
    """Where this process imports from, `""` and relative entries included."""
    return [str(Path(entry).absolute()) for entry in sys.path]


async def describe_in_process(root: Path, modules: Sequence[str], record: Path) -> Described:
    """Import the modules in a fresh process; on success their source is in the file `record`."""
    result = record.with_suffix(".described")
    program = _PROGRAM.format(
        path=_path(), root=str(root), modules=list(modules), record=str(record), result=str(result)
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
    )
    try:
        async with asyncio.timeout(IMPORT_SECONDS):
            code = await process.wait()
    except TimeoutError:
        return Described(problem=f"the import did not end within {IMPORT_SECONDS:g} s")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not result.exists():
        return Described(problem=f"the import ended its process (exit code {code})")
    described = msgspec.json.decode(result.read_bytes(), type=Described)
    result.unlink()
    return described


def describe(root: str, modules: Sequence[str], record: str, result: str) -> None:
    """In the fresh process: import, record, describe."""
    recording = Recording(Path(root))
    sys.meta_path.insert(0, recording)
    try:
        registry = ActivityRegistry(importlib.import_module(name) for name in modules)
        faces = tuple(
            _face(definition)
            for name in registry.names()
            if (definition := registry.get(name)) is not None
        )
        Path(record).write_bytes(msgspec.json.encode(Record(recording.modules)))
        told = Described(faces)
    except BaseException as error:  # noqa: BLE001  # a module may raise anything, SystemExit too
        told = Described(problem=_problem(error, Path(root)))
    Path(result).write_bytes(msgspec.json.encode(told))


def _face(definition: ActivityDefinition) -> Face:
    place = locator_of(definition)
    return Face(
        definition.name,
        place.module,
        place.qualname,
        definition.description,
        definition.retry,
        definition.timeout,
        definition.heartbeat,
        definition.idempotent,
    )


def _problem(error: BaseException, root: Path) -> str:
    """The error, and where in the project's code it happened."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if Path(one.filename).is_relative_to(root)]
    place = f"{ours[-1].filename}:{ours[-1].lineno}: " if ours else ""
    return f"{place}{type(error).__name__}: {error}"


def definition_of_face(face: Face) -> ActivityDefinition:
    """The activity as this process can register it: it only names the function."""

    def elsewhere() -> None:
        raise RuntimeError(f"`{face.name}` runs in a subprocess only")

    function: Callable[[], None] = elsewhere
    function.__module__, function.__qualname__ = face.module, face.qualname
    return ActivityDefinition(
        name=face.name,
        function=function,
        description=face.description,
        retry=face.retry,
        timeout=face.timeout,
        heartbeat=face.heartbeat,
        isolation="process",
        idempotent=face.idempotent,
    )
