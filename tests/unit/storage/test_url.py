"""What a database URL names."""

from __future__ import annotations

import pytest

from engine.errors import SettingsError
from engine.storage.url import sqlite_location


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("sqlite:///app.db", "app.db"),
        ("sqlite:///data/app.db", "data/app.db"),
        ("sqlite:////srv/app.db", "/srv/app.db"),
        ("sqlite://:memory:", ":memory:"),
        ("sqlite:///:memory:", ":memory:"),
        (":memory:", ":memory:"),
        ("app.db", "app.db"),
        ("/srv/app.db", "/srv/app.db"),
        ("odd:name.db", "odd:name.db"),
    ],
)
def test_locations(url: str, location: str) -> None:
    assert sqlite_location(url) == location


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("postgresql://host/db", "PostgreSQL comes in a later release"),
        ("postgres://host/db", "PostgreSQL comes in a later release"),
        ("mysql://host/db", "unknown database scheme `mysql`"),
        ("sqlite://app.db", "names no file"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("", "is empty"),
    ],
)
def test_refusals(url: str, part: str) -> None:
    with pytest.raises(SettingsError, match=part):
        sqlite_location(url)
