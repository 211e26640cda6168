"""The reads: plain functions over one snapshot."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from engine.storage.records import (
    ExecutionRecord,
    InstanceFilter,
    InstanceRecord,
    LoadedInstance,
    Page,
    Snapshot,
    Status,
    StoredMessage,
)
from engine.storage.sqlite import rows
from engine.storage.sqlite.queries import SQL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_NEWEST = sys.maxsize
_NO_LIMIT = -1
_LAST_CHARACTER = chr(sys.maxunicode)
_ALL_STATUSES: tuple[str, ...] = get_args(Status)


def get(raw: sqlite3.Connection, instance_id: str) -> InstanceRecord | None:
    """One instance."""
    row = raw.execute(SQL["record"], (instance_id,)).fetchone()
    return None if row is None else rows.instance_record(row)


def load(raw: sqlite3.Connection, instance_ids: Sequence[str], now: int) -> list[LoadedInstance]:
    """What live states are rebuilt from."""
    loaded = (_load(raw, instance_id, now) for instance_id in instance_ids)
    return [one for one in loaded if one is not None]


def _load(raw: sqlite3.Connection, instance_id: str, now: int) -> LoadedInstance | None:
    row = raw.execute(SQL["record"], (instance_id,)).fetchone()
    if row is None:
        return None
    key, record = row[0], rows.instance_record(row)
    saved = raw.execute(SQL["snapshot"], (key, record.execution)).fetchone()
    snapshot = None if saved is None else Snapshot(*saved)
    after = 0 if snapshot is None else snapshot.seq
    pages = _pages(raw, key, record.execution, after, _NO_LIMIT)
    return LoadedInstance(record, snapshot, tuple(pages), tuple(_inbox(raw, instance_id, now)))


def history(
    raw: sqlite3.Connection, instance_id: str, execution: int, after: int, limit: int
) -> list[Page]:
    """Pages of any execution."""
    for name in ("pages_of_current", "pages_of_archived"):
        row = raw.execute(SQL[name], (instance_id, execution)).fetchone()
        if row is not None:
            return _pages(raw, row[0], execution, after, limit)
    return []


def executions(raw: sqlite3.Connection, instance_id: str) -> list[ExecutionRecord]:
    """All executions of an instance."""
    found = raw.execute(SQL["executions"], {"id": instance_id})
    return [rows.execution_record(row) for row in found]


def due_messages(
    raw: sqlite3.Connection, epoch: int, now: int, after: int, limit: int
) -> list[StoredMessage]:
    """Visible messages of what a lease owns."""
    found = raw.execute(SQL["due_messages"], (now, epoch, after, limit))
    return [rows.message(row) for row in found]


def next_due(raw: sqlite3.Connection, now: int) -> int | None:
    """The next moment at which a message becomes visible."""
    moment: int | None = raw.execute(SQL["next_due"], (now,)).fetchone()[0]
    return moment


def _inbox(raw: sqlite3.Connection, instance_id: str, now: int) -> list[StoredMessage]:
    found = raw.execute(SQL["inbox"], {"id": instance_id, "now": now})
    return [rows.message(row) for row in found]


def list_instances(
    raw: sqlite3.Connection, where: InstanceFilter, after: str | None, limit: int
) -> list[InstanceRecord]:
    """A page of instances by the query whose index fits the filter best."""
    before = _NEWEST
    if after is not None:
        row = raw.execute(SQL["key_before"], (after,)).fetchone()
        if row is None:
            return []
        before = row[0]
    statuses = _ALL_STATUSES if where.status is None else where.status
    parameters: dict[str, Any] = {
        "before": before,
        "limit": limit,
        "statuses": msgspec.json.encode(statuses).decode(),
        "workflow": where.workflow,
        "workflow_from": where.workflow or "",
        "workflow_to": where.workflow or _LAST_CHARACTER,
        "version": where.version,
        "parent": where.parent_id,
        "prefix": where.id_prefix,
        "prefix_end": (where.id_prefix or "") + _LAST_CHARACTER,
    }
    found = raw.execute(SQL[_list_query(where)], parameters)
    return [rows.instance_record(row) for row in found]


def _list_query(where: InstanceFilter) -> str:
    if where.id_prefix:
        return "list_prefix"
    if where.parent_id is not None:
        return "list_children"
    if where.status is None and where.workflow is None and where.version is None:
        return "list_all"
    return "list_kind"


def counts(raw: sqlite3.Connection) -> dict[tuple[str, str, str], int]:
    """How many instances there are of each kind."""
    return {(row[0], row[1], row[2]): row[3] for row in raw.execute(SQL["counts"])}


def stranded(raw: sqlite3.Connection) -> list[str]:
    """Live instances without a pending cause."""
    return [row[0] for row in raw.execute(SQL["stranded"])]


def state(raw: sqlite3.Connection) -> tuple[str | None, dict[str, Any]]:
    """The node that acquired last and did not release; schema and size of the file."""
    row = raw.execute(SQL["current_node"]).fetchone()
    names = ("schema_version", "journal_mode", "page_count", "freelist_count", "page_size")
    figures = {name: raw.execute(SQL[name]).fetchone()[0] for name in names}
    return None if row is None else row[0], figures


def _pages(raw: sqlite3.Connection, key: int, execution: int, after: int, limit: int) -> list[Page]:
    found = raw.execute(
        SQL["pages"], {"instance": key, "execution": execution, "after": after, "limit": limit}
    )
    return [rows.page(row) for row in found]
