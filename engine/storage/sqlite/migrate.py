"""Brings a database file to the schema of this build.

Rule 1: migrations are numbered files without a gap, applied in order, never edited once released.
Rule 2: each is one transaction that ends by setting `user_version`, so a process killed inside one
leaves the file as it was before, and the next process goes on from there.
Rule 3: two processes may open a new file at once: the version is read under the write lock.
"""

from __future__ import annotations

import sqlite3
from importlib import resources
from typing import TYPE_CHECKING

from engine.errors import StorageError
from engine.storage.sqlite.queries import SQL

if TYPE_CHECKING:
    from collections.abc import Sequence


def load_migrations() -> tuple[str, ...]:
    """The texts of all migrations; the first brings version 0 to 1."""
    folder = resources.files(__package__).joinpath("migrations")
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda f: f.name
    )
    numbers = [int(file.name[:4]) for file in files]
    if numbers != list(range(1, len(files) + 1)):
        raise StorageError(f"the migrations are not numbered without a gap: {numbers}")
    return tuple(file.read_text(encoding="utf-8") for file in files)


def migrate(raw: sqlite3.Connection, migrations: Sequence[str]) -> int:
    """Apply what is missing; return the schema version.

    Raises:
        StorageError: the file is newer than this build.
    """
    while True:
        version = schema_version(raw)
        if version > len(migrations):
            raise StorageError(
                f"the database has schema version {version}, this build knows {len(migrations)}",
                hint="use the newer build that wrote it",
            )
        if version == len(migrations):
            return version
        _apply(raw, version, migrations[version])


def schema_version(raw: sqlite3.Connection) -> int:
    """The number of the last migration that was applied."""
    version: int = raw.execute(SQL["schema_version"]).fetchone()[0]
    return version


def split_statements(text: str) -> list[str]:
    """The statements of a script; a trigger is one."""
    statements: list[str] = []
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    if any(line.strip() and not line.startswith("--") for line in pending.splitlines()):
        raise StorageError(f"a migration ends in the middle of a statement: {pending.strip()}")
    return statements


def _apply(raw: sqlite3.Connection, version: int, text: str) -> None:
    raw.execute(SQL["begin_write"])
    try:
        if schema_version(raw) == version:
            for statement in split_statements(text):
                raw.execute(statement)
        raw.execute(SQL["commit"])
    except BaseException:
        if raw.in_transaction:
            raw.execute(SQL["rollback"])
        raise
