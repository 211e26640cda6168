"""`parallel` and `race`: branches side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UnsetType

from engine.errors import ExpressionError
from engine.expr import compile_value
from engine.interpreter.node import StepNode
from engine.interpreter.outcome import (
    Err,
    Ok,
    Outcome,
    failure_to_json,
    from_expression,
    raised,
)
from engine.interpreter.scope import Scope

if TYPE_CHECKING:
    from engine.graph.steps import Branch, ParallelStep, RaceStep
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder


class BranchBody:
    """One branch, compiled."""

    def __init__(self, builder: Builder, branch: Branch) -> None:
        self.name = branch.name
        self.body = builder.sequence(branch.steps)
        self.vars = compile_value(branch.vars).evaluate if branch.vars else None
        output = branch.output
        self.output = None if isinstance(output, UnsetType) else compile_value(output).evaluate

    def start(self, run: Execution, frame: Frame, key: int) -> tuple[Scope, Outcome | None]:
        """Begin the branch in a scope of its own, where it declares variables."""
        scope = frame.scope
        if self.vars is not None:
            variables: Any = self.vars(scope)
            scope = Scope(scope, variables=dict(variables))
        path = f"{frame.path}/{self.name}"
        return scope, run.start_block(self.body, frame, key, path, scope)

    def ended(self, scope: Scope, outcome: Outcome) -> Outcome:
        """The outcome with the branch's own `output:`."""
        if self.output is None or type(outcome) is not Ok:
            return outcome
        try:
            return Ok(self.output(scope.naming("result", outcome.value)))
        except ExpressionError as error:
            return from_expression(error)


class BranchesNode(StepNode):
    """What both kinds share: start in declaration order, judge each end, stop the rest."""

    def __init__(self, builder: Builder, step: ParallelStep | RaceStep) -> None:
        super().__init__(builder, step)
        self.branches = [BranchBody(builder, branch) for branch in step.branches]

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Start every branch, unless one that ends at once decides."""
        frame.data = {"results": {}, "errors": {}}
        for key, branch in enumerate(self.branches):
            scope, outcome = branch.start(run, frame, key)
            if outcome is not None:
                decided = self.judge(frame, key, branch.ended(scope, outcome))
                if decided is not None:
                    return run.unwind(frame, decided)
        return None

    def resume(
        self, run: Execution, frame: Frame, child: Frame, outcome: Outcome
    ) -> Outcome | None:
        """A branch ended."""
        if frame.pending is not None:
            return run.unwound(frame, outcome)
        branch = self.branches[child.key]
        decided = self.judge(frame, child.key, branch.ended(child.scope, outcome))
        return None if decided is None else run.unwind(frame, decided)

    def judge(self, frame: Frame, key: int, outcome: Outcome) -> Outcome | None:
        """What the end of one branch means for the step; None: go on waiting."""
        raise NotImplementedError


class RaceNode(BranchesNode):
    """The first to end wins, error or not."""

    def judge(self, frame: Frame, key: int, outcome: Outcome) -> Outcome | None:
        """It decides."""
        if type(outcome) is Ok:
            return Ok({"winner": self.branches[key].name, "value": outcome.value})
        return outcome


class ParallelNode(BranchesNode):
    """All branches, or the first N successes."""

    def __init__(self, builder: Builder, step: ParallelStep) -> None:
        super().__init__(builder, step)
        self.need = step.join or len(self.branches)
        self.wait_all = step.on_error == "wait_all"

    def judge(self, frame: Frame, key: int, outcome: Outcome) -> Outcome | None:
        """Count; keys of `data` are text because they live in snapshots."""
        results, errors = frame.data["results"], frame.data["errors"]
        if type(outcome) is Ok:
            results[str(key)] = outcome.value
        elif type(outcome) is Err:
            errors[str(key)] = failure_to_json(outcome.error)
        else:
            return outcome
        if len(results) >= self.need:
            named = ((str(i), branch.name) for i, branch in enumerate(self.branches))
            return Ok({name: results[i] for i, name in named if i in results})
        unreachable = len(self.branches) - len(errors) < self.need
        if not unreachable:
            return None
        if not self.wait_all:
            return outcome
        if len(results) + len(errors) < len(self.branches):
            return None
        return self._all_errors(errors)

    def _all_errors(self, errors: dict[str, Any]) -> Outcome:
        """The error of the first failed branch in declaration order, telling of all of them."""
        failed = {b.name: errors[str(i)] for i, b in enumerate(self.branches) if str(i) in errors}
        name, first = next(iter(failed.items()))
        count = f"{len(failed)} of {len(self.branches)} branches failed"
        message = f"{count}; `{name}`: {first['message']}"
        return raised(
            first["type"], message, details={"branches": failed}, retryable=first["retryable"]
        )
