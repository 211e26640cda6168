"""`sleep` and the reading of times that expressions yield."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import ExpressionError
from engine.expr import compile_value
from engine.interpreter.node import StepNode
from engine.interpreter.outcome import NOTHING, Outcome
from engine.values.duration import parse_duration
from engine.values.instant import MAX_INSTANT, parse_instant

if TYPE_CHECKING:
    from engine.graph.steps import SleepStep
    from engine.history.events import Fact
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder
    from engine.values.json import Json


def as_duration(value: Json, what: str) -> int:
    """Microseconds out of duration text or a number of seconds."""
    try:
        if isinstance(value, str):
            return parse_duration(value)
    except ValueError as error:
        raise ExpressionError(f"{what}: {error}") from error
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ExpressionError(f"{what} must be a duration such as `30s`, or seconds as a number")
    if value < 0:
        raise ExpressionError(f"{what} is negative: {value}")
    return int(min(value * 1_000_000, MAX_INSTANT))


def as_instant(value: Json, what: str) -> int:
    """Microseconds since 1970 out of RFC 3339 text."""
    try:
        if isinstance(value, str):
            return parse_instant(value)
    except ValueError as error:
        raise ExpressionError(f"{what}: {error}") from error
    raise ExpressionError(f"{what} must be a time such as `2026-01-31T08:00:00Z`")


class SleepNode(StepNode):
    """A durable pause. A time that has passed, or no time at all, still takes one turn."""

    def __init__(self, builder: Builder, step: SleepStep) -> None:
        super().__init__(builder, step)
        self.until = step.until is not None
        self.value = compile_value(step.until if self.until else step.duration).evaluate

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Create the timer."""
        value = self.value(frame.scope)
        if self.until:
            due = as_instant(value, "`until`")
        else:
            due = run.now + as_duration(value, "`sleep`")
        run.timer(frame, due, "sleep")
        return None

    def fact(self, run: Execution, frame: Frame, label: str, fact: Fact) -> Outcome | None:
        """It fired."""
        return NOTHING
