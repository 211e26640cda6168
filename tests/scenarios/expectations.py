"""Compares what became of the instances and the stage with what the case expects."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.history.events import (
    Cancelled,
    Completed,
    Event,
    FactBase,
    Failed,
    Logged,
    StatusSet,
    Terminated,
    TimerCreated,
)
from tests.scenarios.case_format import Outcome
from tests.scenarios.history_view import fits, kind_of
from tests.scenarios.scenario import Scenario


async def check_expectations(scenario: Scenario) -> None:
    """Assert all that the case expects."""
    expect = scenario.case.expect
    if scenario.case.main:
        await check_instance(scenario, "main", expect)
        if expect.elapsed is not None:
            spent = (scenario.ended - scenario.began) * 1000
            assert expect.elapsed.at_least <= spent <= expect.elapsed.at_most
    for instance_id, outcome in expect.instances.items():
        if outcome is None:
            assert not await scenario.exists(instance_id), f"there is an instance {instance_id}"
        else:
            await check_instance(scenario, instance_id, outcome)
    stage = scenario.stage
    if expect.calls is not None:
        assert stage.calls == expect.calls, stage.calls
    if expect.calls_in_any_order is not None:
        assert sorted(stage.calls) == sorted(expect.calls_in_any_order)
    if expect.stopped is not None:
        assert sorted(stage.stopped) == sorted(expect.stopped)


async def check_instance(scenario: Scenario, instance_id: str, outcome: Outcome) -> None:
    """Assert what is expected of one instance."""
    info = await scenario.client.get(instance_id)
    events = await scenario.all_events(instance_id)
    assert info.status == outcome.status, told(events)
    if outcome.version is not None:
        assert info.version == outcome.version
    if outcome.executions is not None:
        assert info.execution == outcome.executions
    check_end(events, outcome)
    check_history(events, outcome)


def check_end(events: list[Event], outcome: Outcome) -> None:
    """Assert how the last execution ended."""
    if outcome.output is not msgspec.UNSET:
        (end,) = [event for event in events if isinstance(event, Completed)][-1:]
        assert end.output == outcome.output, (end.output, outcome.output)
    if outcome.error is not None:
        (failed,) = [event for event in events if isinstance(event, Failed)]
        error = {"retryable": False, **msgspec.to_builtins(failed.error)}
        assert part_of(outcome.error, error), error
    if outcome.reason is not None:
        (stopped,) = [event for event in events if isinstance(event, (Cancelled, Terminated))]
        assert stopped.reason == outcome.reason


def check_history(events: list[Event], outcome: Outcome) -> None:
    """Assert what the histories hold."""
    rest = iter(events)
    for pattern in outcome.history:
        assert any(fits(event, pattern) for event in rest), (pattern, told(events))
    counted = {kind: sum(fits(event, kind) for event in events) for kind in outcome.counts}
    assert counted == outcome.counts, told(events)
    for pattern in outcome.absent:
        assert not any(fits(event, pattern) for event in events), pattern
    if outcome.statuses is not None:
        seen = [event.value for event in events if isinstance(event, StatusSet)]
        assert seen == outcome.statuses
    if outcome.logs is not None:
        assert [event.text for event in events if isinstance(event, Logged)] == outcome.logs
    if outcome.delays is not None:
        assert delays_of(events) == outcome.delays


def delays_of(events: list[Event]) -> list[int]:
    """How many milliseconds each timer was to wait, counted from the fact that led to it."""
    delays, now = [], 0
    for event in events:
        if isinstance(event, FactBase):
            now = event.at
        if isinstance(event, TimerCreated):
            delays.append(round((event.due_at - now) / 1000))
    return delays


def part_of(wanted: Any, found: Any) -> bool:
    """Whether every key wanted is found with that value, at every depth."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(key in found and part_of(value, found[key]) for key, value in wanted.items())
    return bool(wanted == found)


def told(events: list[Event]) -> str:
    """The history in lines, for whoever must find out what went wrong."""
    lines = [f"{seq:4} {kind_of(event)} {event}" for seq, event in enumerate(events, 1)]
    return "\n" + "\n".join(lines[-60:])
