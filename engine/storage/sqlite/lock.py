"""The lock that makes one process the node of a database file.

Rule 1: the kernel holds the lock (`flock` on `<database>.node`), so it ends with the process,
however that ends, and a restart need not wait.
Rule 2: the file is never removed: a lock on a removed file would exclude nobody.
Rule 3: a forked child gives up its copy at once, else it would hold its dead parent's lock.
The text in the file (the holder's process id) is for messages only.
"""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from typing import TYPE_CHECKING, Final

from engine.errors import NodeBusy, StorageUnavailable

if TYPE_CHECKING:
    from pathlib import Path

# Whoever asks `holder` takes the lock for a few microseconds; that must not look like a node.
_TRIES: Final = 5
_PAUSE_SECONDS: Final = 0.01


class NodeLock:
    """The lock beside one database file; free until `acquire`."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".node")
        self._database = database
        self._descriptor: int | None = None
        self._minds_forks = False

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            NodeBusy: a live process has it; the message names its process id.
            StorageUnavailable: the lock file cannot be written.
        """
        if self._descriptor is not None:
            raise self._busy()
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageUnavailable(f"cannot lock {self._database}: {error.strerror}") from error
        if not _try_lock(descriptor):
            os.close(descriptor)
            raise self._busy()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        if not self._minds_forks:  # there is no way to unregister
            this = weakref.ref(self)
            os.register_at_fork(after_in_child=lambda: _forget(this))
            self._minds_forks = True

    def release(self) -> None:
        """Give the lock back; no error when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def taken(self) -> bool:
        """Whether any live process, this one included, holds the lock."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False  # no lock file: there never was a node
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _busy(self) -> NodeBusy:
        try:
            holder = self.path.read_text(encoding="ascii").strip() or "unknown"
        except (OSError, UnicodeDecodeError):
            holder = "unknown"
        return NodeBusy(
            f"{self._database} has a node already (process {holder})",
            hint="send it requests instead, or use PostgreSQL for several nodes",
        )


def _forget(reference: weakref.ref[NodeLock]) -> None:
    lock = reference()
    if lock is not None:
        lock.release()


def _try_lock(descriptor: int) -> bool:
    for remaining in reversed(range(_TRIES)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if remaining:
                time.sleep(_PAUSE_SECONDS)
        else:
            return True
    return False
