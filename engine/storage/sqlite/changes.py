"""Changes of the catalogue, each one transaction.

Rule 1: what is as it should be already is left alone: it writes no audit and moves no version.
Rule 2: the audit of a thing is written where the thing is, from what stood there a moment before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.errors import StaleState, StorageError, UnknownVersion, VersionInUse, VersionWithdrawn
from engine.storage.sqlite.deployments import catalog_version, deployment
from engine.storage.sqlite.queries import SQL
from engine.storage.versions import Changed, ChangeSet, Note, Reference

if TYPE_CHECKING:
    import sqlite3

    from engine.storage.records import Deployment
    from engine.storage.versions import PolicyChange, Release, StateChange

SAMPLES: Final = 20


def change(raw: sqlite3.Connection, asked: ChangeSet) -> Changed:
    """Apply all of it; with a conflict, nothing.

    Raises:
        StaleState: the catalogue has moved.
        UnknownVersion, VersionWithdrawn: a state or policy is for a version that is not there.
    """
    version = catalog_version(raw)
    if asked.expected_version is not None and asked.expected_version != version:
        raise StaleState(asked.expected_version, version)
    offered = [release.deployment for release in asked.releases]
    there = [deployment(raw, one.name, one.version) for one in offered]
    conflicts = tuple(
        old
        for old, new in zip(there, offered, strict=True)
        if old is not None and old.revision != new.revision
    )
    if conflicts:
        return Changed(version, conflicts=conflicts)
    moved = False
    for release in asked.releases:
        moved |= _release(raw, asked, release)
    for state in asked.states:
        moved |= _set_state(raw, asked, state)
    for policy in asked.policies:
        moved |= _set_policy(raw, asked, policy)
    for note in asked.notes:
        _record(raw, asked, note)
    if moved:
        raw.execute(SQL["raise_catalog"])
    stored = tuple(_stored(raw, one.name, one.version) for one in offered)
    return Changed(version + moved, stored)


def prune(
    raw: sqlite3.Connection, name: str, version: str, at: int, actor: str | None, commit: str | None
) -> int:
    """Remove the content of a version; the version of the catalogue.

    Raises:
        UnknownVersion: there is no such version.
        VersionInUse: something needs it.
    """
    there = _stored(raw, name, version)
    if there.state == "pruned":
        return catalog_version(raw)
    found = _references(raw, name, version)
    if found:
        raise VersionInUse(name, version, found)
    raw.execute(SQL["drop_source"], (there.state_reason, name, version))
    raw.execute(SQL["drop_graph"], {"revision": there.revision})
    raw.execute(SQL["drop_bindings"], {"revision": there.revision})
    by = ChangeSet(at=at, actor=actor, commit=commit)
    _record(raw, by, Note("prune", name, version, there.state, "pruned"))
    raw.execute(SQL["raise_catalog"])
    return catalog_version(raw)


def _release(raw: sqlite3.Connection, by: ChangeSet, release: Release) -> bool:
    new = release.deployment
    there = deployment(raw, new.name, new.version)
    if there is not None:
        if there.revision != new.revision:  # twice in one change, and not the same
            raise StorageError(f"`{new.name}` {new.version} stands twice in one change")
        return False
    raw.execute(SQL["add_revision"], (new.revision, release.graph))
    for bound in release.binds:
        raw.execute(SQL["add_binding"], (new.revision, bound.name, bound.version))
    raw.execute(
        SQL["add_deployment"],
        (
            new.name,
            new.version,
            new.revision,
            new.source,
            new.source_digest,
            new.deployed_at,
            new.actor,
            new.commit,
        ),
    )
    _record(raw, by, Note("deploy", new.name, new.version, None, new.revision))
    return True


def _set_state(raw: sqlite3.Connection, by: ChangeSet, new: StateChange) -> bool:
    there = _stored(raw, new.name, new.version)
    if there.state == "pruned":
        raise VersionWithdrawn(new.name, new.version, there.state, there.state_reason)
    if (there.state, there.state_reason) == (new.state, new.reason):
        return False
    raw.execute(SQL["set_state"], (new.state, new.reason, new.name, new.version))
    note = Note("state", new.name, new.version, there.state, new.state, new.reason)
    _record(raw, by, note)
    return True


def _set_policy(raw: sqlite3.Connection, by: ChangeSet, new: PolicyChange) -> bool:
    row = raw.execute(SQL["policy"], (new.name,)).fetchone()
    before = None if row is None else row[0]
    if before == new.policy:
        return False
    for version in new.versions:
        there = _stored(raw, new.name, version)
        if there.state == "pruned":
            raise VersionWithdrawn(new.name, version, there.state, there.state_reason)
    raw.execute(SQL["drop_policy_versions"], (new.name,))
    if new.policy is None:
        raw.execute(SQL["drop_policy"], (new.name,))
    else:
        raw.execute(SQL["set_policy"], (new.name, new.policy, by.at))
        for version in new.versions:
            raw.execute(SQL["add_policy_version"], (new.name, version))
    _record(raw, by, Note("policy", new.name, None, before, new.policy))
    return True


def _references(raw: sqlite3.Connection, name: str, version: str) -> list[Reference]:
    """Everything that needs the content of a version."""
    which = {"name": name, "version": version}
    found: list[Reference] = []
    for kind, query in (
        ("instance", "instances_of_version"),
        ("execution", "executions_of_version"),
        ("child binding", "bound_and_running"),
    ):
        names = [row[0] for row in raw.execute(SQL[query], which)]
        if names:
            found.append(Reference(kind, len(names), tuple(names[:SAMPLES])))  # type: ignore[arg-type]  # the kinds above
    if raw.execute(SQL["policy_names"], (name, version)).fetchone() is not None:
        found.append(Reference("policy", 1, (name,)))
    return found


def _stored(raw: sqlite3.Connection, name: str, version: str) -> Deployment:
    there = deployment(raw, name, version)
    if there is None:
        raise UnknownVersion(name, version)
    return there


def _record(raw: sqlite3.Connection, by: ChangeSet, note: Note) -> None:
    raw.execute(
        SQL["add_audit"],
        (
            by.at,
            by.actor,
            by.commit,
            note.action,
            note.name,
            note.version,
            note.before,
            note.after,
            note.reason,
        ),
    )
