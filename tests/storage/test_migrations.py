"""A migration is done or not done, whoever is killed in it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import StorageError
from engine.storage.sqlite.migrate import (
    load_migrations,
    migrate,
    schema_version,
    split_statements,
)

KILLED = """
import os, signal, sqlite3, sys
from engine.storage.sqlite.migrate import load_migrations, migrate
left = [int(sys.argv[2])]
def count(statement):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
raw = sqlite3.connect(sys.argv[1], isolation_level=None)
raw.execute("PRAGMA journal_mode = WAL")
raw.set_trace_callback(count)
migrate(raw, load_migrations())
"""
STEPS = len(split_statements(load_migrations()[0])) + 4
LAST = len(load_migrations())


def tables(raw: sqlite3.Connection) -> set[str]:
    return {row[0] for row in raw.execute("SELECT name FROM sqlite_schema")}


@pytest.mark.parametrize("step", range(0, STEPS, 5))
def test_killed_at_any_statement_it_converges(database: Path, step: int) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, database, str(step)], check=False)
    assert killed.returncode == -9
    raw = sqlite3.connect(database, isolation_level=None)
    assert schema_version(raw) == 0
    assert tables(raw) == set()
    assert migrate(raw, load_migrations()) == LAST
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()


def test_a_failing_migration_leaves_the_one_before() -> None:
    raw = sqlite3.connect(":memory:", isolation_level=None)
    bad = f"CREATE TABLE half (a);\nCREATE TABLE half (a);\nPRAGMA user_version = {LAST + 1};\n"
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(raw, [*load_migrations(), bad])
    assert schema_version(raw) == LAST
    assert "half" not in tables(raw)
    good = f"CREATE TABLE whole (a);\nPRAGMA user_version = {LAST + 1};\n"
    assert migrate(raw, [*load_migrations(), good]) == LAST + 1
    raw.close()


def test_migrating_again_does_nothing() -> None:
    raw = sqlite3.connect(":memory:", isolation_level=None)
    migrate(raw, load_migrations())
    seen: list[str] = []
    raw.set_trace_callback(seen.append)
    migrate(raw, load_migrations())
    assert seen == ["PRAGMA user_version;"]
    raw.close()


def test_a_newer_file_is_refused() -> None:
    raw = sqlite3.connect(":memory:", isolation_level=None)
    raw.execute(f"PRAGMA user_version = {LAST + 1}")
    newer = f"schema version {LAST + 1}, this build knows {LAST}"
    with pytest.raises(StorageError, match=newer):
        migrate(raw, load_migrations())
    raw.close()


def test_processes_may_open_a_new_file_at_once(database: Path) -> None:
    opening = (
        "import asyncio, sys\nfrom engine.storage.url import open_store\n"
        "async def main():\n"
        "    async with open_store(sys.argv[1]) as store:\n"
        f"        assert (await store.info(now=0)).schema_version == {LAST}\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", opening, str(database)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, b"")
