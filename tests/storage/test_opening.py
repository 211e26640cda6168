"""Where a store may be, and what is said when it cannot be there."""
# ruff: noqa: ASYNC240 (looking at a file for a moment holds up nobody in a test)

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.errors import StorageError, StorageUnavailable
from engine.storage.sqlite.migrate import load_migrations
from engine.storage.url import open_store


async def opened(url: str | Path, **options: object) -> None:
    async with open_store(str(url), **options):  # type: ignore[arg-type]
        pass


async def test_a_new_file_is_made(database: Path) -> None:
    async with open_store(f"sqlite:///{database}") as store:
        info = await store.info(now=0)
    assert (info.location, info.schema_version) == (str(database), len(load_migrations()))
    assert (info.node, info.node_alive) == (None, False)
    assert info.details["journal_mode"] == "wal"
    assert info.details["sqlite_version"] == sqlite3.sqlite_version
    assert info.details["file_bytes"] == database.stat().st_size


async def test_a_relative_path_starts_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    await opened("sqlite:///here.db")
    assert (tmp_path / "here.db").exists()


async def test_the_project_folder_is_made(tmp_path: Path) -> None:
    await opened(tmp_path / ".lockstep" / "lockstep.db")
    assert (tmp_path / ".lockstep" / "lockstep.db").exists()


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("missing/app.db", "does not exist"),
        ("missing/.lockstep/app.db", "does not exist"),
        (".", "is a folder"),
    ],
)
async def test_a_wrong_place_is_named_and_left_alone(tmp_path: Path, path: str, part: str) -> None:
    with pytest.raises(StorageUnavailable, match=part):
        await opened(tmp_path / path)
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_nobody_can_write_to() -> None:
    # Not even the superuser makes files there.
    with pytest.raises(StorageUnavailable, match=r"/proc/app\.db"):
        await opened("/proc/app.db")


async def test_without_create_the_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="there is no database"):
        await opened(tmp_path / ".lockstep" / "app.db", create=False)
    assert list(tmp_path.iterdir()) == []
    await opened(tmp_path / "app.db")
    await opened(tmp_path / "app.db", create=False)


async def test_another_file_is_not_ours(database: Path) -> None:
    database.write_bytes(b"once upon a time there was a file" * 100)
    before = database.read_bytes()
    with pytest.raises(StorageError, match="this is no database of ours"):
        await opened(database)
    assert database.read_bytes() == before


async def test_a_newer_schema_is_refused(database: Path) -> None:
    await opened(database)
    with sqlite3.connect(database) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(StorageError, match="schema version 99, this build knows 3"):
        await opened(database)


@pytest.mark.parametrize(
    ("synchronous", "level"), [("FULL", 2), ("NORMAL", 1)], ids=["full", "normal"]
)
async def test_durability_is_as_asked(database: Path, synchronous: str, level: int) -> None:
    async with open_store(str(database), synchronous=synchronous) as store:  # type: ignore[arg-type]

        def pragmas(raw: sqlite3.Connection) -> list[int]:
            names = ("synchronous", "foreign_keys", "wal_autocheckpoint")
            return [raw.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

        assert await store._writer.bare(pragmas) == [level, 1, 0]
        assert (await store._reader.bare(pragmas))[2] == 0


async def test_a_reading_connection_cannot_write(database: Path) -> None:
    async with open_store(str(database)) as store:
        for connection in (store._reader, store._browser):
            with pytest.raises(StorageError, match="readonly"):
                await connection.write(lambda raw: raw.execute("DELETE FROM nodes"))


async def test_a_closed_store_says_so(database: Path) -> None:
    async with open_store(str(database)) as store:
        pass
    with pytest.raises(StorageError, match="is closed"):
        await store.get("a")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE deployments SET revision = 'r2'",
        "UPDATE deployments SET source = x'00'",
        "UPDATE deployments SET state = 'pruned', source = x'00'",
        "UPDATE deployments SET state = 'yanked', actor = 'eve'",
        "DELETE FROM deployments",
        "UPDATE revisions SET graph = x'00'",
        "DELETE FROM revisions",
    ],
)
async def test_no_hand_changes_a_deployed_version(database: Path, statement: str) -> None:
    await opened(database)
    raw = sqlite3.connect(database, isolation_level=None)
    raw.execute("INSERT INTO revisions VALUES ('r1', x'01')")
    raw.execute(
        "INSERT INTO deployments VALUES"
        " (1, 'a', '1.0.0', 'r1', x'', 'd', 0, NULL, NULL, 'released', NULL)"
    )
    with pytest.raises(sqlite3.IntegrityError, match=r"immutable|never removed"):
        raw.execute(statement)
    raw.close()
