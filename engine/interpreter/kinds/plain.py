"""The kinds that end at once: `set`, `log`, `status`, `raise`, `return`, `continue_as_new`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.expr import compile_expression, compile_value
from engine.history.events import Failure, Logged, StatusSet
from engine.interpreter.node import StepNode
from engine.interpreter.outcome import (
    NOTHING,
    STATUS_LIMIT,
    Err,
    Outcome,
    Renew,
    Return,
    bounded,
    failure_from_json,
    raised,
)
from engine.values.digest import canonical_json

if TYPE_CHECKING:
    from engine.graph.steps import (
        ContinueAsNewStep,
        LogStep,
        RaiseStep,
        ReturnStep,
        SetStep,
        StatusStep,
    )
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder
    from engine.values.json import Json


def as_text(value: Json) -> str:
    """Text as it is, anything else as JSON."""
    return value if isinstance(value, str) else canonical_json(value).decode()


class SetNode(StepNode):
    """All values are rendered before any is assigned."""

    def __init__(self, builder: Builder, step: SetStep) -> None:
        super().__init__(builder, step)
        self.assignments = [
            (name, compile_value(value).evaluate) for name, value in step.assignments.items()
        ]

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Assign."""
        scope = frame.scope
        for name, value in [(name, evaluate(scope)) for name, evaluate in self.assignments]:
            scope.assign(name, value)
        return NOTHING


class LogNode(StepNode):
    """Logging is a decision, so replay compares it and never repeats it."""

    def __init__(self, builder: Builder, step: LogStep) -> None:
        super().__init__(builder, step)
        self.level = step.level
        self.text = compile_value(step.text).evaluate
        self.fields = compile_value(step.fields).evaluate

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Log."""
        text = as_text(self.text(frame.scope))
        fields = self.fields(frame.scope)
        assert isinstance(fields, dict)
        run.emit(Logged(path=frame.path, level=self.level, text=text, fields=fields))
        return NOTHING


class StatusNode(StepNode):
    """The custom status, shown live."""

    def __init__(self, builder: Builder, step: StatusStep) -> None:
        super().__init__(builder, step)
        self.value = compile_value(step.value).evaluate

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Set it."""
        value = bounded(self.value(frame.scope), "the status", STATUS_LIMIT)
        run.custom_status = value
        run.emit(StatusSet(path=frame.path, value=value))
        return NOTHING


class RaiseNode(StepNode):
    """Raise a new error, or an error value again as it was."""

    def __init__(self, builder: Builder, step: RaiseStep) -> None:
        super().__init__(builder, step)
        self.again = compile_expression(step.error).evaluate if step.error is not None else None
        self.type = step.type or "error"
        self.retryable = step.retryable
        self.message = compile_value(step.message).evaluate
        self.details = compile_value(step.details).evaluate

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Raise. Inside a catch the caught error becomes the cause of a new one."""
        scope = frame.scope
        if self.again is not None:
            return Err(failure_from_json(self.again(scope)))
        caught = scope.get("error")
        return raised(
            self.type,
            as_text(self.message(scope)),
            details=self.details(scope),
            retryable=self.retryable,
            step=frame.path,
            cause=failure_from_json(caught) if isinstance(caught, dict) else None,
        )


class ReturnNode(StepNode):
    """The output is checked here, so that a refused one is an error of this step."""

    def __init__(self, builder: Builder, step: ReturnStep) -> None:
        super().__init__(builder, step)
        self.value = compile_value(step.value).evaluate

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Leave the workflow."""
        value = bounded(self.value(frame.scope), "the output")
        problem = run.program.refused_output(value)
        if problem is not None:
            return Err(Failure(type="sys.validation", message=problem, step=frame.path))
        return Return(value)


class ContinueAsNewNode(StepNode):
    """The next execution's version is resolved by the runtime, by `version`."""

    def __init__(self, builder: Builder, step: ContinueAsNewStep) -> None:
        super().__init__(builder, step)
        self.version = step.version
        self.input = compile_value(step.input).evaluate

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Leave this execution."""
        return Renew(bounded(self.input(frame.scope), "the next input"), self.version)
