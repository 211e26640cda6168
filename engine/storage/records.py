"""Rows and deltas: what the runtime hands to a provider and gets back.

Payloads (`page`, `payload`, `graph`, `source`, `snapshot`) are opaque bytes; a provider stores them
and never looks inside. Everything it needs for routing stands in a field of its own. Times are
microseconds UTC.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.values.json import Json

Mode = Literal["none", "dev"]
VersionState = Literal["released", "deprecated", "yanked", "pruned"]
Status = Literal[
    "pending", "running", "suspended", "completed", "failed", "cancelled", "terminated"
]
TERMINAL_STATUSES: tuple[Status, ...] = ("completed", "failed", "cancelled", "terminated")


class Lease(msgspec.Struct, frozen=True):
    """A node's right to work on this store. `node` is unique per process start."""

    node: str
    epoch: int


class Pin(msgspec.Struct, frozen=True):
    """What an execution is bound to for ever."""

    workflow: str
    version: str
    revision: str
    semantics: int


class Message(msgspec.Struct, frozen=True):
    """Something to put into an inbox.

    `token` names it for withdrawal: unique per (instance, execution) or None. A timer is a message
    to oneself with a later `visible_at` and its ref as token. Messages without execution survive
    continue-as-new; those of an execution are dropped when it ends, and are never stored when it
    has ended already (for a send the receiver then counts as finished).
    """

    instance_id: str
    payload: bytes
    visible_at: int = 0
    execution: int | None = None
    token: int | None = None


class StoredMessage(msgspec.Struct, frozen=True):
    """A message in an inbox. `id` grows in commit order within a store and is never used again."""

    id: int
    instance_id: str
    payload: bytes
    visible_at: int
    execution: int | None = None


class Creation(msgspec.Struct, frozen=True, kw_only=True):
    """A new instance, or, with `replace_finished`, the next execution of an ended one of that id.

    `start` is its first message, visible at once. If the id is taken nothing of it is stored and
    `otherwise` is delivered instead; if it is created `then` is delivered too. With `claimed` the
    row is born owned by the committing lease, epoch 1 (`Provider.create` commits for no lease and
    ignores it). A replacement gets the execution after the ended one: `execution` must name it;
    the default 1 takes what comes, except in a `Delta`, whose pages are bound to one. History and
    record of the ended executions stay; `created_at`, parent and all else are the new creation's.
    """

    instance_id: str
    pin: Pin
    created_at: int
    execution: int = 1
    start: bytes | None = None
    parent_id: str | None = None
    replace_finished: bool = False
    claimed: bool = False
    then: Message | None = None
    otherwise: Message | None = None


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """A message for another instance, which must exist and not have ended.

    Delivered: `then` too. No such instance: `missing` instead. Ended, the instance or the
    execution the message is for: `finished` instead. These three are dropped when nobody can take
    them.
    """

    message: Message
    then: Message | None = None
    missing: Message | None = None
    finished: Message | None = None


class Page(msgspec.Struct, frozen=True):
    """The events of one turn. `first_seq` .. `last_seq` are contiguous."""

    execution: int
    first_seq: int
    last_seq: int
    payload: bytes


