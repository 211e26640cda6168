"""What holds of every instance a case leaves behind, whatever the case was about.

I2 seq from 1 without a gap (asserted on reading, in `history_view`)
I3 at most one completion for a decision
I4 one terminal event, the last but for facts that came too late; none while it runs
I5 replay derives the same decisions
I6 the pins stay within an execution
I7 no timer fired early
I8 what was opened is closed once and rightly, and nothing owned is open at the end
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from engine import Client
from engine.history.events import (
    ActivityCompleted,
    ActivityFailed,
    ChildCompleted,
    ChildFailed,
    ContinuedAsNew,
    Event,
    FactBase,
    Started,
    TimerCreated,
    TimerFired,
)
from engine.interpreter.program import Program
from engine.interpreter.replay import replay
from tests.interpreter.open_decisions import check_open_decisions
from tests.scenarios.history_view import ENDS, history_of, page_of

ENDED = ("completed", "failed", "cancelled", "terminated")
ANSWERS = (ActivityCompleted, ActivityFailed, ChildCompleted, ChildFailed, TimerFired)


async def check_invariants(client: Client, programs: dict[str, Program]) -> None:
    """Assert them of every execution in the store. `programs` by revision."""
    for listed in await client.list(limit=1000):
        info = await client.get(listed.instance_id)
        for execution in range(1, info.execution + 1):
            events = await history_of(client, info.instance_id, execution)
            last = execution == info.execution
            check_execution(events, ended=not last or info.status in ENDED, last=last)
            started = events[0]
            assert isinstance(started, Started)
            assert (started.instance_id, started.execution) == (info.instance_id, execution)
            if last:
                assert (started.version, started.workflow) == (info.version, info.workflow)
            replay(programs[started.revision], [page_of(events)])


def check_execution(events: list[Event], *, ended: bool, last: bool) -> None:
    """Assert what holds within one history."""
    assert sum(isinstance(event, Started) for event in events) == 1
    ends = [event for event in events if isinstance(event, ENDS)]
    assert len(ends) == int(ended), ends
    if last and ended:
        assert not isinstance(ends[0], ContinuedAsNew)
    answered = Counter(event.ref for event in events if isinstance(event, ANSWERS))
    assert all(times == 1 for times in answered.values()), answered
    check_times(events)
    check_open_decisions(events, ended=ended)


def check_times(events: list[Event]) -> None:
    """Assert that recorded time does not run backwards and that no timer was early."""
    facts = [event for event in events if isinstance(event, FactBase)]
    assert all(one.at <= other.at for one, other in pairwise(facts))
    for event in events:
        if isinstance(event, TimerFired):
            timer = events[event.ref - 1]
            assert isinstance(timer, TimerCreated)
            assert event.at >= timer.due_at, "a timer fired early"
