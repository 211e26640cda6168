"""Development stores: which store takes development versions (G19).

Triggers in the schema refuse development versions in every other store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.storage.sqlite.queries import SQL

if TYPE_CHECKING:
    import sqlite3

    from engine.storage.records import Mode


def mode(raw: sqlite3.Connection) -> Mode:
    """What kind of store this is."""
    found: Mode = raw.execute(SQL["mode"]).fetchone()[0]
    return found


def for_development(raw: sqlite3.Connection) -> bool:
    """Make an empty store one for development; False when it is another and in use."""
    raw.execute(SQL["for_development"])
    return mode(raw) == "dev"
