"""`foreach`: a body per item, one after another or several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import ExpressionError
from engine.expr import compile_value
from engine.interpreter.execution import FAN_OUT
from engine.interpreter.node import StepNode
from engine.interpreter.outcome import Err, Ok, Outcome, failure_to_json, from_expression, raised
from engine.interpreter.scope import Scope

if TYPE_CHECKING:
    from engine.graph.steps import ForeachStep
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder


class ForeachNode(StepNode):
    """Results come in the order of the items; a tolerated failure leaves null in its place."""

    wraps_output = False

    def __init__(self, builder: Builder, step: ForeachStep) -> None:
        super().__init__(builder, step)
        self.step = step
        self.items = compile_value(step.items).evaluate
        self.vars = compile_value(step.vars).evaluate if step.vars else None
        self.body = builder.sequence(step.steps)

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Take the list as it is now, start as many items as may run at once."""
        step = self.step
        items = self.items(frame.scope)
        if not isinstance(items, list):
            kind = type(items).__name__
            raise ExpressionError(f"`foreach` needs a list, this is a {kind}")
        if step.batch is not None:
            items = [items[at : at + step.batch] for at in range(0, len(items), step.batch)]
        if len(items) > FAN_OUT:
            return raised("sys.limit", f"`foreach` over {len(items)} items; the limit is {FAN_OUT}")
        results: list[Any] = [None] * len(items)
        frame.data = {"items": items, "next": 0, "results": results, "failures": []}
        return self._fill(run, frame)

    def _fill(self, run: Execution, frame: Frame) -> Outcome | None:
        data = frame.data
        items = data["items"]
        while data["next"] < len(items):
            if frame.children is not None and len(frame.children) >= self.step.concurrency:
                return None
            index = data["next"]
            data["next"] = index + 1
            run.start_item()
            scope, outcome = self._start(run, frame, index)
            if outcome is not None:
                left = self._ended(frame, index, scope, outcome)
                if left is not None:
                    return run.unwind(frame, left)
        if frame.children:
            return None
        _in_order(data["failures"])
        return Ok(data["results"])

    def _start(self, run: Execution, frame: Frame, index: int) -> tuple[Scope, Outcome | None]:
        """Begin one item. Variables that cannot be made are a failure of this item."""
        items = frame.data["items"]
        try:
            scope = self._scope(frame, index, items)
        except ExpressionError as error:
            return frame.scope, from_expression(error)
        path = f"{frame.path}[{index}]"
        return scope, run.start_block(self.body, frame, index, path, scope)

    def _scope(self, frame: Frame, index: int, items: list[Any]) -> Scope:
        loop = {"index0": index, "index": index + 1, "length": len(items)}
        names = {self.step.name: items[index], "loop": loop}
        if self.vars is None:
            return Scope(frame.scope, steps={}, names=names)
        scope = Scope(frame.scope, steps={}, names=names)
        variables: Any = self.vars(scope)
        return Scope(frame.scope, variables=dict(variables), steps={}, names=names)

    def _ended(self, frame: Frame, index: int, scope: Scope, outcome: Outcome) -> Outcome | None:
        """Note one item; an outcome when the whole step must end now."""
        data = frame.data
        if type(outcome) is Ok:
            try:
                value = self.output(scope.naming("result", outcome.value)) if self.output else None
                data["results"][index] = value if self.output else outcome.value
            except ExpressionError as error:
                outcome = from_expression(error)
            else:
                return None
        if type(outcome) is not Err:
            return outcome
        error_json = failure_to_json(outcome.error)
        data["failures"].append({"index": index, "item": data["items"][index], "error": error_json})
        if len(data["failures"]) <= self._tolerated(len(data["items"])):
            return None
        _in_order(data["failures"])
        return outcome

    def _tolerated(self, count: int) -> int:
        percent = self.step.max_failures_percent
        return self.step.max_failures if percent is None else int(count * percent // 100)

    def resume(
        self, run: Execution, frame: Frame, child: Frame, outcome: Outcome
    ) -> Outcome | None:
        """An item ended; start the next."""
        if frame.pending is not None:
            return run.unwound(frame, outcome)
        left = self._ended(frame, child.key, child.scope, outcome)
        return self._fill(run, frame) if left is None else run.unwind(frame, left)

    def record(self, frame: Frame, outcome: Ok) -> dict[str, Any]:
        """Failures that were tolerated stand beside the results."""
        return {**super().record(frame, outcome), "failures": frame.data["failures"]}


def _in_order(failures: list[Any]) -> None:
    """They came as they happened; they are read in the order of the items."""
    failures.sort(key=lambda failure: failure["index"])
