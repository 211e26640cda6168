"""A disk that is full, and a disk that fails."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StorageBroken, StorageUnavailable
from engine.storage.records import Page
from engine.storage.sqlite.queries import SQL
from engine.storage.url import open_store
from engine.testing.conformance.scene import NOW, born, creation, send, turn


async def limit_pages(store: Any, more: int) -> None:
    def limit(raw: sqlite3.Connection) -> None:
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {pages + more}")

    await store._writer.bare(limit)


async def test_a_full_disk_is_said_and_passes(database: Path) -> None:
    async with open_store(str(database)) as store:
        lease = await store.acquire("node", now=NOW)
        await store.commit(lease, 0, [born("a"), born("b")])
        await limit_pages(store, 8)
        big = (Page(1, 3, 3, b"x" * 100_000),)
        with pytest.raises(StorageUnavailable, match=r"full.*free some space"):
            await store.commit(lease, 1, [turn("b", 2), turn("a", 2, pages=big)])
        with pytest.raises(StorageUnavailable):
            await store.create([creation("c", start=b"x" * 100_000)])
        with pytest.raises(StorageUnavailable):
            await store.send([send("a", b"ok"), send("b", b"x" * 100_000)])
        # Nothing of it was stored, and what fits still does.
        assert [record.last_seq for name in "ab" if (record := await store.get(name))] == [2, 2]
        assert await store.get("c") is None
        assert [one.inbox for one in await store.load(["a"], now=NOW)] == [()]
        await store.commit(lease, 2, [turn("b", 2)])
        await limit_pages(store, 10_000)
        result = await store.commit(lease, 3, [turn("a", 2, pages=big)])
        assert result.outcomes[0].result == "applied"


class _Failing:
    """A connection whose `COMMIT` fails as a disk would make it fail."""

    def __init__(self, raw: sqlite3.Connection, code: int) -> None:
        self._raw = raw
        self._code = code
        self.commits = 0

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if sql == SQL["commit"]:
            self.commits += 1
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = self._code
            raise error
        return self._raw.execute(sql, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def fail_commits(store: Any, code: int) -> _Failing:
    """Put a failing connection in the place of the writer's."""
    inner = store._writer._inner
    inner._connection = _Failing(inner._connection, code)
    return inner._connection


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_WRITE])
async def test_after_an_io_error_nothing_is_written(database: Path, code: int) -> None:
    async with open_store(str(database)) as store:
        lease = await store.acquire("node", now=NOW)
        await store.commit(lease, 0, [born("a")])
        disk = fail_commits(store, code)
        with pytest.raises(StorageBroken, match="restart the node"):
            await store.commit(lease, 1, [turn("a", 2)])
        assert disk.commits == 1
        for _ in range(2):
            with pytest.raises(StorageBroken):
                await store.commit(lease, 2, [turn("a", 2)])
        with pytest.raises(StorageBroken):
            await store.create([creation("b")])
        assert disk.commits == 1, "it was tried again"
    async with open_store(str(database)) as store:
        record = await store.get("a")
        assert record is not None
        assert record.last_seq == 2


async def test_a_broken_checkpoint_stops_the_node(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(raw: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    monkeypatch.setattr("engine.storage.sqlite.connection._checkpoint", broken)
    monkeypatch.setattr("engine.storage.sqlite.store._CHECKPOINT_BYTES", 1)
    async with open_store(str(database)) as store:
        lease = await store.acquire("node", now=NOW)
        await store.commit(lease, 0, [born("a")])
        await store._checkpoint
        assert "checkpoint failed" in caplog.text
        with pytest.raises(StorageBroken):
            await store.commit(lease, 1, [turn("a", 2)])


async def test_the_log_is_copied_as_it_grows(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.storage.sqlite.store._CHECKPOINT_BYTES", 200_000)
    log = database.with_name(database.name + "-wal")
    async with open_store(str(database)) as store:
        lease = await store.acquire("node", now=NOW)
        await store.commit(lease, 0, [born("a")])
        for number in range(1, 200):
            page = Page(1, number + 2, number + 2, b"x" * 20_000)
            await store.commit(lease, number, [turn("a", number + 1, pages=(page,))])
        # Four megabytes went through it.
        assert log.stat().st_size < 1_000_000
        info = await store.info(now=NOW)
        assert database.stat().st_size >= info.details["file_bytes"] * 0.8  # noqa: ASYNC240


# The first dozen of syncs are those of the migration.
COMMITTING = """
import asyncio, sys
from engine.errors import StorageBroken
from engine.storage.url import open_store
from engine.testing.conformance.scene import NOW, born, turn

async def main():
    async with open_store(sys.argv[1]) as store:
        lease = await store.acquire("node", now=NOW)
        await store.commit(lease, 0, [born("a")])
        print(2, flush=True)
        for number in range(1, 60):
            try:
                await store.commit(lease, number, [turn("a", number + 1)])
            except StorageBroken:
                print("broken", flush=True)
                return
            print(number + 2, flush=True)

asyncio.run(main())
"""


def run_tampered(database: Path, calls: str, what: str) -> subprocess.CompletedProcess[bytes]:
    """Commit sixty times in a process whose system calls are tampered with."""
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}"]
    command = [
        *strace,
        "-e",
        f"inject={calls}:{what}",
        sys.executable,
        "-c",
        COMMITTING,
        str(database),
    ]
    return subprocess.run(command, capture_output=True, check=False, timeout=50)


tampering = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


@pytest.mark.slow
@tampering
@pytest.mark.parametrize("nth", [20, 35, 50])
async def test_a_real_fsync_error_fails_the_commit(database: Path, nth: int) -> None:
    done = run_tampered(database, "fdatasync,fsync", f"error=EIO:when={nth}")
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert words[-1] == b"broken"
    acknowledged = int(words[-2])
    async with open_store(str(database)) as store:
        record = await store.get("a")
        assert record is not None
        assert record.last_seq >= acknowledged


@pytest.mark.slow
@tampering
@pytest.mark.parametrize("nth", range(5, 400, 23))
async def test_killed_at_a_write_what_was_acknowledged_is_there(database: Path, nth: int) -> None:
    done = run_tampered(database, "pwrite64,fdatasync", f"signal=SIGKILL:when={nth}")
    words = done.stdout.split()
    assert done.returncode != 0, "it came to its end: no write was hit"
    raw = sqlite3.connect(database)
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()
    async with open_store(str(database)) as store:
        record = await store.get("a")
        stored = record.last_seq if record is not None else 0
        acknowledged = int(words[-1]) if words else 0
        assert acknowledged <= stored <= max(acknowledged + 1, 2)
        pages = await store.history("a", execution=1)
        assert [page.last_seq for page in pages] == list(range(2, stored + 1))
