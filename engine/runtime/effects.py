"""Effects: what each kind of decision asks of the store and of the node.

A table from decision to function. An effect returns a fact when the answer is certain at once: the
child got an id of its own, or the wanted version does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.client.starting import pin_of, started_fact
from engine.errors import RegistryError
from engine.history import events as ev
from engine.history.letters import write_letter
from engine.runtime.turn import encode_json
from engine.storage.records import Creation, Message, Send

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.runtime.turn import Turn


def _schedule(turn: Turn, seq: int, decision: ev.ActivityScheduled) -> None:
    turn.starts[seq] = decision
    turn.live.open_activities += 1


def _unschedule(turn: Turn, seq: int, decision: ev.ActivityCancelled) -> None:
    turn.live.open_activities -= 1
    if turn.starts.pop(decision.ref, None) is None:
        turn.stops.append(decision.ref)


def _set_timer(turn: Turn, seq: int, decision: ev.TimerCreated) -> None:
    turn.timers[seq] = decision.due_at


def _drop_timer(turn: Turn, seq: int, decision: ev.TimerCancelled) -> None:
    if turn.timers.pop(decision.ref, None) is None:
        turn.withdrawn.append(decision.ref)


def _log(turn: Turn, seq: int, decision: ev.Logged) -> None:
    turn.logs.append(decision)


def _set_status(turn: Turn, seq: int, decision: ev.StatusSet) -> None:
    turn.live.custom_status = encode_json(decision.value)


def _cancel_child(turn: Turn, seq: int, decision: ev.ChildCancelled) -> None:
    reason = decision.reason or "the parent no longer waits for it"
    turn.post(decision.instance_id, ev.CancelRequested(at=0, reason=reason))


def _send_signal(turn: Turn, seq: int, decision: ev.SignalSent) -> None:
    def refused(kind: str, message: str) -> Message:
        error = ev.Failure(type=kind, message=message, step=decision.path)
        return turn.to_self(ev.SignalRefused(at=0, ref=seq, error=error))

    to = decision.to
    fact = ev.SignalReceived(at=0, name=decision.name, payload=decision.payload)
    turn.sends.append(
        Send(
            message=Message(to, write_letter(fact, turn.me(seq))),
            missing=refused("sys.instance_not_found", f"no instance `{to}`"),
            finished=refused("sys.instance_finished", f"instance `{to}` has ended"),
        )
    )


def _start_child(turn: Turn, seq: int, decision: ev.ChildScheduled) -> ev.Fact | None:
    """Create the child in the same commit; the version is the one known at this moment."""

    def failed(kind: str, message: str) -> ev.Fact:
        error = ev.Failure(type=kind, message=message, step=decision.path)
        return ev.ChildFailed(at=0, ref=seq, error=error)

    try:
        resolved, program = turn.programs.resolve(
            decision.workflow, decision.range, instance_id=decision.instance_id
        )
    except RegistryError as error:
        return failed("sys.unknown_version", error.message)
    value = program.input_schema.fill(decision.input)
    problem = program.input_schema.problem(value)
    if problem is not None:
        return failed(
            "sys.validation",
            f"input of `{decision.workflow}` refused at `{problem.path}`: {problem.message}",
        )
    child, pin = decision.instance_id, pin_of(resolved)
    letter = started_fact(
        child,
        pin,
        value,
        config=turn.options.config,
        parent=None if decision.detached else turn.me(seq),
        resolution=resolved.reason,
    )
    begun = ev.ChildStarted(
        at=0, ref=seq, instance_id=child, version=pin.version, revision=pin.revision
    )
    own_id = child.startswith(f"{turn.live.id}/")  # derived from path and execution: always free
    turn.children.append(
        Creation(
            instance_id=child,
            pin=pin,
            created_at=turn.now,
            start=write_letter(letter),
            parent_id=turn.live.id,
            claimed=True,
            then=None if own_id else turn.to_self(begun),
            otherwise=turn.to_self(failed("sys.instance_exists", f"instance `{child}` exists")),
        )
    )
    turn.born[child] = (pin, program)
    return begun if own_id else None


EFFECTS: dict[type, Callable[[Turn, int, Any], ev.Fact | None]] = {
    ev.ActivityScheduled: _schedule,
    ev.ActivityCancelled: _unschedule,
    ev.TimerCreated: _set_timer,
    ev.TimerCancelled: _drop_timer,
    ev.ChildScheduled: _start_child,
    ev.ChildCancelled: _cancel_child,
    ev.SignalSent: _send_signal,
    ev.StatusSet: _set_status,
    ev.Logged: _log,
}
