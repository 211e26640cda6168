"""Deployed versions as rows and records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cli.times import told
from engine.storage.records import TERMINAL_STATUSES
from engine.values.digest import short
from engine.values.instant import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.cli.output import Columns
    from engine.storage.records import Deployment
    from engine.values.json import JsonObject


def record_of(
    one: Deployment, counts: Mapping[tuple[str, str, str], int] | None = None
) -> JsonObject:
    """A deployment without its source; with `counts` also what runs on it."""
    record: JsonObject = {
        "name": one.name,
        "version": one.version,
        "revision": one.revision,
        "deployed_at": format_instant(one.deployed_at),
        "deployed_by": one.actor,
    }
    if counts is not None:
        mine = {status: n for (name, v, status), n in counts.items() if (name, v) == _key(one)}
        record["instances"] = dict(sorted(mine.items()))
        record["running"] = sum(n for status, n in mine.items() if status not in TERMINAL_STATUSES)
    return record


def columns(*, utc: bool) -> Columns:
    """What `versions` shows."""
    return {
        "name": lambda one: one["name"],
        "version": lambda one: one["version"],
        "revision": lambda one: short(one["revision"]),
        "deployed": lambda one: told(one["deployed_at"], utc=utc),
        "by": lambda one: one["deployed_by"] or "",
        "running": lambda one: str(one.get("running", "")),
    }


def _key(one: Deployment) -> tuple[str, str]:
    return one.name, one.version
