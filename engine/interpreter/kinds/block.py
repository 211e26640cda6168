"""Blocks that protect: `try`, `saga` and the workflow itself; and `do`.

A protected block goes through phases; `frame.held` is the outcome the running clean-up will go on
with, `frame.pending` (see `execution`) the one that waits for stopped children.

| phase | runs | next |
|---|---|---|
| body | `steps` | undo (saga left by error or cancel), catch, finally |
| undo | compensations, newest first | catch, finally |
| catch | the first clause that matches | finally |
| finally | `finally` | end |

A cancel interrupts body and catch, never undo and finally; it cannot be swallowed by a clause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UnsetType

from engine.errors import ExpressionError
from engine.expr import compile_condition, compile_value
from engine.history.events import Fact, Failure
from engine.interpreter.node import StepNode
from engine.interpreter.outcome import (
    NOTHING,
    STOPPED,
    Err,
    Ok,
    Outcome,
    Stopped,
    bounded,
    failure_to_json,
    from_expression,
    raised,
    timed_out,
)
from engine.interpreter.scope import Scope
from engine.values.retry import type_matches

if TYPE_CHECKING:
    from engine.graph.steps import Clause, TryStep
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder

BODY, CATCH, FINALLY, UNDO = 0, 1, 2, 3
CANCELLED = "sys.cancelled"
UNDO_FAILED = "sys.compensation_failed"


class CatchClause:
    """One clause, compiled."""

    def __init__(self, builder: Builder, clause: Clause) -> None:
        self.on = clause.on
        self.when = compile_condition(clause.when).evaluate if clause.when is not None else None
        self.body = builder.sequence(clause.steps)

    def matches(self, outcome: Outcome, error: Failure, scope: Scope) -> bool:
        """Whether this clause takes the error; a cancel must be named."""
        if type(outcome) is Stopped:
            if CANCELLED not in self.on:
                return False
        elif self.on and not type_matches(error.type, self.on):
            return False
        return self.when is None or self.when(scope)


class TryNode(StepNode):
    """See the module. `timeout` bounds the body and raises inside, so the own catch sees it."""

    saga = False

    def __init__(self, builder: Builder, step: TryStep) -> None:
        super().__init__(builder, step)
        self.saga = step.saga
        self.timeout = step.timeout
        self.protect(builder, step)

    def protect(self, builder: Builder, step: Any) -> None:
        """Compile the parts (also those of a whole workflow)."""
        self.body = builder.sequence(step.steps)
        self.clauses = [CatchClause(builder, clause) for clause in step.catch]
        self.cleanup = builder.sequence(step.finally_) if step.finally_ else None

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Run the body."""
        frame.data = {"phase": "body", "undo": [] if self.saga else None}
        if self.timeout is not None:
            due = run.now + self.timeout
            run.timer(frame, due, "timeout", "timeout")
        outcome = run.start_block(self.body, frame, BODY, frame.path, frame.scope)
        return None if outcome is None else self._body_ended(run, frame, outcome)

    def fact(self, run: Execution, frame: Frame, label: str, fact: Fact) -> Outcome | None:
        """The body's time is up."""
        late = timed_out(f"`{frame.path}`", frame.path)
        outcome = run.unwind(frame, late)
        return None if outcome is None else self._body_ended(run, frame, outcome)

    def resume(
        self, run: Execution, frame: Frame, child: Frame, outcome: Outcome
    ) -> Outcome | None:
        """A phase ended."""
        if frame.pending is not None:
            unwound = run.unwound(frame, outcome)
            if unwound is None:
                return None
            outcome = unwound
        match frame.data["phase"]:
            case "body":
                return self._body_ended(run, frame, outcome)
            case "undo":
                self._note_undo(frame, child.path, outcome)
                return self._next_undo(run, frame)
            case "catch":
                return self._catch_ended(run, frame, outcome)
            case _:
                return self._finally_ended(frame, outcome)

    def stop(self, run: Execution, frame: Frame) -> Outcome | None:
        """Cancelled: body and catch are interrupted, clean-up is not."""
        phase = frame.data["phase"]
        if phase in ("undo", "finally"):
            frame.held = _stopped(frame.held)
            return None
        run.release(frame)
        outcome = run.unwind(frame, STOPPED)
        if outcome is None:
            return None
        if phase == "body":
            return self._body_ended(run, frame, outcome)
        return self._catch_ended(run, frame, outcome)

    # -- phases ---------------------------------------------------------------------------------

    def _body_ended(self, run: Execution, frame: Frame, outcome: Outcome) -> Outcome | None:
        self.body_left(run, frame)
        undo = frame.data["undo"]
        if undo and type(outcome) in (Err, Stopped):
            frame.held = outcome
            frame.data.update(phase="undo", failed=[])
            return self._next_undo(run, frame)
        if undo:  # a `return` may yet become an error on its way out
            _hand_over(frame, undo)
        return self._judge(run, frame, outcome)

    def body_left(self, run: Execution, frame: Frame) -> None:
        """The time-out bounds the body only."""
        run.withdraw(frame, "timeout")

    def _next_undo(self, run: Execution, frame: Frame) -> Outcome | None:
        entries = frame.data["undo"]
        assert run.root is not None
        while entries:
            entry = entries.pop()
            scope = Scope.restored(run.root.scope, entry["scope"])
            body = run.program.nodes[entry["node"]].undo
            path = f"{entry['path']}/undo"
            outcome = run.start_block(body, frame, UNDO, path, scope)
            if outcome is None:
                return None
            self._note_undo(frame, path, outcome)
        held, frame.held = frame.held, None
        assert held is not None
        failed = frame.data.pop("failed")
        if failed:
            cause = held.error if isinstance(held, (Err, Stopped)) else None
            listed = ", ".join(f"`{one['step']}`" for one in failed)
            broken = raised(
                UNDO_FAILED,
                f"undoing failed at {listed}",
                step=frame.path,
                details={"failed": failed},
                cause=cause,
            )
            held = Stopped(broken.error) if type(held) is Stopped else broken
        return self._judge(run, frame, held)

    def _note_undo(self, frame: Frame, path: str, outcome: Outcome) -> None:
        if isinstance(outcome, (Err, Stopped)) and outcome.error is not None:
            error = failure_to_json(outcome.error)
            frame.data["failed"].append({"step": path, "error": error})

    def _judge(self, run: Execution, frame: Frame, outcome: Outcome) -> Outcome | None:
        """Look for a clause, else go on to finally."""
        if isinstance(outcome, (Err, Stopped)) and not frame.data.get("fatal"):
            error = outcome.error
            if error is None:
                reason = run.cancel_reason or "cancelled"
                error = Failure(type=CANCELLED, message=reason, step=frame.path)
            scope = frame.scope.naming("error", failure_to_json(error))
            try:
                found = next(
                    (i for i, c in enumerate(self.clauses) if c.matches(outcome, error, scope)),
                    None,
                )
            except ExpressionError as problem:
                broken = from_expression(problem)
                stopping = type(outcome) is Stopped
                return self._finally(run, frame, Stopped(broken.error) if stopping else broken)
            if found is not None:
                frame.data["phase"] = "catch"
                frame.held = outcome
                body, path = self.clauses[found].body, f"{frame.path}/catch[{found}]".lstrip("/")
                ended = run.start_block(body, frame, CATCH, path, scope)
                return None if ended is None else self._catch_ended(run, frame, ended)
        return self._finally(run, frame, outcome)

    def _catch_ended(self, run: Execution, frame: Frame, outcome: Outcome) -> Outcome | None:
        held, frame.held = frame.held, None
        if type(held) is Stopped and type(outcome) is not Stopped:
            outcome = Stopped(outcome.error) if type(outcome) is Err else held
        if type(outcome) is Ok:
            outcome = NOTHING
        return self._finally(run, frame, outcome)

    def _finally(self, run: Execution, frame: Frame, outcome: Outcome) -> Outcome | None:
        if type(outcome) is Ok:
            outcome = NOTHING
        run.withdraw(frame, "timeout")
        frame.data["phase"] = "finally"
        if self.cleanup is None:
            return outcome
        frame.held = outcome
        path = f"{frame.path}/finally".lstrip("/")
        ended = run.start_block(self.cleanup, frame, FINALLY, path, frame.scope)
        return None if ended is None else self._finally_ended(frame, ended)

    def _finally_ended(self, frame: Frame, outcome: Outcome) -> Outcome | None:
        held, frame.held = frame.held, None
        assert held is not None
        if type(outcome) is not Err:
            return held
        if isinstance(held, (Err, Stopped)) and held.error is not None:
            outcome = Err(caused_by(outcome.error, held.error))
        return Stopped(outcome.error) if type(held) is Stopped else outcome


