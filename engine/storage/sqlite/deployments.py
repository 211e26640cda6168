"""Reads of the catalogue: versions, policies, the audit, and how versions stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.storage.sqlite import rows
from engine.storage.sqlite.queries import SQL
from engine.storage.versions import AuditRow, CatalogRow, Listing, VersionReport

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from engine.storage.records import Deployment, InstanceRecord


def deployment(raw: sqlite3.Connection, name: str, version: str) -> Deployment | None:
    """One version."""
    row = raw.execute(SQL["deployment"], (name, version)).fetchone()
    return None if row is None else rows.deployment(row)


def deployments(raw: sqlite3.Connection, name: str | None) -> list[Deployment]:
    """All versions, or those of one workflow."""
    if name is None:
        found = raw.execute(SQL["deployments"])
    else:
        found = raw.execute(SQL["deployments_of"], (name,))
    return [rows.deployment(row) for row in found]


def graph(raw: sqlite3.Connection, revision: str) -> bytes | None:
    """The graph of a revision."""
    row = raw.execute(SQL["graph"], (revision,)).fetchone()
    return None if row is None else row[0]


def catalog_version(raw: sqlite3.Connection) -> int:
    """The version of the catalogue."""
    version: int = raw.execute(SQL["catalog_version"]).fetchone()[0]
    return version


def catalog(raw: sqlite3.Connection, known: int | None) -> Listing | None:
    """The whole catalogue, unless it is the known one."""
    version = catalog_version(raw)
    if version == known:
        return None
    found = tuple(CatalogRow(*row) for row in raw.execute(SQL["catalog_rows"]))
    return Listing(version, found, dict(raw.execute(SQL["policies"]).fetchall()))


def audit(raw: sqlite3.Connection, name: str | None, after: int, limit: int) -> list[AuditRow]:
    """Changes after one, in order."""
    if name is None:
        found = raw.execute(SQL["audit"], (after, limit))
    else:
        found = raw.execute(SQL["audit_of"], (name, after, limit))
    return [AuditRow(**dict(zip(AuditRow.__struct_fields__, row, strict=True))) for row in found]


def version_report(raw: sqlite3.Connection, name: str) -> list[VersionReport]:
    """How the versions of a workflow stand."""
    fields = VersionReport.__struct_fields__
    return [
        VersionReport(**dict(zip(fields, row, strict=True)))
        for row in raw.execute(SQL["version_report"], {"name": name})
    ]


def unservable(raw: sqlite3.Connection, levels: Sequence[int], limit: int) -> list[InstanceRecord]:
    """Instances that have not ended and need another semantics level."""
    listed = msgspec.json.encode(levels).decode()
    found = raw.execute(SQL["unservable"], {"levels": listed, "limit": limit})
    return [rows.instance_record(row) for row in found]
