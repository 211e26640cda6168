"""`do`: a block with variables of its own, a time limit and, if asked, attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.expr import compile_value
from engine.interpreter.kinds.activity import retry_at
from engine.interpreter.node import StepNode
from engine.interpreter.outcome import NOTHING, Err, Ok, Outcome, timed_out
from engine.interpreter.scope import Scope

if TYPE_CHECKING:
    from engine.graph.steps import DoStep
    from engine.history.events import Fact
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder


class DoNode(StepNode):
    """Each attempt begins with fresh variables and step records, under a path of its own."""

    wraps_output = False

    def __init__(self, builder: Builder, step: DoStep) -> None:
        super().__init__(builder, step)
        self.body = builder.sequence(step.steps)
        self.vars = compile_value(step.vars).evaluate if step.vars else None
        self.timeout = step.timeout
        self.policy = step.retry

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """First attempt."""
        frame.data = {"attempt": 1, "since": run.now}
        if self.timeout is not None:
            due = run.now + self.timeout
            frame.data["deadline"] = due
            run.timer(frame, due, "timeout", "timeout")
        return self._attempt(run, frame)

    def _attempt(self, run: Execution, frame: Frame) -> Outcome | None:
        scope, attempt = frame.scope, frame.data["attempt"]
        if self.vars is not None or self.policy is not None:
            variables: Any = self.vars(scope) if self.vars is not None else None
            steps: dict[str, Any] | None = {} if self.policy is not None else None
            declared = dict(variables) if variables is not None else None
            scope = Scope(scope, variables=declared, steps=steps)
        path = frame.path if attempt == 1 else f"{frame.path}#{attempt}"
        outcome = run.start_block(self.body, frame, attempt, path, scope)
        return None if outcome is None else self._ended(run, frame, scope, outcome)

    def fact(self, run: Execution, frame: Frame, label: str, fact: Fact) -> Outcome | None:
        """The pause before the next attempt ended, or the time for all of them."""
        if label == "timer":
            frame.data["attempt"] += 1
            return self._attempt(run, frame)
        run.release(frame)
        late = timed_out(f"`{frame.path}`", frame.path)
        return run.unwind(frame, late)

    def resume(
        self, run: Execution, frame: Frame, child: Frame, outcome: Outcome
    ) -> Outcome | None:
        """An attempt ended."""
        if frame.pending is not None:
            return run.unwound(frame, outcome)
        return self._ended(run, frame, child.scope, outcome)

    def _ended(
        self, run: Execution, frame: Frame, scope: Scope, outcome: Outcome
    ) -> Outcome | None:
        if type(outcome) is Err and self.policy is not None:
            error = run.place_error(outcome, frame)
            due = retry_at(run, frame, self.policy, error, frame.data.get("deadline"))
            if due is not None:
                run.timer(frame, due, "retry")
                return None
        run.withdraw(frame, "timeout")
        if self.policy is not None and scope.own_steps is not None:
            frame.scope.steps_here().update(scope.own_steps)  # of the attempt that counts
        if type(outcome) is not Ok:
            return outcome
        return Ok(self.output(scope)) if self.output is not None else NOTHING
