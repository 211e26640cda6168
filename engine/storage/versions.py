"""Rows of the catalogue: versions, policies, and who changed what.

As in `records`, payloads are opaque. A policy is a text; the versions it names stand beside it, and
the versions that a graph names stand beside the graph, because pruning has to know of them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.storage.records import Deployment, VersionState


class VersionName(msgspec.Struct, frozen=True):
    """One version of one workflow."""

    name: str
    version: str


class Release(msgspec.Struct, frozen=True):
    """A version to be stored, and the versions its graph names by their whole number."""

    deployment: Deployment
    graph: bytes
    binds: tuple[VersionName, ...] = ()


class PolicyChange(msgspec.Struct, frozen=True):
    """The new policy of a name; None takes it away. `versions` are those it names."""

    name: str
    policy: str | None
    versions: tuple[str, ...] = ()


class StateChange(msgspec.Struct, frozen=True):
    """The new state of a version; `pruned` comes about by pruning only."""

    name: str
    version: str
    state: Literal["released", "deprecated", "yanked"]
    reason: str | None = None


class Note(msgspec.Struct, frozen=True):
    """A line of the audit that no other part of the change would write."""

    action: str
    name: str
    version: str | None = None
    before: str | None = None
    after: str | None = None
    reason: str | None = None


class ChangeSet(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one change of the catalogue does.

    With `expected_version` it is stored only if the catalogue still has that version.
    """

    at: int
    actor: str | None = None
    commit: str | None = None
    releases: tuple[Release, ...] = ()
    policies: tuple[PolicyChange, ...] = ()
    states: tuple[StateChange, ...] = ()
    notes: tuple[Note, ...] = ()
    expected_version: int | None = None


class Changed(msgspec.Struct, frozen=True):
    """What a change came to.

    `version` is that of the catalogue now. `conflicts`: the stored versions that have another
    revision than the one offered; if there is any, nothing was stored. `deployments`: what is
    stored under the names of the releases, in their order.
    """

    version: int
    deployments: tuple[Deployment, ...] = ()
    conflicts: tuple[Deployment, ...] = ()


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one thing. `id` grows; `before` and `after` are texts, None is nothing.

    | action | before, after |
    |---|---|
    | deploy | nothing, the revision |
    | policy | the policies |
    | state | the states |
    | prune | the state, `pruned` |
    """

    id: int
    at: int
    actor: str | None
    commit: str | None
    action: str
    name: str
    version: str | None
    before: str | None
    after: str | None
    reason: str | None = None


class CatalogRow(msgspec.Struct, frozen=True):
    """A version without its source."""

    name: str
    version: str
    revision: str
    state: VersionState
    state_reason: str | None


class Listing(msgspec.Struct, frozen=True):
    """The whole catalogue at one of its versions; policies by name."""

    version: int
    rows: tuple[CatalogRow, ...]
    policies: dict[str, str]


class VersionReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a version stands; all figures are of one moment.

    `running`: instances that have not ended; `waiting`: those of them with no activity in flight.
    `children_bound`: deployed versions whose steps name this one by its number. `oldest_running`:
    when the oldest of those executions began. `drained`: nothing runs on it.
    """

    name: str
    version: str
    revision: str
    state: VersionState
    state_reason: str | None
    deployed_at: int
    actor: str | None
    commit: str | None
    running: int
    waiting: int
    children_bound: int
    schedules_bound: int
    oldest_running: int | None

    @property
    def drained(self) -> bool:
        """Whether nothing runs on it."""
        return self.running == 0


class Reference(msgspec.Struct, frozen=True):
    """Why a version cannot be pruned: how many of a kind need it, and some of them."""

    kind: Literal["instance", "execution", "child binding", "policy"]
    count: int
    samples: tuple[str, ...]

    def __str__(self) -> str:
        more = ", …" if self.count > len(self.samples) else ""
        return f"{self.count} x {self.kind} ({', '.join(self.samples)}{more})"
