"""`workflow`: run a child and wait. `start`: start a detached instance and go on once it exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from engine.errors import ExpressionError
from engine.expr import compile_value
from engine.history.events import (
    ChildCompleted,
    ChildFailed,
    ChildScheduled,
    ChildStarted,
    Fact,
)
from engine.interpreter.kinds.activity import retry_at
from engine.interpreter.node import StepNode
from engine.interpreter.outcome import Err, Ok, Outcome, bounded, timed_out
from engine.values.retry import ONCE, RetryPolicy

if TYPE_CHECKING:
    from engine.graph.steps import StartStep, WorkflowStep
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder

INSTANCE_ID_LENGTH = 255


def child_id(run: Execution, frame: Frame, wanted: object) -> str:
    """The id of a new instance: the one asked for, or one that no other step can have."""
    if wanted is None:
        started = run.started
        assert started is not None
        attempt = frame.data.get("attempt", 1)
        suffix = "" if attempt == 1 else f"#{attempt}"
        return f"{started.instance_id}/{started.execution}/{frame.path}{suffix}"
    if not isinstance(wanted, str) or not wanted or len(wanted) > INSTANCE_ID_LENGTH:
        raise ExpressionError(
            f"`instance_id` must be text of 1 to {INSTANCE_ID_LENGTH} characters, "
            f"not {wanted!r:.40}"
        )
    return wanted


class WorkflowNode(StepNode):
    """A child instance; its error arrives as the cause of `sys.child_failed`."""

    def __init__(self, builder: Builder, step: WorkflowStep) -> None:
        super().__init__(builder, step)
        self.step = step
        self.args = compile_value(step.args).evaluate
        named = step.instance_id is not None
        self.instance_id = compile_value(step.instance_id).evaluate if named else None
        self.policy = step.retry or (RetryPolicy() if builder.undoing else ONCE)

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Render arguments and id once for all attempts, start the first child."""
        frame.data = {
            "args": bounded(self.args(frame.scope), "the input"),
            "attempt": 1,
            "since": run.now,
        }
        if self.instance_id is not None:
            frame.data["id"] = child_id(run, frame, self.instance_id(frame.scope))
        if self.step.timeout is not None:
            due = run.now + self.step.timeout
            frame.data["deadline"] = due
            run.timer(frame, due, "timeout", "timeout")
        self._schedule(run, frame)
        return None

    def _schedule(self, run: Execution, frame: Frame) -> None:
        attempt: int = frame.data["attempt"]
        wanted = frame.data.get("id")
        if wanted is not None and attempt > 1:
            wanted = f"{wanted}#{attempt}"
        frame.data["child"] = instance_id = child_id(run, frame, wanted)
        run.expect(
            frame,
            "child",
            ChildScheduled(
                path=frame.path,
                workflow=self.step.workflow,
                range=self.step.range,
                instance_id=instance_id,
                input=frame.data["args"],
                attempt=attempt,
            ),
        )

    def fact(self, run: Execution, frame: Frame, label: str, fact: Fact) -> Outcome | None:
        """The child ended, the pause between attempts ended, or the step's time is up."""
        if label == "timeout":
            run.release(frame)
            return timed_out(f"`{self.step.workflow}`")
        if label == "timer":
            frame.data["attempt"] += 1
            self._schedule(run, frame)
            return None
        if type(fact) is ChildCompleted:
            run.withdraw(frame, "timeout")
            return Ok(fact.output)
        assert isinstance(fact, ChildFailed)
        error = replace(fact.error, step=frame.path, attempt=frame.data["attempt"])
        due = retry_at(run, frame, self.policy, error, frame.data.get("deadline"))
        if due is None:
            run.withdraw(frame, "timeout")
            return Err(error)
        run.timer(frame, due, "retry")
        return None


class StartNode(StepNode):
    """A detached start."""

    def __init__(self, builder: Builder, step: StartStep) -> None:
        super().__init__(builder, step)
        self.step = step
        self.args = compile_value(step.args).evaluate
        named = step.instance_id is not None
        self.instance_id = compile_value(step.instance_id).evaluate if named else None

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Ask for the instance."""
        wanted = self.instance_id(frame.scope) if self.instance_id is not None else None
        run.expect(
            frame,
            "start",
            ChildScheduled(
                path=frame.path,
                workflow=self.step.workflow,
                range=self.step.range,
                instance_id=child_id(run, frame, wanted),
                input=bounded(self.args(frame.scope), "the input"),
                detached=True,
            ),
        )
        return None

    def fact(self, run: Execution, frame: Frame, label: str, fact: Fact) -> Outcome | None:
        """It exists, or could not be started."""
        if type(fact) is ChildStarted:
            return Ok({"instance_id": fact.instance_id})
        assert isinstance(fact, ChildFailed)
        return Err(fact.error)
