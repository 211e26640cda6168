"""The provider protocol: everything the runtime asks of a store, with numbered guarantees.

A provider is dumb: it stores opaque payloads beside routing columns and never decodes one. It is
tested by `engine.testing.conformance`, whose cases carry the numbers below.

Guarantees
    G1  Atomic: all of a commit is visible, or none of it; also after kill -9.
    G2  Durable: when a call returns, what it stored survives the process and (SQLite: with
        `synchronous=FULL`) the machine.
    G3  Fenced: a delta whose (owner, epoch, execution, expected_seq) is not the stored one changes
        nothing and is reported stale; its neighbours in the group are not affected.
    G4  Gapless: the pages of an execution are contiguous from 1; `last_seq` is the last one's.
        A commit with a page that leaves a gap is refused whole (`StorageError`).
    G5  Idempotent: the last commit of a lease, repeated with the same token, returns its first
        result and changes nothing. Older tokens are not remembered.
    G6  Inbox order: messages are returned by (visible_at, id); ids grow in commit order.
    G7  Visibility: no message is returned before its `visible_at`.
    G8  Withdrawal: a withdrawn or consumed message is never returned again; tokens are per
        (instance, execution); withdrawing what is not there is no error.
    G9  Creation: an id is created once; the loser learns the status of the one that has it, and
        exactly one of `then` / `otherwise` is delivered.
    G10 Sends: exactly one of message+then / missing / finished is delivered; a send to an unknown
        or ended instance stores nothing for it.
    G11 Claims: an instance has at most one owner; a claim raises `epoch` by one and `attempts` by
        one; a commit that appends sets `attempts` to 0; what a live node owns nobody else claims;
        what a dead node owned is claimable at once (SQLite) or after its lease.
    G12 No stranding: a non-terminal instance with a visible message or open activities, whose
        owner is not alive, is returned by `claim`; so is a pending one that nobody owns.
    G13 Multi-execution: histories of executions are apart; continue-as-new archives the old one
        in the same transaction, drops its timers and keeps the messages without execution.
    G14 Ending: the commit that ends an instance drops its timers and inbox in the same transaction.
    G15 Locked versions: (name, version) keeps its first revision for ever, a revision its graph.
    G16 Pruning removes only terminal instances, whole.
    G17 Reads are consistent: one call sees one snapshot of the store.
    G18 Rebase: the event, the new pin, a raised epoch, no owner and no snapshot, in one
        transaction; fenced by (execution, expected_seq). Messages and timers stay.
    G19 Development versions (`-dev.`) enter only a store for development, and only an unused store
        becomes one, for ever.
    G20 One change: releases, policies, states, notes and their audit are stored together or not at
        all; against another catalogue version than the expected one, not at all.
    G21 Catalogue version: moves with every change of what a start may get, and only then; every
        process sees it at once.
    G22 Audit: each changed thing has one row, with what stood there before; rows are never changed.
    G23 Reports are exact: all figures of a version report are of one snapshot.
    G24 Pruning a version removes its content only at zero references, in one transaction; nothing
        is ever created on a pruned version.
    G25 Levels: a claim with levels takes nothing of another semantics level and leaves it alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.storage.records import (
        CommitResult,
        Creation,
        Delta,
        Deployment,
        ExecutionRecord,
        InstanceFilter,
        InstanceRecord,
        Lease,
        LoadedInstance,
        Mode,
        Page,
        Rebase,
        Send,
        StoredMessage,
        StoreInfo,
    )
    from engine.storage.versions import AuditRow, Changed, ChangeSet, Listing, VersionReport


class Provider(Protocol):
    """A store. Opened by its own factory as an async context manager.

    Every method raises `StorageUnavailable` for trouble that may pass (after its own retries),
    `StorageBroken` when the disk failed (the node must stop) and `StorageError` for other trouble
    that will not pass.
    """

    # -- node -----------------------------------------------------------------------------------
    async def acquire(self, node: str, *, now: int) -> Lease:
        """Become a working node. Raises `NodeBusy` when the store takes one and one is alive."""

    async def release(self, lease: Lease) -> None:
        """Stop working: everything owned becomes claimable at once, attempts given back."""

    # -- turns ----------------------------------------------------------------------------------
    async def commit(self, lease: Lease, token: int, deltas: Sequence[Delta]) -> CommitResult:
        """Store many turns in one transaction (G1-G10, G13, G14). Raises `LeaseLost`."""

    async def claim(
        self, lease: Lease, *, now: int, limit: int, levels: Sequence[int] | None = None
    ) -> list[InstanceRecord]:
        """Take instances that nobody works on and that have something to do (G11, G12, G25).

        With `levels` only those of these semantics levels.
        Raises `LeaseLost`.
        """

    async def messages(
        self, lease: Lease, *, now: int, limit: int, after: int = 0
    ) -> list[StoredMessage]:
        """Visible messages of instances owned by this lease, by (visible_at, id); `id > after`.

        `after` leaves out what was stored before a known message; a timer that has become due
        since has an old id, so look for those with `after=0`.
        """

    async def next_due(self, *, now: int) -> int | None:
        """The earliest `visible_at` later than `now`, of any inbox message."""

    def changed(self) -> bool:
        """Whether anybody has made a request (create, send, resume …) since the last call.

        From this process or another. Cheap; called on the loop. What `commit` stores does not
        count. Never a false no; a false yes is allowed.
        """

    async def load(self, instance_ids: Sequence[str], *, now: int) -> list[LoadedInstance]:
        """What live states are rebuilt from, many at once; unknown ids are left out.

        Of the current execution the newest snapshot and the pages after it, and the inbox as far
        as it is visible at `now`, all of one moment.
        """

    async def suspend(self, lease: Lease, instance_id: str, *, reason: str, now: int) -> None:
        """Set an instance of this lease aside: nothing claims it until `resume`.

        Its inbox stays and still takes messages. Raises `LeaseLost` when the lease does not own it.
        """

    async def resume(self, instance_id: str, *, now: int) -> bool:
        """Let a suspended instance go on, attempts 0. False when it was not suspended."""

    # -- requests, from any process ---------------------------------------------------------------
    async def create(self, creations: Sequence[Creation]) -> list[InstanceRecord | None]:
        """Create instances in one transaction; per creation None, or the record that has the id."""

    async def send(self, sends: Sequence[Send]) -> list[InstanceRecord | None]:
        """Deliver messages in one transaction (G10).

        Per send the target's record (as it was), or None when there is no such instance. Nothing
        is stored for one that has ended.
        """

    async def rebase(self, move: Rebase) -> bool:
        """Move an execution to another revision (G18); False when the fence does not hold.

        What owned it learns by its next commit, which is stale.
        """

    # -- reads ------------------------------------------------------------------------------------
    async def get(self, instance_id: str) -> InstanceRecord | None:
        """One instance."""

    async def executions(self, instance_id: str) -> list[ExecutionRecord]:
        """All executions, oldest first, the current one last."""

    async def history(
        self, instance_id: str, *, execution: int, after: int = 0, limit: int = 1000
    ) -> list[Page]:
        """Pages with `last_seq > after`, in order."""

    async def counts(self) -> dict[tuple[str, str, str], int]:
        """How many instances there are by (workflow, version, status)."""

    async def stranded(self, *, now: int) -> list[str]:
        """Ids of non-terminal instances without any pending cause; must be empty (I8)."""

    async def prune(self, *, finished_before: int, limit: int) -> int:
        """Remove terminal instances that ended before; returns how many (G16)."""

    # -- versions ---------------------------------------------------------------------------------
    async def change(self, change: ChangeSet) -> Changed:
        """Change the catalogue in one transaction (G15, G20-G22).

        A release whose version is stored with another revision is a conflict: then nothing is
        stored, and the answer says which. Raises `StaleState`, and `UnknownVersion` or
        `VersionWithdrawn` for a state or a policy of a version that is not there.
        """

    async def catalog_version(self) -> int:
        """The version of the catalogue (G21). Cheap: asked at every start."""

    async def catalog(self, *, known: int | None = None) -> Listing | None:
        """All versions without their sources, all policies; None when it is the known one."""

    async def audit(
        self, name: str | None = None, *, after: int = 0, limit: int = 1000
    ) -> list[AuditRow]:
        """Changes of the catalogue (of one name) with `id > after`, in order."""

    async def version_report(self, name: str) -> list[VersionReport]:
        """How each version of a name stands, in order of deployment (G23)."""

    async def prune_version(
        self, name: str, version: str, *, at: int, actor: str | None, commit: str | None = None
    ) -> int:
        """Remove graph and source of a version; the catalogue version (G24).

        The row stays, as `pruned`; so it is done once, and the graph stays while another version
        has the same revision. Raises `UnknownVersion`, and `VersionInUse` with the references.
        """

    async def unservable(self, levels: Sequence[int], *, limit: int = 100) -> list[InstanceRecord]:
        """Instances that have not ended and are of none of these semantics levels, oldest first."""

    async def deployments(self, name: str | None = None) -> list[Deployment]:
        """All deployed versions (of one name), in order of deployment; sources included."""

    async def graph(self, revision: str) -> bytes | None:
        """The graph of a revision."""

    # -- development ------------------------------------------------------------------------------
    async def mode(self) -> Mode:
        """What kind of store this is: `dev`, or `none` in particular."""

    async def for_development(self) -> bool:
        """Make an unused store one for development (G19); False when it is another."""

    # -- care -------------------------------------------------------------------------------------
    async def info(self, *, now: int) -> StoreInfo:
        """What this store is and how it does."""

    # Last, because in a class body its name hides the type of the same name from what follows.
    async def list(
        self, where: InstanceFilter, *, after: str | None, limit: int
    ) -> list[InstanceRecord]:
        """Instances, newest first; `after` is the last id of the page before."""
