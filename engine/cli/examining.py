"""What `doctor` looks at: one function per check, each gives findings.

A finding is {check, result, told, mend}; `result` is ok, warning or error.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from engine.cli.deploying import compiled, near
from engine.cli.opening import load_activities, open_client
from engine.cli.times import ago, now
from engine.errors import EngineError, StorageError
from engine.storage.records import TERMINAL_STATUSES
from engine.values.instant import format_instant, parse_instant
from engine.values.version import parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.activities.registry import ActivityRegistry
    from engine.cli.opening import Opened
    from engine.cli.output import Columns
    from engine.cli.settings import Settings
    from engine.storage.records import Deployment
    from engine.values.json import JsonObject

COLUMNS: Final[Columns] = {
    "check": lambda one: one["check"],
    "result": lambda one: one["result"],
    "what": lambda one: one["told"] + (f"; {one['mend']}" if one["mend"] else ""),
}
# A database that is so much ahead of us was written by a clock that is right, or ours is.
SKEW_MICROSECONDS: Final = 5_000_000


def finding(check: str, result: str, told: str, mend: str | None = None) -> JsonObject:
    """One line of the report."""
    return {"check": check, "result": result, "told": told, "mend": mend}


async def examine(settings: Settings) -> tuple[list[JsonObject], bool]:
    """All findings, and whether the database could be opened."""
    found = [_settings(settings)]
    registry, told = _activities(settings)
    found.append(told)
    try:
        async with open_client(settings) as opened:
            found += [one async for one in _store(opened)]
            found += await _workflows(settings, opened)
            found += await _capabilities(settings, opened, registry)
    except StorageError as error:
        found.append(finding("database", "error", error.message, error.hint))
        return found, False
    return found, True


def _settings(settings: Settings) -> JsonObject:
    source = str(settings.source) if settings.source else "no file; defaults"
    return finding("settings", "ok", f"{source}; database {settings.database}")


def _activities(settings: Settings) -> tuple[ActivityRegistry | None, JsonObject]:
    from engine.activities.registry import ActivityRegistry

    try:
        registry = ActivityRegistry(load_activities(settings))
    except EngineError as error:
        return None, finding("activities", "error", error.message, error.hint)
    names = registry.names()
    modules = ", ".join(settings.activities) or "no modules"
    return registry, finding("activities", "ok", f"{len(names)} registered ({modules})")


async def _store(opened: Opened) -> Any:
    at = now()
    info = await opened.provider.info(now=at)
    details = info.details
    size = details.get("file_bytes")
    yield finding("database", "ok", f"{info.provider} {info.location}, {size} bytes")
    yield finding("schema", "ok", f"version {info.schema_version}")
    journal = str(details.get("journal_mode"))
    told = f"journal {journal}, synchronous FULL, SQLite {details.get('sqlite_version')}"
    if journal == "wal":
        yield finding("journal", "ok", told)
    else:
        yield finding("journal", "warning", told, "readers and the writer wait for each other")
    counts = await opened.provider.counts()
    open_ones = sum(n for (_, _, status), n in counts.items() if status not in TERMINAL_STATUSES)
    if info.node_alive:
        yield finding("node", "ok", f"alive ({info.node}); open instances: {open_ones}")
    elif open_ones:
        mend = "start `lockstep worker`"
        yield finding("node", "warning", f"none is alive; open instances: {open_ones}", mend)
    else:
        yield finding("node", "ok", "none is alive; nothing waits for one")
    suspended = sum(n for (_, _, status), n in counts.items() if status == "suspended")
    if suspended:
        mend = "see `lockstep list -s suspended`, then `lockstep resume ID`"
        yield finding("suspended", "warning", f"{suspended} instances", mend)
    stranded = await opened.provider.stranded(now=at)
    if stranded:
        shown = ", ".join(stranded[:5])
        mend = "this is a defect; please report it"
        yield finding("stranded", "error", f"{len(stranded)} instances: {shown}", mend)
    else:
        yield finding("stranded", "ok", "no instance is without a cause to go on")
    yield await _clock(opened, at)


async def _clock(opened: Opened, at: int) -> JsonObject:
    newest = await opened.client.list(limit=1)
    if newest:
        last = parse_instant(newest[0].updated_at)
        if last > at + SKEW_MICROSECONDS:
            told = f"the newest instance was written {ago(last, at)}"
            return finding("clock", "error", told, "this machine's clock is behind: set it")
    return finding("clock", "ok", f"{format_instant(at)}, not behind the database")


async def _workflows(settings: Settings, opened: Opened) -> list[JsonObject]:
    deployments = await opened.client.deployments()
    names = sorted({one.name for one in deployments})
    told = f"{len(deployments)} versions of {len(names)} workflows deployed"
    found = [finding("workflows", "ok", told)]
    if settings.workflows is None or not settings.workflows.exists():
        return found
    candidates, diagnostics = compiled(near(settings.workflows))
    errors = [one for one in diagnostics if one.severity == "error"]
    if errors:
        told = f"{len(errors)} findings in {near(settings.workflows)}"
        found.append(finding("files", "error", told, "see `lockstep check`"))
    stored = {(one.name, one.version): one.revision for one in deployments}
    locked = [
        f"{one.name} {one.version}"
        for one in candidates
        if stored.get((one.name, one.version), one.revision) != one.revision
    ]
    if locked:
        told = f"changed since they were locked: {', '.join(locked)}"
        found.append(finding("files", "error", told, "give them new versions"))
    if not errors and not locked:
        found.append(
            finding("files", "ok", f"{len(candidates)} workflows in {near(settings.workflows)}")
        )
    return found


async def _capabilities(
    settings: Settings, opened: Opened, registry: ActivityRegistry | None
) -> list[JsonObject]:
    """Whether this project can do what the versions in use ask for."""
    if registry is None:
        return []
    missing: dict[str, set[str]] = {}
    unserved: dict[str, set[str]] = {}
    for one in await _in_use(opened):
        graph = await opened.provider.graph(one.revision)
        if graph is None:
            return [finding("graphs", "error", f"the graph of {one.name} {one.version} is missing")]
        for activity, queue in _calls(json.loads(graph)):
            if activity not in registry:
                missing.setdefault(activity, set()).add(f"{one.name} {one.version}")
            if queue not in settings.queues:
                unserved.setdefault(queue, set()).add(f"{one.name} {one.version}")
    found = [
        finding("activities", "error", f"`{name}` is not registered", f"called by {_told(users)}")
        for name, users in sorted(missing.items())
    ]
    found += [
        finding("queues", "warning", f"`{name}` is not served here", f"used by {_told(users)}")
        for name, users in sorted(unserved.items())
    ]
    if not found:
        found.append(finding("capabilities", "ok", "every activity and queue in use is here"))
    return found


async def _in_use(opened: Opened) -> list[Deployment]:
    """The newest version of each name, and those on which something runs."""
    counts = await opened.provider.counts()
    running = {(name, v) for (name, v, status) in counts if status not in TERMINAL_STATUSES}
    stored = await opened.client.deployments()
    deployments = [one for one in stored if one.state != "pruned"]
    newest: dict[str, Deployment] = {}
    for one in deployments:
        known = newest.get(one.name)
        if known is None or parse_version(known.version) < parse_version(one.version):
            newest[one.name] = one
    return [
        one for one in deployments if newest[one.name] is one or (one.name, one.version) in running
    ]


def _calls(part: Any) -> Iterator[tuple[str, str]]:
    """Activity and queue of every activity step of a graph."""
    if isinstance(part, dict):
        if part.get("kind") == "activity" and isinstance(part.get("activity"), str):
            yield part["activity"], part.get("queue", "default")
        for name, inner in part.items():
            if name not in ("args", "input_schema", "output_schema"):
                yield from _calls(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _calls(inner)


def _told(users: set[str]) -> str:
    return ", ".join(sorted(users))
