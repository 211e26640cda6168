"""`while` (tested before a turn) and `until` (tested after it), with a pause between turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.expr import compile_condition, compile_value
from engine.interpreter.node import StepNode
from engine.interpreter.outcome import Ok, Outcome, raised
from engine.interpreter.scope import Scope

if TYPE_CHECKING:
    from engine.graph.steps import LoopStep
    from engine.history.events import Fact
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder
    from engine.values.json import JsonObject


class LoopNode(StepNode):
    """Variables of the block live through all turns; step records are each turn's own."""

    wraps_output = False

    def __init__(self, builder: Builder, step: LoopStep) -> None:
        super().__init__(builder, step)
        self.step = step
        self.condition = compile_condition(step.condition).evaluate
        self.vars = compile_value(step.vars).evaluate if step.vars else None
        self.body = builder.sequence(step.steps)

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """First turn."""
        variables: Any = self.vars(frame.scope) if self.vars is not None else None
        frame.data = {"index": 0, "vars": dict(variables) if variables is not None else None}
        return self._turns(run, frame, rested=False)

    def _turns(self, run: Execution, frame: Frame, *, rested: bool) -> Outcome | None:
        """Take turns as long as they end at once. `rested`: the pause before this one is over."""
        step, data = self.step, frame.data
        while True:
            index = data["index"]
            variables = dict(data["vars"]) if data["vars"] is not None else None
            names: JsonObject = {"loop": {"index0": index, "index": index + 1}}
            scope = Scope(frame.scope, variables=variables, steps={}, names=names)
            if step.mode == "while" and not self.condition(scope):
                return Ok(frame.last)
            if index >= step.max_iterations:
                message = f"the loop did not end within {step.max_iterations} turns"
                return raised("sys.loop_exhausted", message)
            if step.every is not None and index > 0 and not rested:
                run.timer(frame, run.now + step.every, "every")
                return None
            rested = False
            path = f"{frame.path}[{index}]"
            outcome = run.start_block(self.body, frame, index, path, scope)
            if outcome is None:
                return None
            ended = self._turn_ended(frame, scope, outcome)
            if ended is not None:
                return ended

    def _turn_ended(self, frame: Frame, scope: Scope, outcome: Outcome) -> Outcome | None:
        """None: another turn."""
        if type(outcome) is not Ok:
            return outcome
        data = frame.data
        if data["vars"] is not None:
            data["vars"] = scope.own_vars
        if self.output is not None:
            frame.last = self.output(scope.naming("result", outcome.value))
        if self.step.mode == "until" and self.condition(scope):
            return Ok(frame.last)
        data["index"] += 1
        return None

    def fact(self, run: Execution, frame: Frame, label: str, fact: Fact) -> Outcome | None:
        """The pause is over."""
        return self._turns(run, frame, rested=True)

    def resume(
        self, run: Execution, frame: Frame, child: Frame, outcome: Outcome
    ) -> Outcome | None:
        """A turn ended."""
        if frame.pending is not None:
            return run.unwound(frame, outcome)
        ended = self._turn_ended(frame, child.scope, outcome)
        return self._turns(run, frame, rested=False) if ended is None else ended
