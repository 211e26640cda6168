"""`if` and `switch`: run one of several sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.expr import compile_condition
from engine.interpreter.node import StepNode
from engine.interpreter.outcome import NOTHING, Ok, Outcome

if TYPE_CHECKING:
    from engine.graph.steps import IfStep, SwitchStep
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder


class ChoiceNode(StepNode):
    """Cases in order; the first that holds runs, without fall-through."""

    def __init__(self, builder: Builder, step: IfStep | SwitchStep) -> None:
        super().__init__(builder, step)
        if hasattr(step, "cases"):
            listed = [(case.when, f"case[{i}]", case.steps) for i, case in enumerate(step.cases)]
        else:
            listed = [(step.condition, "then", step.then), (None, "else", step.otherwise)]
        self.cases = [
            (
                compile_condition(when).evaluate if when is not None else None,
                "else" if when is None else name,
                builder.sequence(steps),
            )
            for when, name, steps in listed
        ]

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Choose and run."""
        for index, (when, name, body) in enumerate(self.cases):
            if when is None or when(frame.scope):
                path = f"{frame.path}/{name}"
                outcome = run.start_block(body, frame, index, path, frame.scope)
                return NOTHING if type(outcome) is Ok else outcome
        return NOTHING

    def resume(
        self, run: Execution, frame: Frame, child: Frame, outcome: Outcome
    ) -> Outcome | None:
        """The chosen sequence ended."""
        if frame.pending is not None:
            return run.unwound(frame, outcome)
        return NOTHING if type(outcome) is Ok else outcome
