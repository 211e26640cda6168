"""Verifying histories: of instances in the database, and of exported files."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.cli.deploying import compiled, tell_findings
from engine.cli.exits import NOT_FOUND, CommandFailed
from engine.cli.exported import page_of, read_export
from engine.cli.opening import open_client
from engine.errors import InstanceNotFound, ReplayError, SettingsError, StorageUnavailable
from engine.graph.revision import load_graph
from engine.interpreter.program import Program
from engine.interpreter.replay import replay
from engine.values.digest import short

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from engine.cli.opening import Opened
    from engine.cli.output import Columns
    from engine.cli.settings import Settings
    from engine.storage.records import Pin
    from engine.values.json import JsonObject

COLUMNS: Final[Columns] = {
    "instance": lambda one: one["instance_id"],
    "execution": lambda one: str(one["execution"]),
    "workflow": lambda one: f"{one['workflow']} {one['version']}",
    "revision": lambda one: short(one["revision"]),
    "events": lambda one: str(one["events"]),
    "result": lambda one: one["result"],
    "problem": lambda one: one["problem"] or "",
}


async def verify(
    settings: Settings, subjects: Sequence[str], workflow: Path | None
) -> list[JsonObject]:
    """One record per execution.

    Raises:
        InstanceNotFound: no instance, and no file, is called so.
        SettingsError: a file is no exported history.
        StorageUnavailable: the database is needed and cannot be opened.
    """
    given = _program(workflow) if workflow is not None else None
    files = {subject for subject in subjects if _is_file(subject)}
    records: list[JsonObject] = []
    async with AsyncExitStack() as stack:
        opened: Opened | None = None
        if given is None or files != set(subjects):
            opened = await _store(stack, settings, needed=files != set(subjects))
        for subject in subjects:
            if subject in files:
                records.append(await _file(opened, Path(subject), given))
            else:
                assert opened is not None
                records += [one async for one in _instance(opened, subject, given)]
    return records


async def _store(stack: AsyncExitStack, settings: Settings, *, needed: bool) -> Opened | None:
    try:
        return await stack.enter_async_context(open_client(settings))
    except StorageUnavailable:
        if needed:
            raise
        return None


def _is_file(subject: str) -> bool:
    return subject.endswith(".json") or Path(subject).is_file()


def _program(path: Path) -> Program:
    candidates, diagnostics = compiled(path)
    tell_findings(diagnostics)
    if len(candidates) != 1:
        raise CommandFailed(f"{path} does not compile")
    return Program(candidates[0].graph)


async def _stored(opened: Opened | None, name: str, version: str, revision: str) -> Program:
    graph = await opened.provider.graph(revision) if opened is not None else None
    if graph is None:
        raise CommandFailed(
            f"`{name}` {version}, revision {short(revision)}, is not in the database",
            hint="name its file: --workflow FILE",
            exit_code=NOT_FOUND,
        )
    return Program(load_graph(graph))


async def _file(opened: Opened | None, path: Path, given: Program | None) -> JsonObject:
    exported = read_export(path)
    try:
        page = page_of(exported)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error.message}") from error
    program = given or await _stored(opened, exported.workflow, exported.version, exported.revision)
    return {
        "instance_id": exported.instance_id,
        "execution": exported.execution,
        "workflow": exported.workflow,
        "version": exported.version,
        "revision": exported.revision,
        "events": len(exported.events),
        **_verdict(program, [page]),
    }


async def _instance(
    opened: Opened, instance_id: str, given: Program | None
) -> AsyncIterator[JsonObject]:
    executions = await opened.provider.executions(instance_id)
    if not executions:
        raise InstanceNotFound(instance_id)
    for one in executions:
        pin: Pin = one.pin
        program = given or await _stored(opened, pin.workflow, pin.version, pin.revision)
        pages: list[bytes] = []
        last = 0
        while found := await opened.provider.history(
            instance_id, execution=one.execution, after=last
        ):
            pages += [page.payload for page in found]
            last = found[-1].last_seq
        yield {
            "instance_id": instance_id,
            "execution": one.execution,
            "workflow": pin.workflow,
            "version": pin.version,
            "revision": pin.revision,
            "events": last,
            **_verdict(program, pages),
        }


def _verdict(program: Program, pages: list[bytes]) -> JsonObject:
    try:
        replay(program, pages)
    except ReplayError as error:
        return {"result": "diverges", "problem": error.message}
    return {"result": "ok", "problem": None}
