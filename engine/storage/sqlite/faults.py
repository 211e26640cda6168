"""What an error of SQLite means to the runtime.

=================  =====================  ========================================================
SQLite says        we raise               because
=================  =====================  ========================================================
BUSY, LOCKED       (retried)              another process is writing for a moment
FULL               StorageUnavailable     nothing was stored; it works again when there is space
CANTOPEN, READONLY StorageUnavailable     the place is wrong or not writable
PERM, NOMEM        StorageUnavailable     the machine refuses now
IOERR (write,      StorageBroken          what the disk holds is unknown
fsync …), CORRUPT
anything else      StorageError           a defect here, or not our file
=================  =====================  ========================================================
"""

from __future__ import annotations

import sqlite3
from typing import Final

from engine.errors import StorageBroken, StorageError, StorageUnavailable

_PRIMARY: Final = 0xFF
_PASSING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_UNAVAILABLE: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_BROKEN: Final = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT})
# I/O errors before anything was written: no memory, or no space for the shared index of the log.
_HARMLESS_IO: Final = frozenset(
    {
        sqlite3.SQLITE_IOERR_NOMEM,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMOPEN,
        sqlite3.SQLITE_IOERR_SHMMAP,
    }
)


def is_passing(error: sqlite3.Error) -> bool:
    """Whether the same call may succeed a moment later."""
    return _code(error) & _PRIMARY in _PASSING


def translate(error: sqlite3.Error, location: str) -> StorageError:
    """The error of our tree for one of SQLite's."""
    code = _code(error)
    primary = code & _PRIMARY
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    message = f"{location}: {error} ({name})"
    if primary in _PASSING:
        return StorageUnavailable(message, hint="another process keeps the database busy")
    if primary == sqlite3.SQLITE_FULL:
        return StorageUnavailable(message, hint="free some space; no restart is needed")
    if primary in _UNAVAILABLE or code in _HARMLESS_IO:
        return StorageUnavailable(message)
    if primary in _BROKEN:
        return StorageBroken(message, hint="check the disk, then restart the node")
    if primary == sqlite3.SQLITE_NOTADB:
        return StorageError(message, hint="this is no database of ours; choose another path")
    return StorageError(message)


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) or 0
