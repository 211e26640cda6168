"""Rebasing: running instances of a workflow go over to another version, those whose history fits.

One instance after the other, by pages from the store: the history is judged (`registry.rebase`),
and a compatible instance is moved in one transaction, which fails when it has gone on meanwhile;
then what has come since is judged too. Nothing is locked, and no turn waits for this.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from engine.history.codec import encode_event, encode_page
from engine.history.events import Rebased
from engine.interpreter.view import calls_in_flight
from engine.registry.rebase import Trial, Verdict
from engine.storage.records import TERMINAL_STATUSES, InstanceFilter, Page, Pin, Rebase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.client.transport import Transport
    from engine.interpreter.program import Program
    from engine.registry.catalog import Resolved
    from engine.storage.records import InstanceRecord

PAGE = 200  # instances of one look at the store
TRIES = 20  # for an instance that goes on while it is judged

Result: TypeAlias = Literal["compatible", "diverges", "moved", "there", "not begun", "busy"]


class RebaseOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one instance.

    | result | |
    |---|---|
    | compatible | its history fits; nothing was changed (a dry run) |
    | moved | it is on the new version |
    | diverges | its history does not fit: see `verdict` |
    | there | it is on that version and revision already |
    | not begun | it has no history yet |
    | busy | it went on each time it was judged |
    """

    instance_id: str
    execution: int
    version: str
    status: str
    result: Result
    verdict: Verdict | None = None


async def rebase_all(
    transport: Transport, workflow: str, to: str, *, dry_run: bool
) -> AsyncIterator[RebaseOutcome]:
    """Every instance of a workflow that has not ended, newest first.

    Raises:
        UnknownWorkflow, UnknownVersion: there is nothing to go over to.
    """
    await transport.programs.refresh()
    resolved, program = transport.programs.resolve(workflow, to)
    where = InstanceFilter(workflow=workflow, status=("pending", "running", "suspended"))
    after: str | None = None
    while records := await transport.provider.list(where, after=after, limit=PAGE):
        for record in records:
            outcome = await _rebase(transport, record, resolved, program, dry_run=dry_run)
            if outcome is not None:
                yield outcome
        after = records[-1].instance_id


async def _rebase(
    transport: Transport,
    found: InstanceRecord,
    resolved: Resolved,
    program: Program,
    *,
    dry_run: bool,
) -> RebaseOutcome | None:
    """One instance; None when it has ended meanwhile."""
    record: InstanceRecord | None = found
    judged: _Judged | None = None
    for _ in range(TRIES):
        if record is None or record.status in TERMINAL_STATUSES:
            return None
        if (record.pin.version, record.pin.revision) == (resolved.version, resolved.revision):
            return _outcome(record, "there")
        if record.last_seq == 0:
            return _outcome(record, "not begun")
        if judged is None or not judged.is_about(record):
            current = await transport.programs.fetch(record.pin.revision)
            judged = _Judged(record, Trial(program, current))
        verdict = await judged.judge(transport)
        if verdict.compatible and not dry_run:
            async with transport.quiet():
                verdict = await judged.judge(transport)  # what has come since
                if await _moved(transport, judged, resolved):
                    return _outcome(record, "moved", verdict)
        if not verdict.compatible:
            return _outcome(record, "diverges", verdict)
        if dry_run and judged.trial.run.ended is None:
            return _outcome(record, "compatible", verdict)
        record = await transport.provider.get(record.instance_id)
    assert record is not None
    return _outcome(record, "busy")


class _Judged:
    """A trial of one execution, and how far its history was read."""

    def __init__(self, record: InstanceRecord, trial: Trial) -> None:
        self.record = record
        self.trial = trial
        self._after = 0

    def is_about(self, record: InstanceRecord) -> bool:
        """Whether the execution and what it runs on are those that are judged."""
        return (record.execution, record.pin) == (self.record.execution, self.record.pin)

    async def judge(self, transport: Transport) -> Verdict:
        """The verdict on all there is now."""
        name, execution = self.record.instance_id, self.record.execution
        history = transport.provider.history
        while pages := await history(name, execution=execution, after=self._after):
            await asyncio.to_thread(self.trial.feed, [page.payload for page in pages])
            self._after = pages[-1].last_seq
        return self.trial.verdict()


async def _moved(transport: Transport, judged: _Judged, resolved: Resolved) -> bool:
    if not judged.trial.verdict().compatible or judged.trial.run.ended is not None:
        return False
    return await transport.rebase(_move(transport, judged, resolved))


def _move(transport: Transport, judged: _Judged, resolved: Resolved) -> Rebase:
    run, record = judged.trial.run, judged.record
    at = max(transport.clock.now(), run.now)
    fact = Rebased(at=at, version=resolved.version, revision=resolved.revision)
    seq = run.seq + 1
    activities = len(calls_in_flight(run))
    return Rebase(
        instance_id=record.instance_id,
        execution=record.execution,
        expected_seq=run.seq,
        pin=Pin(resolved.name, resolved.version, resolved.revision, record.pin.semantics),
        page=Page(record.execution, seq, seq, encode_page([encode_event(fact)])),
        at=at,
        open_activities=activities,
        open_waits=len(run.open) - activities,
    )


def _outcome(
    record: InstanceRecord, result: Result, verdict: Verdict | None = None
) -> RebaseOutcome:
    return RebaseOutcome(
        instance_id=record.instance_id,
        execution=record.execution,
        version=record.pin.version,
        status=record.status,
        result=result,
        verdict=verdict,
    )
