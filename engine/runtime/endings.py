"""Endings: what follows when an execution is over.

Every terminal path comes through here, limits and termination included: the parent is told, and
what was decided before goes out in the same commit. A continue-as-new begins the next execution in
the same turn, so an instance that goes on always has one that runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.client.starting import pin_of, started_fact
from engine.errors import RegistryError
from engine.history import events as ev
from engine.interpreter.execution import Execution
from engine.runtime.live import BASE_BYTES
from engine.runtime.turn import encode_json, signal_refusal
from engine.storage.records import Status, Summary
from engine.values.version import VersionRange, parse_version

if TYPE_CHECKING:
    from engine.interpreter.program import Program
    from engine.registry.catalog import Resolved
    from engine.runtime.turn import Turn
    from engine.storage.records import Pin
    from engine.values.json import Json


def child_failure(instance_id: str, error: ev.Failure, verb: str = "failed") -> ev.Failure:
    """What a parent sees of a child that did not end well."""
    return ev.Failure(
        type="sys.child_failed",
        message=f"child `{instance_id}` {verb}: {error.message}",
        retryable=verb == "failed",
        cause=error,
    )


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
    live.saved_seq, live.size = 0, BASE_BYTES
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
