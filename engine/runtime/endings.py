"""Endings: what follows when an execution is over.

Every terminal path comes through here, limits and termination included: the parent is told, and
what was decided before goes out in the same commit. A continue-as-new begins the next execution in
the same turn, so an instance that goes on always has one that runs.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from engine.client.starting import started_fact
from engine.history import events as ev
from engine.history.codec import decode_page, encode_event, encode_page
from engine.history.letters import read_letter, write_letter
from engine.interpreter.execution import Execution
from engine.runtime.live import BASE_BYTES
from engine.runtime.succession import Awaited, next_version
from engine.runtime.turn import encode_json, signal_refusal
from engine.storage.records import Delta, Message, Page, Send, Status, Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runtime.turn import Turn
    from engine.storage.records import InstanceRecord, StoredMessage


def child_failure(instance_id: str, error: ev.Failure, verb: str = "failed") -> ev.Failure:
    """What a parent sees of a child that did not end well."""
    return ev.Failure(
        type="sys.child_failed",
        message=f"child `{instance_id}` {verb}: {error.message}",
        retryable=verb == "failed",
        cause=error,
    )


def termination(inbox: Sequence[StoredMessage]) -> ev.Terminated | None:
    """The demand to end the instance, if its inbox has one."""
    for message in inbox:
        with suppress(msgspec.MsgspecError):  # another one, which cannot be read
            fact = read_letter(message.payload).fact
            if isinstance(fact, ev.Terminated):
                return fact
    return None


def terminated_unread(
    record: InstanceRecord,
    inbox: Sequence[StoredMessage],
    fact: ev.Terminated,
    pages: Sequence[Page],
    *,
    now: int,
) -> Delta:
    """End an instance without its state: the fact behind what history there is.

    `pages` is where its history begins, for the address of the parent; if not even that can be
    read, the parent stays to be terminated too.
    """
    at = max(now, record.updated_at)
    failure = ev.Failure(type="sys.terminated", message=fact.reason or "terminated")
    seq = record.last_seq + 1
    event = encode_event(msgspec.structs.replace(fact, at=at))
    parent: ev.Parent | None = None
    with suppress(msgspec.MsgspecError, IndexError, AttributeError):
        parent = decode_page(pages[0].payload)[0].parent  # type: ignore[union-attr]
    sends = _refusals(record, inbox)
    if parent is not None:
        error = child_failure(record.instance_id, failure, "was terminated")
        letter = write_letter(ev.ChildFailed(at=0, ref=parent.ref, error=error))
        message = Message(parent.instance_id, letter, execution=parent.execution)
        sends.append(Send(message=message))
    return Delta(
        instance_id=record.instance_id,
        epoch=record.epoch,
        execution=record.execution,
        expected_seq=record.last_seq,
        summary=Summary(
            status="terminated",
            updated_at=at,
            finished_at=at,
            custom_status=record.custom_status,
            error=encode_json(failure),
            upgrade_blocked=record.upgrade_blocked,
        ),
        pages=(Page(record.execution, seq, seq, encode_page([event])),),
        consumed=tuple(message.id for message in inbox),
        sends=tuple(sends),
    )


def _refusals(record: InstanceRecord, inbox: Sequence[StoredMessage]) -> list[Send]:
    """What those hear who sent a signal that nobody took up."""
    message = f"instance `{record.instance_id}` has ended"
    error = ev.Failure(type="sys.instance_finished", message=message)
    sends = []
    for one in inbox:
        with suppress(msgspec.MsgspecError):
            to = read_letter(one.payload).reply
            if to is not None:
                refused = write_letter(ev.SignalRefused(at=0, ref=to.ref, error=error))
                sends.append(Send(message=Message(to.instance_id, refused, execution=to.execution)))
    return sends


def execution_ended(turn: Turn) -> list[ev.Fact]:
    """Settle the end of the running execution; the facts that open the next one, if any."""
    live = turn.live
    ended, started = live.run.ended, live.run.started
    assert started is not None
    turn.over = True
    turn.starts.clear()
    live.open_activities = 0
    if isinstance(ended, ev.ContinuedAsNew):
        return _continue(turn, ended)
    status: Status
    output: bytes | None = None
    failure: ev.Failure | None = None
    outcome: ev.Fact
    ref = started.parent.ref if started.parent else 0
    match ended:
        case ev.Completed():
            status, output = "completed", encode_json(ended.output)
            outcome = ev.ChildCompleted(at=0, ref=ref, output=ended.output)
        case ev.Failed():
            status, failure = "failed", ended.error
            outcome = ev.ChildFailed(at=0, ref=ref, error=child_failure(live.id, ended.error))
        case ev.Cancelled() | ev.Terminated():
            status = "cancelled" if isinstance(ended, ev.Cancelled) else "terminated"
            failure = ev.Failure(
                type=f"sys.{status}",
                message=ended.reason or status,
                cause=getattr(ended, "error", None),
            )
            error = child_failure(live.id, failure, f"was {status}")
            outcome = ev.ChildFailed(at=0, ref=ref, error=error)
        case _:
            raise AssertionError(ended)
    turn.summary = Summary(
        status=status,
        updated_at=turn.now,
        finished_at=live.run.now,
        custom_status=live.custom_status,
        output=output,
        error=encode_json(failure) if failure is not None else None,
        upgrade_blocked=live.upgrade_blocked,
    )
    if started.parent is not None:
        turn.post(started.parent.instance_id, outcome, execution=started.parent.execution)
    _answer_the_rest(turn)
    return []


def _answer_the_rest(turn: Turn) -> None:
    """Signals that came too late: their senders hear of it."""
    for one in turn.live.told:
        if one.message is not None:
            turn.consumed.append(one.message)
        if one.reply is not None:
            fact: Any = one.fact
            error = signal_refusal(turn.live, fact.name, fact.payload, 0)
            assert error is not None
            refused = ev.SignalRefused(at=0, ref=one.reply.ref, error=error)
            turn.post(one.reply.instance_id, refused, execution=one.reply.execution)
        if one.ack is not None:
            turn.late.append(one.ack)
    turn.live.told.clear()


def _continue(turn: Turn, ended: ev.ContinuedAsNew) -> list[ev.Fact]:
    live, before = turn.live, turn.live.run
    started = before.started
    assert started is not None
    turn.close_page()
    turn.timers.clear()
    chosen = next_version(turn, ended)
    live.awaits = chosen.version if isinstance(chosen, Awaited) else None
    if isinstance(chosen, Awaited):
        return []  # nothing more happens to it before that version is there
    live.upgrade_blocked = chosen.blocked
    live.pin, live.program = chosen.pin, chosen.program
    live.run = Execution(chosen.program)
    live.saved_seq, live.size, live.warned = 0, BASE_BYTES, False
    turn.next_pin = chosen.pin
    turn.first_seq = 1
    first = started_fact(
        live.id,
        chosen.pin,
        chosen.input,
        execution=started.execution + 1,
        config=started.config,
        parent=started.parent,
        mailbox=before.mail(),
        custom_status=before.custom_status,
        resolution=chosen.reason,
    )
    if chosen.error is None:
        return [first]
    return [first, ev.Aborted(at=0, error=chosen.error)]
