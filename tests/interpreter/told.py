"""Decisions as the lines of a case.

call a · call a #2          an activity, its attempt          stop a
timer a +5s sleep           a timer, its delay and purpose    untimer a
child a -> id · start a -> id                                 stop child a
send a -> to name           wait a name · take a name #1      unwait a
status <json> · log <level> <text>
completed <json> · failed <type> · cancelled <reason> · continued <json>
"""

from __future__ import annotations

from typing import Any

from engine.history import events as ev
from engine.values.digest import canonical_json
from engine.values.duration import format_duration


def line_of(decision: Any, history: list[Any], now: int) -> str:
    """One decision, told; `history` is what came before it."""
    path = _path(decision, history)
    match decision:
        case ev.ActivityScheduled():
            return f"call {path}{_attempt(decision.attempt)}"
        case ev.ChildScheduled():
            verb = "start" if decision.detached else "child"
            return f"{verb} {path} -> {decision.instance_id}"
        case ev.TimerCreated():
            return f"timer {path} +{format_duration(decision.due_at - now)} {decision.purpose}"
        case ev.SignalSent():
            return f"send {path} -> {decision.to} {decision.name}"
        case ev.WaitOpened():
            return f"wait {path} {decision.name}"
        case ev.SignalTaken():
            return f"take {path} {decision.name} #{decision.ordinal}"
        case ev.StatusSet():
            return f"status {_json(decision.value)}"
        case ev.Logged():
            return f"log {decision.level} {decision.text}"
    return _end(decision, path)


def _end(decision: Any, path: str) -> str:
    match decision:
        case ev.ActivityCancelled():
            return f"stop {path}"
        case ev.ChildCancelled():
            return f"stop child {path}"
        case ev.TimerCancelled():
            return f"untimer {path}"
        case ev.WaitClosed():
            return f"unwait {path}"
        case ev.Completed():
            return f"completed {_json(decision.output)}"
        case ev.Failed():
            return f"failed {decision.error.type}"
        case ev.Cancelled():
            return f"cancelled {decision.reason or '-'}"
        case ev.ContinuedAsNew():
            return f"continued {_json(decision.input)}"
    raise AssertionError(decision)


def _path(decision: Any, history: list[Any]) -> str:
    ref = getattr(decision, "ref", None)
    about = decision if ref is None else history[ref - 1]
    return getattr(about, "path", "") or "(workflow)"


def _attempt(attempt: int) -> str:
    return "" if attempt == 1 else f" #{attempt}"


def _json(value: Any) -> str:
    return canonical_json(value).decode()
