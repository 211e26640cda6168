"""A store of before there were policies: its versions are released, and what they bind is known."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.client.deploying import compile_text
from engine.errors import VersionInUse
from engine.graph.revision import canonical
from engine.storage.sqlite.migrate import load_migrations, migrate
from engine.storage.url import open_store
from tests.runtime.rig import running, workflow
from tests.versions.stories import simple

PARENT = """
signals: { go: {} }
steps:
  - wait: go
  - do: [{ workflow: "main@1.0.0" }, { workflow: "main@^1" }, { workflow: main }]
"""


def _stored_by(raw: sqlite3.Connection, key: int, text: str) -> None:
    """A version as the first schema kept it."""
    made = compile_text(text)
    raw.execute("INSERT INTO revisions VALUES (?, ?)", (made.revision, canonical(made.graph)))
    raw.execute(
        "INSERT INTO deployments VALUES (?, ?, ?, ?, ?, 'd', 7, 'ann', NULL)",
        (key, made.name, made.version, made.revision, made.source),
    )


async def test_an_older_store_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    raw = sqlite3.connect(path, isolation_level=None)
    migrate(raw, load_migrations()[:2])
    _stored_by(raw, 1, simple("1.0.0"))
    _stored_by(raw, 2, simple("1.1.0"))
    _stored_by(raw, 3, workflow(PARENT, name="parent"))
    raw.execute("PRAGMA journal_mode = WAL")
    raw.close()
    async with open_store(str(path)) as store:
        listing = await store.catalog()
        assert listing is not None
        assert [(row.version, row.state) for row in listing.rows] == [
            ("1.0.0", "released"),
            ("1.1.0", "released"),
            ("1.0.0", "released"),
        ]
        report = await store.version_report("main")
        assert [one.children_bound for one in report] == [1, 0]
    async with running(f"sqlite:///{path}") as rig:
        await rig.client.start("parent", {}, id="p")
        with pytest.raises(VersionInUse, match="child binding"):
            await rig.client.prune_version("main", "1.0.0")
        await rig.client.prune_version("main", "1.1.0")
