"""Endings: what follows when an execution is over.

Every terminal path comes through here, limits and termination included: the parent is told, and
what was decided before goes out in the same commit. A continue-as-new begins the next execution in
the same turn, so an instance that goes on always has one that runs.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from engine.client.starting import pin_of, started_fact
from engine.errors import RegistryError
from engine.history import events as ev
from engine.history.codec import decode_page, encode_event, encode_page
from engine.history.letters import read_letter, write_letter
from engine.interpreter.execution import Execution
from engine.runtime.live import BASE_BYTES
from engine.runtime.turn import encode_json, signal_refusal
from engine.storage.records import Delta, Message, Page, Send, Status, Summary
from engine.values.version import VersionRange, parse_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.interpreter.program import Program
    from engine.registry.catalog import Resolved
    from engine.runtime.turn import Turn
    from engine.storage.records import InstanceRecord, Pin, StoredMessage
    from engine.values.json import Json


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
    pin, program, value, reason, problem = _next_version(turn, ended)
    live.pin, live.program = pin, program
    live.run = Execution(program)
    live.saved_seq, live.size, live.warned = 0, BASE_BYTES, False
    turn.next_pin = pin
    turn.first_seq = 1
    first = started_fact(
        live.id,
        pin,
        value,
        execution=started.execution + 1,
        config=started.config,
        parent=started.parent,
        mailbox=before.mail(),
        custom_status=before.custom_status,
        resolution=reason,
    )
    if problem is None:
        return [first]
    error = ev.Failure(type="sys.validation", message=problem)
    return [first, ev.Aborted(at=0, error=error)]


def _refusal(program: Program, before: Pin, resolved: Resolved, value: Json) -> str | None:
    """Why a version does not take over the state of another one, or None."""
    accepted = program.graph.accepts_state_from
    moves = resolved.revision != before.revision
    from_here = parse_version(before.version)
    if moves and accepted is not None and not VersionRange.parse(accepted).matches(from_here):
        return f"accepts state from {accepted}, not from {before.version}"
    problem = program.input_schema.problem(value)
    if problem is None:
        return None
    return f"refuses the input at `{problem.path}`: {problem.message}"


def _next_version(
    turn: Turn, ended: ev.ContinuedAsNew
) -> tuple[Pin, Program, Json, str, str | None]:
    """The version of the next execution: pin, program, input, reason, and why it cannot begin.

    A newer version that refuses the input is not taken: the instance stays on its own.
    """
    live = turn.live
    blocked = ""
    if ended.version != "pinned":
        wanted = None if ended.version == "policy" else ended.version
        try:
            resolved, program = turn.programs.resolve(live.pin.workflow, wanted)
        except RegistryError as error:
            blocked = f"stayed: {error.message}"
        else:
            value = program.input_schema.fill(ended.input)
            refusal = _refusal(program, live.pin, resolved, value)
            if refusal is None:
                return pin_of(resolved), program, value, resolved.reason, None
            blocked = f"upgrade_blocked: {resolved.version} {refusal}"
    value = live.program.input_schema.fill(ended.input)
    problem = live.program.input_schema.problem(value)
    why = f"input refused at `{problem.path}`: {problem.message}" if problem else None
    return live.pin, live.program, value, blocked or "pinned", why
