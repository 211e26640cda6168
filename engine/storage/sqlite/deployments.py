"""Versions and their revisions (G15). Triggers in the schema keep them from changing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.storage.sqlite import rows
from engine.storage.sqlite.queries import SQL

if TYPE_CHECKING:
    import sqlite3

    from engine.storage.records import Deployment


def deploy(raw: sqlite3.Connection, new: Deployment, graph: bytes) -> Deployment:
    """Store a version unless it is there; return what is there."""
    row = raw.execute(SQL["deployment"], (new.name, new.version)).fetchone()
    if row is not None:
        return rows.deployment(row)
    raw.execute(SQL["add_revision"], (new.revision, graph))
    raw.execute(
        SQL["add_deployment"],
        (
            new.name,
            new.version,
            new.revision,
            new.source,
            new.source_digest,
            new.deployed_at,
            new.actor,
            new.commit,
        ),
    )
    return new


def deployments(raw: sqlite3.Connection, name: str | None) -> list[Deployment]:
    """All versions, or those of one workflow."""
    if name is None:
        found = raw.execute(SQL["deployments"])
    else:
        found = raw.execute(SQL["deployments_of"], (name,))
    return [rows.deployment(row) for row in found]


def graph(raw: sqlite3.Connection, revision: str) -> bytes | None:
    """The graph of a revision."""
    row = raw.execute(SQL["graph"], (revision,)).fetchone()
    return None if row is None else row[0]
