"""`activity`: call a registered function, at least once, with retries decided here.

The runtime enforces the attempt's time-out and the deadline and reports both as a failure of type
`sys.timeout`; whether another attempt follows is decided from recorded facts alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from engine.expr import compile_value
from engine.history.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    Fact,
    Failure,
)
from engine.interpreter.node import StepNode
from engine.interpreter.outcome import Err, Ok, Outcome, bounded
from engine.values.ids import derive_fraction
from engine.values.retry import ONCE, RetryPolicy, delay_after, may_retry, may_wait

if TYPE_CHECKING:
    from engine.graph.steps import ActivityStep
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder


def retry_at(
    run: Execution, frame: Frame, policy: RetryPolicy, error: Failure, deadline: int | None
) -> int | None:
    """When the next attempt begins, or None when there is none."""
    attempt: int = frame.data["attempt"]
    if not may_retry(policy, attempt, error.type, retryable=error.retryable):
        return None
    started = run.started
    assert started is not None
    draw = 0.5
    if policy.jitter:
        seed = (started.instance_id, str(started.execution), frame.path, str(attempt))
        draw = derive_fraction(*seed)
    due = run.now + delay_after(policy, attempt, draw)
    if not may_wait(policy, run.now - frame.data["since"]):
        return None
    if deadline is not None and due >= deadline:
        return None
    return due


class ActivityNode(StepNode):
    """See the module."""

    def __init__(self, builder: Builder, step: ActivityStep) -> None:
        super().__init__(builder, step)
        self.step = step
        self.args = compile_value(step.args).evaluate
        self.policy = step.retry or (RetryPolicy() if builder.undoing else None)

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Render the arguments, once for all attempts, and schedule the first."""
        data: dict[str, Any] = {
            "args": bounded(self.args(frame.scope), "the arguments"),
            "attempt": 1,
            "since": run.now,
        }
        frame.data = data
        if self.step.timeout is not None:
            data["deadline"] = run.now + self.step.timeout
        run.expect(frame, "activity", self.call(frame))
        return None

    def call(self, frame: Frame) -> ActivityScheduled:
        """The attempt that is due; after a restart the runtime asks for it again."""
        step, data = self.step, frame.data
        return ActivityScheduled(
            path=frame.path,
            activity=step.activity,
            input=data["args"],
            queue=step.queue,
            attempt=data["attempt"],
            attempt_timeout=self.policy.attempt_timeout if self.policy else None,
            heartbeat=step.heartbeat,
            deadline=data.get("deadline"),
            heartbeat_details=data.get("heartbeat"),
        )

    def fact(self, run: Execution, frame: Frame, label: str, fact: Fact) -> Outcome | None:
        """A result, a failed attempt, or the end of a pause between attempts."""
        if type(fact) is ActivityCompleted:
            return Ok(fact.result)
        if label == "timer":
            frame.data["attempt"] += 1
            run.expect(frame, "activity", self.call(frame))
            return None
        assert isinstance(fact, ActivityFailed)
        error = replace(fact.error, step=frame.path, attempt=frame.data["attempt"])
        if fact.heartbeat is not None:
            frame.data["heartbeat"] = fact.heartbeat
        policy = self.policy or fact.policy or ONCE
        due = retry_at(run, frame, policy, error, frame.data.get("deadline"))
        if due is None:
            return Err(error)
        run.timer(frame, due, "retry")
        return None
