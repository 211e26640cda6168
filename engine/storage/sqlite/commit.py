"""The write path: the turns of many instances in one transaction.

::

    lease and token ── turns (rows, pages, own inbox) ── mail (children, sends) ── result of token

Rule 1: the whole group takes a handful of `executemany` calls. Their row counts are the fence: when
one is short the group is undone and taken again delta by delta, each under a savepoint, so that
only the stale and the duplicate ones are left out.
Rule 2: all turns come before all mail. A group therefore means the same both ways, whatever the
order of its deltas: who ends in this commit takes no message of it.
Rule 3: nothing here depends on the length of a history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import LeaseLost, StorageError
from engine.storage.records import (
    TERMINAL_STATUSES,
    CommitResult,
    DeltaOutcome,
    StoredMessage,
)
from engine.storage.sqlite import rows
from engine.storage.sqlite.mail import Mail, create_row, creation_row, is_pruned
from engine.storage.sqlite.queries import SQL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from engine.storage.records import Delta, Lease, Pin

_APPLIED = DeltaOutcome()
_STALE = DeltaOutcome("stale")
_OWNED = ("pending", "running")


class _Remembered(msgspec.Struct, frozen=True):
    """The result of a commit as kept for a repetition: what was not applied, what was delivered."""

    deltas: int
    refused: dict[int, DeltaOutcome]
    delivered: list[int]


def check_pages(deltas: Sequence[Delta]) -> None:
    """Refuse pages that would leave a gap (G4); that is a defect of the caller.

    Raises:
        StorageError: pages not contiguous from `expected_seq`, or of a foreign execution.
    """
    for delta in deltas:
        last = {delta.execution: delta.expected_seq, delta.execution + 1: 0}
        if delta.next_pin is None:
            del last[delta.execution + 1]
        for page in delta.pages:
            before = last.get(page.execution)
            if before is None or page.first_seq != before + 1 or page.last_seq < page.first_seq:
                raise StorageError(
                    f"instance `{delta.instance_id}`: page {page.first_seq}-{page.last_seq} of "
                    f"execution {page.execution} does not follow event {before}"
                )
            last[page.execution] = page.last_seq


def commit(
    raw: sqlite3.Connection, lease: Lease, token: int, deltas: Sequence[Delta]
) -> CommitResult:
    """Store a group; runs inside a transaction."""
    remembered = raw.execute(SQL["node_commit"], (lease.epoch, lease.node)).fetchone()
    if remembered is None:
        raise LeaseLost(f"node `{lease.node}` holds the store no longer")
    if remembered[0] == token:
        return _repeat(raw, remembered[1])
    timers: list[StoredMessage] = []
    outcomes = _store_turns(raw, lease, deltas, timers)
    mail = Mail(raw, owner=lease.epoch)
    mail.delivered = timers
    for delta, outcome in zip(deltas, outcomes, strict=True):
        _send_mail(mail, delta, outcome)
    result = CommitResult(tuple(outcomes), tuple(mail.delivered))
    raw.execute(SQL["record_commit"], (token, _remember(result), lease.epoch))
    return result


def _store_turns(
    raw: sqlite3.Connection, lease: Lease, deltas: Sequence[Delta], timers: list[StoredMessage]
) -> list[DeltaOutcome]:
    raw.execute(SQL["savepoint"])
    distinct = len({delta.instance_id for delta in deltas}) == len(deltas)
    if distinct and _Turns(lease.epoch, deltas).store(raw, timers):
        raw.execute(SQL["release_delta"])
        return [_APPLIED] * len(deltas)
    raw.execute(SQL["rollback_delta"])
    timers.clear()
    outcomes = [_store_alone(raw, lease, delta, timers) for delta in deltas]
    raw.execute(SQL["release_delta"])
    # A later delta of the group may have withdrawn what an earlier one of its instance set.
    timers[:] = _still_there(raw, [timer.id for timer in timers])
    return outcomes


def _store_alone(
    raw: sqlite3.Connection, lease: Lease, delta: Delta, timers: list[StoredMessage]
) -> DeltaOutcome:
    raw.execute(SQL["savepoint"])
    own: list[StoredMessage] = []
    outcome = _try_alone(raw, lease, delta, own)
    if outcome is _APPLIED:
        timers.extend(own)
    else:
        raw.execute(SQL["rollback_delta"])
    raw.execute(SQL["release_delta"])
    return outcome


def _try_alone(
    raw: sqlite3.Connection, lease: Lease, delta: Delta, timers: list[StoredMessage]
) -> DeltaOutcome:
    if delta.create is not None:
        key = create_row(raw, delta.create, owner=lease.epoch, exact=True)
        if key is None and is_pruned(raw, delta.create):
            return DeltaOutcome("duplicate", "pruned")
        if key is None:
            status = raw.execute(SQL["address"], (delta.instance_id,)).fetchone()[1]
            return DeltaOutcome("duplicate", status)
    turns = _Turns(lease.epoch, (delta,), born=delta.create is not None)
    return _APPLIED if turns.store(raw, timers) else _STALE


class _Turns:
    """The rows of a group, gathered statement by statement."""

    def __init__(self, owner: int, deltas: Sequence[Delta], *, born: bool = False) -> None:
        self._owner = owner
        self._deltas = deltas
        self._born = born  # the row of a created instance is there already, as `pending`
        self._created: list[tuple[Any, ...]] = []
        self._turns: list[tuple[Any, ...]] = []
        self._settled: list[tuple[Any, ...]] = []
        self._archived: list[tuple[Any, ...]] = []
        self._continued: list[tuple[Any, ...]] = []
        self._pages: list[tuple[Any, ...]] = []
        self._consumed: list[tuple[int, str]] = []
        self._withdrawn: list[tuple[str, int, int]] = []
        self._left: list[tuple[str, int]] = []
        self._ended: list[tuple[str]] = []
        self._snapshots: list[tuple[Any, ...]] = []
        for delta in deltas:
            self._gather(delta)

    def store(self, raw: sqlite3.Connection, timers: list[StoredMessage]) -> bool:
        """Store all; False (and half stored) when a fence did not hold."""
        for name, fenced in (
            ("create_instance", self._created),
            ("turn", self._turns),
            ("settle", self._settled),
            ("archive_continued", self._archived),
            ("continue", self._continued),
        ):
            if fenced and raw.executemany(SQL[name], fenced).rowcount != len(fenced):
                return False
        if self._pages:
            raw.executemany(SQL["add_page"], self._pages)
        self._store_timers(raw, timers)
        ended = self._ended
        for name, loose in (
            ("consume", self._consumed),
            ("withdraw", self._withdrawn),
            ("drop_execution_messages", self._left),
            ("drop_inbox", ended),
            ("drop_snapshot", ended + [(left[0],) for left in self._left]),
            ("save_snapshot", self._snapshots),
        ):
            if loose:
                raw.executemany(SQL[name], loose)
        return True

    def _gather(self, delta: Delta) -> None:
        name = delta.instance_id
        if delta.pages:
            self._pages.extend(
                (page.execution, page.first_seq, page.last_seq, page.payload, name)
                for page in delta.pages
            )
        self._gather_summary(delta)
        if delta.consumed:
            self._consumed.extend((message, name) for message in delta.consumed)
        if delta.withdrawn:
            self._withdrawn.extend((name, delta.execution, token) for token in delta.withdrawn)
        if delta.next_pin is not None:
            self._left.append((name, delta.execution))
        if delta.summary.status in TERMINAL_STATUSES:
            self._ended.append((name,))
        elif delta.snapshot is not None:
            saved = delta.snapshot
            self._snapshots.append((saved.execution, saved.seq, saved.payload, name))

    def _gather_summary(self, delta: Delta) -> None:
        summary = delta.summary
        status = summary.status
        created = delta.create if not self._born else None
        running = status == "running"
        if created is not None:
            self._created.append(
                creation_row(created, owner=self._owner, status="running" if running else "pending")
            )
        last_seq = delta.pages[-1].last_seq if delta.pages else delta.expected_seq
        fence = (
            delta.instance_id,
            self._owner,
            delta.epoch,
            delta.execution,
            delta.expected_seq,
        )
        shown = (
            summary.updated_at,
            last_seq,
            0 if delta.pages else 1,
            summary.open_activities,
            summary.open_waits,
            summary.custom_status,
            summary.upgrade_blocked,
            summary.awaits_version,
        )
        if running and delta.next_pin is None and (created or delta.expected_seq > 0):
            self._turns.append(shown + fence)
            return
        finished_at = summary.finished_at
        if finished_at is None and status in TERMINAL_STATUSES:
            finished_at = summary.updated_at
        owner = self._owner if status in _OWNED else None
        settled = (*shown, status, summary.output, summary.error, finished_at, owner)
        if delta.next_pin is None:
            self._settled.append(settled + fence)
        else:
            self._gather_next(delta, delta.next_pin, settled, fence)

    def _gather_next(
        self, delta: Delta, pin: Pin, settled: tuple[Any, ...], fence: tuple[Any, ...]
    ) -> None:
        now = delta.summary.updated_at
        last = {delta.execution: delta.expected_seq, delta.execution + 1: 0}
        for page in delta.pages:
            last[page.execution] = page.last_seq
        self._archived.append((last[delta.execution], now, *fence))
        pins = (pin.workflow, pin.version, pin.revision, pin.semantics, now)
        shown = (settled[0], last[delta.execution + 1], *settled[2:])
        self._continued.append((*shown, *pins, *fence, pin.workflow, pin.version))

    def _store_timers(self, raw: sqlite3.Connection, due: list[StoredMessage]) -> None:
        later: list[tuple[Any, ...]] = []
        for delta in self._deltas:
            if not delta.timers or delta.summary.status in TERMINAL_STATUSES:
                continue
            name, now = delta.instance_id, delta.summary.updated_at
            current = delta.execution + (delta.next_pin is not None)
            for timer in delta.timers:
                if timer.execution not in (None, current):
                    continue  # of the execution that ends here
                if timer.token in delta.withdrawn and timer.execution == delta.execution:
                    continue  # set and given up in one turn
                row = (timer.visible_at, timer.execution, timer.token, timer.payload, name)
                if timer.visible_at > now:
                    later.append(row)
                    continue
                key = raw.execute(SQL["add_timer"], row).lastrowid
                if key is not None:
                    due.append(
                        StoredMessage(key, name, timer.payload, timer.visible_at, timer.execution)
                    )
        if later:
            raw.executemany(SQL["add_timer"], later)


def _send_mail(mail: Mail, delta: Delta, outcome: DeltaOutcome) -> None:
    mail.now = delta.summary.updated_at
    applied = outcome.result == "applied"
    created = delta.create
    if created is not None and outcome.result != "stale":
        if applied:
            mail.start(created)
        mail.answer(created, created=applied)
    if applied:
        for child in delta.children:
            mail.create(child)
        for send in delta.sends:
            mail.send(send)


def _remember(result: CommitResult) -> bytes:
    refused = {
        index: outcome for index, outcome in enumerate(result.outcomes) if outcome is not _APPLIED
    }
    return msgspec.msgpack.encode(
        _Remembered(len(result.outcomes), refused, [m.id for m in result.delivered])
    )


def _repeat(raw: sqlite3.Connection, encoded: bytes) -> CommitResult:
    first = msgspec.msgpack.decode(encoded, type=_Remembered)
    return CommitResult(
        tuple(first.refused.get(index, _APPLIED) for index in range(first.deltas)),
        tuple(_still_there(raw, first.delivered)),
    )


def _still_there(raw: sqlite3.Connection, ids: list[int]) -> list[StoredMessage]:
    found = raw.execute(SQL["messages_by_id"], (msgspec.json.encode(ids).decode(),))
    by_id = {row[0]: rows.message(row) for row in found}
    return [by_id[key] for key in ids if key in by_id]
