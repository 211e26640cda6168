"""What any process may ask of the store: create, send, prune."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from engine.errors import VersionWithdrawn
from engine.storage.sqlite import reads
from engine.storage.sqlite.mail import Mail, is_pruned
from engine.storage.sqlite.queries import SQL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from engine.storage.records import Creation, InstanceRecord, Send

T = TypeVar("T")


def as_request(raw: sqlite3.Connection, foreign: bool, work: Callable[..., T], *args: object) -> T:
    """Do `work`; when it comes from another process, let the node notice."""
    result = work(raw, *args)
    if foreign:
        raw.execute(SQL["count_foreign_write"])
    return result


def create(raw: sqlite3.Connection, creations: Sequence[Creation]) -> list[InstanceRecord | None]:
    """Create each, or tell who has the id.

    Raises:
        VersionWithdrawn: a version has been pruned since it was chosen. Nothing was created.
    """
    mail = Mail(raw)
    taken: list[InstanceRecord | None] = []
    for creation in creations:
        made = mail.create(creation)
        if not made and is_pruned(raw, creation):
            raise VersionWithdrawn(creation.pin.workflow, creation.pin.version, "pruned", None)
        taken.append(None if made else reads.get(raw, creation.instance_id))
    return taken


def send(raw: sqlite3.Connection, sends: Sequence[Send]) -> list[InstanceRecord | None]:
    """Deliver each; return the receivers as they were."""
    mail = Mail(raw)
    receivers = [reads.get(raw, send.message.instance_id) for send in sends]
    for send in sends:
        mail.send(send)
    return receivers


def prune(raw: sqlite3.Connection, finished_before: int, limit: int) -> int:
    """Remove ended instances with everything that is theirs."""
    keys = [key for (key,) in raw.execute(SQL["prunable"], (finished_before, limit))]
    for key in keys:
        raw.execute(SQL["prune_pages"], {"key": key})
        raw.execute(SQL["prune_executions"], (key,))
        raw.execute(SQL["prune_instance"], (key,))
    return len(keys)
