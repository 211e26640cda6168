"""Nodes: steps made executable, one class per kind, without any state of a run.

Rule 1: a node never changes after the program is loaded; all state is in frames and scopes.
Rule 2: `enter`, `fact`, `resume` and `stop` return how the frame ended, or None while it is open.
Rule 3: a node reaches the outside only by `run.emit`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UnsetType

from engine.errors import ExpressionError
from engine.expr import compile_condition, compile_value
from engine.history.events import Fact, Logged
from engine.interpreter.outcome import (
    NOTHING,
    SKIPPED,
    STOPPED,
    Err,
    Ok,
    Outcome,
    Stopped,
    failure_to_json,
    from_expression,
)

_encode = msgspec.json.Encoder().encode
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WHOLE = re.compile(r"\b(?:steps|vars)\b(?!\s*\.)")  # read as a whole or by a computed key

if TYPE_CHECKING:
    from engine.graph.steps import Step, StepBase
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder


def names_read(steps: tuple[Step, ...]) -> tuple[str, ...] | None:
    """Every name that expressions in these steps may read; None when it may be any.

    A compensation keeps its scope until the saga ends, so it should not keep what it never reads.
    """
    text = _encode(steps).decode()
    return None if _WHOLE.search(text) else tuple(sorted({*_NAME.findall(text), "error"}))


class Node:
    """Base of all kinds. `index` is its place in the program, by which snapshots know it."""

    index: int
    id: str

    def __init__(self, builder: Builder, id: str) -> None:
        self.index = builder.register(self)
        self.id = id

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Begin."""
        raise NotImplementedError

    def fact(self, run: Execution, frame: Frame, label: str, fact: Fact) -> Outcome | None:
        """A fact for the open decision `label` of this frame; the ref is closed already."""
        raise NotImplementedError

    def resume(
        self, run: Execution, frame: Frame, child: Frame, outcome: Outcome
    ) -> Outcome | None:
        """A child ended; it is no longer among the children."""
        raise NotImplementedError

    def stop(self, run: Execution, frame: Frame) -> Outcome | None:
        """Leave on request: cancel what is open, clean up."""
        run.release(frame)
        return run.unwind(frame, STOPPED)

    def leave(self, run: Execution, frame: Frame, outcome: Outcome) -> Outcome:
        """Last look at the outcome on the way to the parent."""
        return outcome


class StepNode(Node):
    """A step of the file: guard, output, record, tolerance."""

    wraps_output = True  # `output:` is evaluated over `result` when the step succeeded

    def __init__(self, builder: Builder, step: StepBase) -> None:
        super().__init__(builder, step.id)
        self.when = compile_condition(step.when).evaluate if step.when is not None else None
        output = step.output
        self.output = None if isinstance(output, UnsetType) else compile_value(output).evaluate
        self.continue_on_error: bool = getattr(step, "continue_on_error", False)
        compensate = getattr(step, "compensate", ())
        self.undo = builder.sequence(compensate, undo=True) if compensate else None
        self.undo_reads = names_read(compensate)

    def leave(self, run: Execution, frame: Frame, outcome: Outcome) -> Outcome:
        """Record what became of the step; turn a tolerated error into success."""
        if type(outcome) is Ok:
            if self.output is not None and self.wraps_output:
                try:
                    value = self.output(frame.scope.naming("result", outcome.value))
                except ExpressionError as error:
                    return self._failed(run, frame, from_expression(error))
                outcome = Ok(value)
            frame.scope.steps_here()[self.id] = self.record(frame, outcome)
            if self.undo is not None:
                run.compensable(frame, self.undo_reads)
            return outcome
        if type(outcome) is Err:
            return self._failed(run, frame, outcome)
        if type(outcome) is Stopped:
            frame.scope.steps_here()[self.id] = {"status": "cancelled", "error": None}
        return outcome

    def record(self, frame: Frame, outcome: Ok) -> dict[str, Any]:
        """What `steps.<id>` is after success."""
        attempts = frame.data.get("attempt", 1)
        return {"status": "succeeded", "output": outcome.value, "error": None, "attempts": attempts}

    def _failed(self, run: Execution, frame: Frame, outcome: Err) -> Outcome:
        error = run.place_error(outcome, frame)
        record = {
            "status": "failed",
            "error": failure_to_json(error),
            "attempts": frame.data.get("attempt", 1),
        }
        if "failures" in frame.data:
            record["failures"] = frame.data["failures"]
        frame.scope.steps_here()[self.id] = record
        if not self.continue_on_error:
            return Err(error)
        text = f"step `{frame.path}` failed, going on: {error.type}: {error.message}"
        run.emit(Logged(path=frame.path, level="warning", text=text))
        return NOTHING


class Sequence(Node):
    """Steps one after another. Its value is the output of the last step that ran."""

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder, "")
        self.steps: tuple[StepNode, ...] = ()

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Run until a step stays open or the end."""
        steps = self.steps
        count = len(steps)
        while frame.pc < count:
            step = steps[frame.pc]
            outcome = run.start_step(step, frame)
            if outcome is None:
                return None
            if type(outcome) is Ok:
                frame.last = outcome.value
            elif outcome is not SKIPPED:
                return outcome
            frame.pc += 1
        return Ok(frame.last)

    def resume(
        self, run: Execution, frame: Frame, child: Frame, outcome: Outcome
    ) -> Outcome | None:
        """Go on behind the step that ended."""
        if frame.pending is not None:
            return run.unwound(frame, outcome)
        if type(outcome) is not Ok:
            return outcome
        frame.last = outcome.value
        frame.pc += 1
        return self.enter(run, frame)
