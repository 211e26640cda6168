"""No statement reads a growing table from end to end, but for those that count it."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict

import pytest

from engine.storage.sqlite.migrate import load_migrations, migrate
from engine.storage.sqlite.queries import SQL

# An index that holds only what is looked for, or all of a small index for a figure of the whole.
ALLOWED_SCANS = {
    "claimable_open": "SCAN instances USING INDEX instances_unowned",
    "counts": "SCAN instances USING COVERING INDEX instances_kind",
    "current_node": "SCAN nodes",
    "deployments": "SCAN deployments",
    "catalog_rows": "SCAN deployments",
    "policies": "SCAN policies",
    # Both stop at the first row.
    "for_development": (
        "SCAN deployments USING COVERING INDEX deployments_revision",
        "SCAN instances USING COVERING INDEX sqlite_autoindex_instances_1",
    ),
}
# The statements of every turn: each row is found by key; (index, columns) of the first search.
HOT = {
    "turn": "SEARCH instances USING INDEX sqlite_autoindex_instances_1 (id=?)",
    "settle": "SEARCH instances USING INDEX sqlite_autoindex_instances_1 (id=?)",
    "consume": "SEARCH inbox USING INTEGER PRIMARY KEY (rowid=?)",
    "withdraw": "SEARCH inbox USING INDEX inbox_token (instance=? AND execution=? AND token=?)",
    "drop_inbox": "SEARCH inbox USING INDEX inbox_instance (instance=?)",
    "inbox": "SEARCH m USING INDEX inbox_instance (instance=? AND visible_at<?)",
    "due_messages": "SEARCH m USING INDEX inbox_due (visible_at<?)",
    "next_due": "SEARCH inbox USING COVERING INDEX inbox_due (visible_at>?)",
    "claimable_due": "SEARCH m USING INDEX inbox_due (visible_at<?)",
    "pages": "SEARCH pages USING INDEX pages_order (instance=? AND execution=? AND first_seq>?)",
    "prunable": "SEARCH instances USING INDEX instances_finished (finished_at>? AND finished_at<?)",
}
STATEMENTS = [
    name for name, text in SQL.items() if re.match(r"(SELECT|INSERT|UPDATE|DELETE) ", text)
]


@pytest.fixture(scope="module")
def raw():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, load_migrations())
    yield connection
    connection.close()


def plan(raw: sqlite3.Connection, name: str) -> list[str]:
    text = SQL[name]
    count = 11 if "?11" in text else text.count("?")
    parameters = defaultdict(int) if re.search(r":\w", text) else (0,) * count
    return [row[3] for row in raw.execute("EXPLAIN QUERY PLAN " + text, parameters)]


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_table_is_scanned(raw: sqlite3.Connection, name: str) -> None:
    harmless = ("SCAN json_each", "SCAN CONSTANT ROW")
    scans = [one for one in plan(raw, name) if "SCAN" in one and not one.startswith(harmless)]
    allowed = ALLOWED_SCANS.get(name, ())
    assert scans == [allowed] if isinstance(allowed, str) else scans == list(allowed)


@pytest.mark.parametrize("name", HOT)
def test_hot_statements_use_their_index(raw: sqlite3.Connection, name: str) -> None:
    assert plan(raw, name)[0] == HOT[name]


@pytest.mark.parametrize("name", ["inbox", "due_messages", "pages", "claimable_due", "prunable"])
def test_hot_reads_come_out_in_order(raw: sqlite3.Connection, name: str) -> None:
    assert [one for one in plan(raw, name) if "ORDER BY" in one] == []
