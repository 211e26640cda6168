"""The 'cluster' of the control plane: one SQLite file that stands for Kubernetes, DNS and the CMS.

The file is `LOCKSTEP_CLUSTER` (default `.lockstep/cluster.db`). It outlives the engine and knows
nothing of it; the activities change it and the demo and the tests look into it.

Rule 1: a change is one transaction.
Rule 2: what a call makes carries the caller's idempotency key, so that the same call made twice
makes it once, while another call for the same name is refused.

`LOCKSTEP_POD_POLLS` (default 2) says at which look a new pod or backup is found ready.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    name TEXT PRIMARY KEY, namespace TEXT NOT NULL, owner TEXT NOT NULL, made_by TEXT NOT NULL,
    state TEXT NOT NULL, message TEXT NOT NULL, actor_id TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS pods (
    name TEXT NOT NULL, namespace TEXT NOT NULL, storage_gb INTEGER NOT NULL,
    polls INTEGER NOT NULL, ready_after INTEGER NOT NULL, ip TEXT NOT NULL,
    PRIMARY KEY (namespace, name)
) STRICT;
CREATE TABLE IF NOT EXISTS dns (host TEXT PRIMARY KEY, name TEXT NOT NULL, ip TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS health (
    id INTEGER PRIMARY KEY, made_by TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    healthy INTEGER NOT NULL, error TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS images (
    name TEXT PRIMARY KEY, source TEXT NOT NULL, made_by TEXT NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS backups (
    job_id TEXT PRIMARY KEY, image TEXT NOT NULL, bytes INTEGER NOT NULL,
    polls INTEGER NOT NULL, ready_after INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS alerts (made_by TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
"""


def cluster_path() -> Path:
    """Where the cluster's file is."""
    return Path(os.environ.get("LOCKSTEP_CLUSTER", ".lockstep/cluster.db"))


def polls_until_ready() -> int:
    """At which look something new is found ready."""
    return int(os.environ.get("LOCKSTEP_POD_POLLS", "2"))


@contextmanager
def cluster() -> Iterator[sqlite3.Connection]:
    """One transaction on the cluster; rows are read by column name."""
    path = cluster_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=20, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()


def rows(query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """What a query finds, for those who only look."""
    with cluster() as database:
        return [dict(row) for row in database.execute(query, parameters)]
