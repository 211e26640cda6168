"""Migrations as texts."""

from __future__ import annotations

import pytest

from engine.errors import StorageError
from engine.storage.sqlite.migrate import load_migrations, split_statements


def test_a_trigger_is_one_statement() -> None:
    script = (
        "-- a comment; with a semicolon\nCREATE TABLE t (a);\n\n"
        "CREATE TRIGGER x BEFORE UPDATE ON t\nBEGIN SELECT 1; SELECT 2; END;\nSELECT ';';\n-- end\n"
    )
    statements = split_statements(script)
    assert [one.split()[-1] for one in statements] == ["(a);", "END;", "';';"]


def test_half_a_statement_is_refused() -> None:
    with pytest.raises(StorageError, match="in the middle of a statement"):
        split_statements("SELECT 1;\nCREATE TABLE t (\n")


def test_every_migration_sets_its_number_last() -> None:
    for number, text in enumerate(load_migrations(), start=1):
        assert split_statements(text)[-1] == f"PRAGMA user_version = {number};"