def caused_by(error: Failure, cause: Failure) -> Failure:
    """An error of a clean-up; the error that was on its way ends its chain of causes."""
    deeper = cause if error.cause is None else caused_by(error.cause, cause)
    return Failure(
        type=error.type,
        message=error.message,
        retryable=error.retryable,
        step=error.step,
        attempt=error.attempt,
        details=error.details,
        cause=deeper,
    )


def _stopped(held: Outcome | None) -> Stopped:
    """What a clean-up that is cancelled goes on with: a rollback that failed is not forgotten."""
    if type(held) is Stopped:
        return held
    if type(held) is Err and held.error.type == UNDO_FAILED:
        return Stopped(held.error)
    return STOPPED


def _hand_over(frame: Frame, undo: list[Any]) -> None:
    """An inner saga that ended well is undone by the saga around it, if that one fails."""
    above = frame.parent
    while above is not None:
        if above.data.get("undo") is not None and above.data["phase"] == "body":
            above.data["undo"].extend(undo)
            return
        above = above.parent


class RootNode(TryNode):
    """The workflow: variables, steps, catch, finally, output, and the bound on one execution."""

    def __init__(self, builder: Builder) -> None:
        graph = builder.graph
        self.index = builder.register(self)
        self.id = ""
        self.when = None
        self.output = None
        self.continue_on_error = False
        self.undo = None
        self.undo_reads = None
        self.timeout = graph.timeout
        self.vars = compile_value(graph.vars).evaluate
        output = graph.output
        self.result = None if isinstance(output, UnsetType) else compile_value(output).evaluate
        self.protect(builder, graph)

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Declare the variables, run the body."""
        variables: Any = self.vars(frame.scope)
        assert frame.scope.own_vars is not None
        frame.scope.own_vars.update(variables)
        return super().enter(run, frame)

    def fact(self, run: Execution, frame: Frame, label: str, fact: Fact) -> Outcome | None:
        """The execution's time is up: no catch, only finally."""
        frame.data["fatal"] = True
        late = timed_out("the execution")
        outcome = run.unwind(frame, late)
        if outcome is None:
            return None
        if frame.data["phase"] == "catch":
            return self._catch_ended(run, frame, outcome)
        return self._body_ended(run, frame, outcome)

    def body_left(self, run: Execution, frame: Frame) -> None:
        """The time-out bounds the catch clauses too."""

    def leave(self, run: Execution, frame: Frame, outcome: Outcome) -> Outcome:
        """Make the output."""
        if type(outcome) is not Ok:
            return outcome
        if self.result is None:
            return outcome
        run.path = "output"
        try:
            value = bounded(self.result(frame.scope), "the output")
        except ExpressionError as error:
            return from_expression(error)
        problem = run.program.refused_output(value)
        return Ok(value) if problem is None else raised("sys.validation", problem)
