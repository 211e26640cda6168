"""Moves a running execution to another revision (G18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import StorageError
from engine.storage.sqlite.queries import SQL

if TYPE_CHECKING:
    import sqlite3

    from engine.storage.records import Rebase


def rebase(raw: sqlite3.Connection, move: Rebase) -> bool:
    """Record the move and fence off whoever owned the instance; False when it has gone on.

    Raises:
        StorageError: the page does not follow the history; that is a defect of the caller.
    """
    page = move.page
    if (page.execution, page.first_seq) != (move.execution, move.expected_seq + 1):
        raise StorageError(f"instance `{move.instance_id}`: the page of the move leaves a gap")
    moved = raw.execute(
        SQL["rebase"],
        (
            move.pin.version,
            move.pin.revision,
            page.last_seq,
            move.open_activities,
            move.open_waits,
            move.at,
            move.instance_id,
            move.execution,
            move.expected_seq,
            move.pin.workflow,
            move.pin.semantics,
        ),
    ).rowcount
    if not moved:
        return False
    added = (page.execution, page.first_seq, page.last_seq, page.payload, move.instance_id)
    raw.execute(SQL["add_page"], added)
    raw.execute(SQL["drop_snapshot"], (move.instance_id,))
    return True
