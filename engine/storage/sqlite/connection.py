"""One SQLite connection on its own thread: the only file that knows aiosqlite.

Rule 1: a whole transaction is one hop. A plain function runs on the connection's thread against
the raw `sqlite3` connection; awaiting statement by statement would cost a hop for each.
Rule 2: a passing lock is waited for here, with growing pauses, and never surfaces as such.
Rule 3: after an I/O error the connection refuses everything (see `StorageBroken`).
Rule 4: only the node checkpoints, and only by `checkpoint`: automatic checkpoints are off on every
connection. SQLite before 3.51.3 may lose a transaction when two connections checkpoint at once,
and an automatic checkpoint keeps its fsync errors to itself.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

import aiosqlite

from engine.errors import StorageBroken, StorageError
from engine.storage.sqlite.faults import is_passing, translate
from engine.storage.sqlite.queries import SQL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

T = TypeVar("T")
Synchronous = Literal["FULL", "NORMAL"]

# SQLite itself waits so long inside one call; then we step back and try anew.
_BUSY_SECONDS: Final = 5.0
# A writer that cannot get in for so long is told so.
_PATIENCE_SECONDS: Final = 60.0
_FIRST_PAUSE_SECONDS: Final = 0.005
_LONGEST_PAUSE_SECONDS: Final = 0.5


class Connection:
    """Runs functions on a connection's thread, each in one transaction."""

    def __init__(self, inner: aiosqlite.Connection, location: str) -> None:
        self._inner = inner
        self._location = location
        self._broken: StorageBroken | None = None

    async def write(self, work: Callable[..., T], *args: object) -> T:
        """Run `work(raw, *args)` in one durable transaction; what it raises undoes it."""
        return await self._run(_in_transaction, "begin_write", work, args)

    async def read(self, work: Callable[..., T], *args: object) -> T:
        """Run `work(raw, *args)` on one snapshot of the store."""
        return await self._run(_in_transaction, "begin_read", work, args)

    async def bare(self, work: Callable[..., T], *args: object) -> T:
        """Run `work(raw, *args)` without a transaction of ours."""
        return await self._run(work, *args)

    async def checkpoint(self) -> None:
        """Copy the log into the file. For the node's writer only."""
        await self._run(_checkpoint)

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        pause = _FIRST_PAUSE_SECONDS
        while True:
            if self._broken is not None:
                raise self._broken
            try:
                return await self._hop(work, *args)
            except sqlite3.Error as error:
                if not is_passing(error) or time.monotonic() > deadline:
                    raise self._fault(error) from error
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 (spreads retries)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _hop(self, work: Callable[..., T], *args: object) -> T:
        inner: Any = self._inner  # `_execute` and `_conn` are aiosqlite's own way to its thread
        try:
            raw: sqlite3.Connection = inner._conn
        except ValueError as error:
            raise StorageError(f"{self._location} is closed") from error
        return cast("T", await inner._execute(work, raw, *args))

    def _fault(self, error: sqlite3.Error) -> StorageError:
        fault = translate(error, self._location)
        if isinstance(fault, StorageBroken):
            self._broken = fault
        return fault


@asynccontextmanager
async def connect(
    location: str, *, synchronous: Synchronous = "FULL", writes: bool
) -> AsyncIterator[Connection]:
    """Open a connection; `location` is a path or `:memory:`."""
    inner = aiosqlite.connect(
        location, timeout=_BUSY_SECONDS, isolation_level=None, cached_statements=256
    )
    try:
        await inner
    except sqlite3.Error as error:
        await _ended(inner)
        raise translate(error, location) from error
    try:
        connection = Connection(inner, location)
        await connection.bare(_prepare, synchronous, writes)
        yield connection
    finally:
        await inner.close()


class Watch:
    """Notices commits of other processes; used on the loop's thread, in microseconds.

    Other processes count their transactions in a row of the file (`foreign_writes`); the node's own
    commits leave it alone, so they are never taken for foreign. `data_version`, which costs no
    read, says whether there can be anything new at all.
    """

    def __init__(self, location: str) -> None:
        self._raw = sqlite3.connect(location, timeout=0, isolation_level=None)
        self._raw.execute(SQL["query_only"])
        self._raw.execute(SQL["no_automatic_checkpoint"])
        self._version = -1
        self._count = -1
        self.changed()

    def changed(self) -> bool:
        """Whether there was a foreign commit since the last call."""
        try:
            version: int = self._raw.execute(SQL["data_version"]).fetchone()[0]
            if version == self._version:
                return False
            count: int = self._raw.execute(SQL["foreign_writes"]).fetchone()[0]
        except sqlite3.Error as error:
            if is_passing(error):
                return True  # cannot tell now: a look too many does no harm, a missed one would
            raise translate(error, "the database") from error
        self._version = version
        if count == self._count:
            return False
        self._count = count
        return True

    def catalog_version(self) -> int:
        """The version of the catalogue now."""
        try:
            version: int = self._raw.execute(SQL["catalog_version"]).fetchone()[0]
        except sqlite3.Error as error:
            raise translate(error, "the database") from error
        return version

    def close(self) -> None:
        """Close its connection."""
        self._raw.close()


async def _ended(inner: aiosqlite.Connection) -> None:
    """Wait for the thread of a connection that could not be made.

    aiosqlite has told it to stop, but does not wait: it might report to a loop that is closed.
    """
    thread: Any = getattr(inner, "_thread", inner)  # before 0.22 the connection is the thread
    await asyncio.to_thread(thread.join)


def _prepare(raw: sqlite3.Connection, synchronous: Synchronous, writes: bool) -> None:
    raw.execute(SQL["no_automatic_checkpoint"])
    if writes:
        mode = raw.execute(SQL["journal_wal"]).fetchone()[0]
        if mode not in ("wal", "memory"):
            raise StorageError(
                f"the database cannot keep a write-ahead log (its journal is `{mode}`)",
                hint="put it on a local file system",
            )
        raw.execute(SQL["journal_size_limit"])
        raw.execute(SQL["synchronous_full" if synchronous == "FULL" else "synchronous_normal"])
        raw.execute(SQL["foreign_keys_on"])
    else:
        raw.execute(SQL["query_only"])


def _in_transaction(
    raw: sqlite3.Connection, begin: str, work: Callable[..., T], args: tuple[object, ...]
) -> T:
    raw.execute(SQL[begin])
    try:
        result = work(raw, *args)
        raw.execute(SQL["commit"])
    except BaseException:
        # A full disk makes SQLite roll back by itself.
        if raw.in_transaction:
            raw.execute(SQL["rollback"])
        raise
    return result


def _checkpoint(raw: sqlite3.Connection) -> None:
    raw.execute(SQL["checkpoint"]).fetchall()
