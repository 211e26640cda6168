"""What holds of the open decisions within one history; `tests.scenarios.invariants` has the rest.

Every answer and every withdrawal belongs to an earlier decision of the fitting kind, which is
closed once and for all by either; when the execution has ended, nothing that it owns is open.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.history.events import (
    ActivityCancelled,
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ChildCancelled,
    ChildCompleted,
    ChildFailed,
    ChildScheduled,
    ChildStarted,
    Event,
    SignalDelivered,
    SignalRefused,
    SignalSent,
    SignalTaken,
    TimerCancelled,
    TimerCreated,
    TimerFired,
    WaitClosed,
    WaitOpened,
)

CLOSES: dict[type, type] = {
    ActivityCompleted: ActivityScheduled,
    ActivityFailed: ActivityScheduled,
    ActivityCancelled: ActivityScheduled,
    TimerFired: TimerCreated,
    TimerCancelled: TimerCreated,
    ChildCompleted: ChildScheduled,
    ChildFailed: ChildScheduled,
    ChildCancelled: ChildScheduled,
    SignalDelivered: SignalSent,
    SignalRefused: SignalSent,
    WaitClosed: WaitOpened,
}
OWNED = (ActivityScheduled, TimerCreated, ChildScheduled, WaitOpened)


def open_refs(events: Sequence[Event]) -> dict[int, Event]:
    """The decisions that are open after these events; asserts that each was closed rightly."""
    opened: dict[int, Event] = {}
    for seq, event in enumerate(events, 1):
        if isinstance(event, (*OWNED, SignalSent)):
            opened[seq] = event
        elif isinstance(event, SignalTaken):
            _taken(event, opened)
        elif isinstance(event, ChildStarted):
            _begun(event, opened)
        elif type(event) in CLOSES:
            ref: int = event.ref  # type: ignore[attr-defined]
            closed = opened.pop(ref, None)
            assert type(closed) is CLOSES[type(event)], (seq, event, closed)
    return opened


def check_open_decisions(events: Sequence[Event], *, ended: bool) -> None:
    """Assert the above; what was sent out and not owned may stay open at the end."""
    left = [event for event in open_refs(events).values() if isinstance(event, OWNED)]
    if ended:
        owned = [one for one in left if not (isinstance(one, ChildScheduled) and one.detached)]
        assert owned == []


def _taken(event: SignalTaken, opened: dict[int, Event]) -> None:
    """A wait that was open is over; one that found its signal waiting never was."""
    for ref, other in opened.items():
        if isinstance(other, WaitOpened) and other.path == event.path:
            assert other.name == event.name
            del opened[ref]
            return


def _begun(event: ChildStarted, opened: dict[int, Event]) -> None:
    child = opened.get(event.ref)
    assert isinstance(child, ChildScheduled), event
    if child.detached:
        del opened[event.ref]
