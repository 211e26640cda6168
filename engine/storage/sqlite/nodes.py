"""Who works on the store, and on which instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.errors import LeaseLost
from engine.storage.records import InstanceRecord, Lease
from engine.storage.sqlite import rows
from engine.storage.sqlite.queries import SQL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


def acquire(raw: sqlite3.Connection, node: str, now: int) -> Lease:
    """Make this the node; the lock on the file says that every former one is dead."""
    raw.execute(SQL["remove_nodes"])
    epoch = raw.execute(SQL["add_node"], (node, now)).lastrowid
    raw.execute(SQL["disown_all"])
    if epoch is None:
        raise LeaseLost(f"node `{node}` was not stored")
    return Lease(node, epoch)


def release(raw: sqlite3.Connection, lease: Lease) -> None:
    """End a lease; no error when it has ended already."""
    if raw.execute(SQL["remove_node"], (lease.epoch, lease.node)).rowcount:
        raw.execute(SQL["release_all"], (lease.epoch,))


def claimable(
    raw: sqlite3.Connection, now: int, limit: int, levels: Sequence[int] | None
) -> list[int]:
    """Keys of instances that `claim` would take. A read: an idle look takes no write lock."""
    keys: dict[int, None] = {}  # in order, each once
    listed = None if levels is None else msgspec.json.encode(levels).decode()
    for name in ("claimable_open", "claimable_due"):
        found = raw.execute(SQL[name], {"now": now, "limit": limit, "levels": listed})
        keys.update((key, None) for (key,) in found)
        if len(keys) >= limit:
            break
    return list(keys)[:limit]


def claim(raw: sqlite3.Connection, lease: Lease, keys: Sequence[int]) -> list[InstanceRecord]:
    """Take what is still free among `keys`."""
    require_lease(raw, lease)
    taken = [key for key in keys if raw.execute(SQL["claim"], (lease.epoch, key)).rowcount]
    return [
        rows.instance_record(raw.execute(SQL["record_by_key"], (key,)).fetchone()) for key in taken
    ]


def require_lease(raw: sqlite3.Connection, lease: Lease) -> None:
    """Raise `LeaseLost` unless the lease holds."""
    if raw.execute(SQL["node_commit"], (lease.epoch, lease.node)).fetchone() is None:
        raise LeaseLost(f"node `{lease.node}` holds the store no longer")


def suspend(raw: sqlite3.Connection, lease: Lease, instance_id: str, reason: str, now: int) -> None:
    """Set an instance of this lease aside."""
    require_lease(raw, lease)
    if not raw.execute(SQL["suspend"], (reason, now, instance_id, lease.epoch)).rowcount:
        raise LeaseLost(f"node `{lease.node}` does not own instance `{instance_id}`")


def resume(raw: sqlite3.Connection, instance_id: str, now: int) -> bool:
    """Make a suspended instance claimable again."""
    return raw.execute(SQL["resume"], (now, instance_id)).rowcount == 1
