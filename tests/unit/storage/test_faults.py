"""What an error of SQLite means."""

from __future__ import annotations

import sqlite3

import pytest

from engine.errors import StorageBroken, StorageError, StorageUnavailable
from engine.storage.sqlite.faults import is_passing, translate


def _error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("it says")
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_X"
    return error


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, StorageUnavailable),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StorageUnavailable),
        (sqlite3.SQLITE_FULL, StorageUnavailable),
        (sqlite3.SQLITE_CANTOPEN, StorageUnavailable),
        (sqlite3.SQLITE_READONLY_DBMOVED, StorageUnavailable),
        (sqlite3.SQLITE_IOERR_SHMSIZE, StorageUnavailable),
        (sqlite3.SQLITE_IOERR, StorageBroken),
        (sqlite3.SQLITE_IOERR_FSYNC, StorageBroken),
        (sqlite3.SQLITE_IOERR_WRITE, StorageBroken),
        (sqlite3.SQLITE_IOERR_READ, StorageBroken),
        (sqlite3.SQLITE_CORRUPT, StorageBroken),
        (sqlite3.SQLITE_NOTADB, StorageError),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, StorageError),
        (sqlite3.SQLITE_ERROR, StorageError),
    ],
)
def test_translation(code: int, expected: type[StorageError]) -> None:
    fault = translate(_error(code), "app.db")
    assert type(fault) is expected
    assert "app.db" in str(fault)
    assert "it says" in str(fault)


@pytest.mark.parametrize(
    ("code", "passing"),
    [
        (sqlite3.SQLITE_BUSY, True),
        (sqlite3.SQLITE_BUSY_RECOVERY, True),
        (sqlite3.SQLITE_LOCKED_SHAREDCACHE, True),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_IOERR_LOCK, False),
    ],
)
def test_only_locks_pass(code: int, passing: bool) -> None:
    assert is_passing(_error(code)) is passing


def test_an_error_without_code_is_a_defect() -> None:
    assert type(translate(sqlite3.ProgrammingError("no code"), "app.db")) is StorageError