class Snapshot(msgspec.Struct, frozen=True):
    """A saved state after event `seq` of an execution; the newest replaces older ones."""

    execution: int
    seq: int
    payload: bytes


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The columns that show what an instance does now.

    `open_activities` counts local activities in flight: after a crash they are what makes the
    instance claimable. `open_waits` counts waits, timers, children: other pending causes.
    `custom_status`, `output` and `error` are JSON bytes. `upgrade_blocked` is why it did not go on
    with another version; `awaits_version` the version that has to be deployed before it goes on.
    """

    status: Status
    updated_at: int
    open_activities: int = 0
    open_waits: int = 0
    custom_status: bytes | None = None
    output: bytes | None = None
    error: bytes | None = None
    finished_at: int | None = None
    upgrade_blocked: str | None = None
    awaits_version: str | None = None


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """One instance's turn. Applied whole or not at all.

    Fenced: the instance must be owned by the committing lease under `epoch`, stand at `execution`
    and have `expected_seq` events. With `create` the row is made first, owned by the lease (and
    `epoch` is 1). `next_pin` starts execution + 1 (continue-as-new): pages of both executions may
    be present, those of the old one first; it is archived with its own pin as `continued`. A pin to
    a pruned version is stale.
    `consumed` are ids of the instance's own messages, `withdrawn` tokens of `execution`.
    `summary.updated_at` is the commit's time: what is visible by then counts as delivered. A
    status other than pending and running gives up the ownership.
    """

    instance_id: str
    epoch: int
    execution: int
    expected_seq: int
    summary: Summary
    create: Creation | None = None
    pages: tuple[Page, ...] = ()
    consumed: tuple[int, ...] = ()
    timers: tuple[Message, ...] = ()
    withdrawn: tuple[int, ...] = ()
    sends: tuple[Send, ...] = ()
    children: tuple[Creation, ...] = ()
    snapshot: Snapshot | None = None
    next_pin: Pin | None = None


class Rebase(msgspec.Struct, frozen=True, kw_only=True):
    """A running or suspended execution goes over to `pin`; `page` holds the event that says so.

    Fenced: the instance must stand at `execution` with `expected_seq` events, be of the pin's
    workflow and semantics, and not have ended. `open_activities` and `open_waits` as in `Summary`.
    """

    instance_id: str
    execution: int
    expected_seq: int
    pin: Pin
    page: Page
    at: int
    open_activities: int
    open_waits: int


class DeltaOutcome(msgspec.Struct, frozen=True):
    """What became of one delta.

    Applied; stale (fenced off); duplicate (its `create` was refused, with the status of the
    instance that has the id, or `pruned`: the version it is pinned to has no content any more).
    """

    result: Literal["applied", "stale", "duplicate"] = "applied"
    existing: str | None = None


class CommitResult(msgspec.Struct, frozen=True):
    """`outcomes` in the order of the deltas; `delivered`: messages that are visible at once.

    Messages for any instance, whoever owns it, in the order of their ids per instance.
    """

    outcomes: tuple[DeltaOutcome, ...]
    delivered: tuple[StoredMessage, ...]


class InstanceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An instance as stored."""

    instance_id: str
    pin: Pin
    execution: int
    status: Status
    last_seq: int
    epoch: int
    owner: str | None
    attempts: int
    open_activities: int
    open_waits: int
    created_at: int
    updated_at: int
    finished_at: int | None = None
    parent_id: str | None = None
    custom_status: bytes | None = None
    output: bytes | None = None
    error: bytes | None = None
    suspended_reason: str | None = None
    upgrade_blocked: str | None = None
    awaits_version: str | None = None


class ExecutionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of an instance, running or archived."""

    execution: int
    pin: Pin
    status: str  # a Status, or "continued"
    last_seq: int
    started_at: int
    finished_at: int | None = None


class LoadedInstance(msgspec.Struct, frozen=True):
    """What a live state is rebuilt from: snapshot, pages after it, visible messages in order."""

    record: InstanceRecord
    snapshot: Snapshot | None
    pages: tuple[Page, ...]
    inbox: tuple[StoredMessage, ...]


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A version in the store. (name, version) names one revision for ever.

    `state_reason` is why it has its state. The source of a pruned version is empty.
    """

    name: str
    version: str
    revision: str
    source: bytes
    source_digest: str
    deployed_at: int
    actor: str | None = None
    commit: str | None = None
    state: VersionState = "released"
    state_reason: str | None = None


class InstanceFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which instances to list; None means any."""

    workflow: str | None = None
    version: str | None = None
    status: tuple[str, ...] | None = None
    id_prefix: str | None = None
    parent_id: str | None = None


class StoreInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What `doctor` shows of a store."""

    provider: str
    location: str
    schema_version: int
    node: str | None
    node_alive: bool
    details: dict[str, Json] = {}
