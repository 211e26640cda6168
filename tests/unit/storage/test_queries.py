"""The file of named statements."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.storage.sqlite import queries
from engine.storage.sqlite.queries import SQL, parse_queries

SOURCES = [file.read_text(encoding="utf-8") for file in Path(queries.__file__).parent.glob("*.py")]


def test_statements_are_split_by_name() -> None:
    text = (
        "-- a file\n\n-- name: one\n-- Says so.\nSELECT 1;\n\n-- name: two\n-- Too.\nSELECT\n  2;\n"
    )
    assert parse_queries(text) == {"one": "SELECT 1;", "two": "SELECT\n  2;"}


@pytest.mark.parametrize(
    "text",
    [
        "-- name: one\nSELECT 1;",
        "-- name: one\n",
        "-- name: one\n-- a\nSELECT 1;\n-- name: one\n-- b\nSELECT 2;",
    ],
    ids=["no description", "nothing", "twice"],
)
def test_a_statement_needs_one_name_and_a_description(text: str) -> None:
    with pytest.raises(ValueError, match="named twice or has no description"):
        parse_queries(text)


def test_every_statement_is_used() -> None:
    named = {name for text in SOURCES for name in re.findall(r'"(\w+)"', text)}
    assert set(SQL) - named == set()


def test_every_used_statement_exists() -> None:
    used = {name for text in SOURCES for name in re.findall(r'SQL\["(\w+)"\]', text)}
    assert used - set(SQL) == set()


def test_python_holds_no_statements() -> None:
    words = re.compile(r'"\s*(SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE)\b')
    assert [text[:60] for text in SOURCES if words.search(text)] == []
