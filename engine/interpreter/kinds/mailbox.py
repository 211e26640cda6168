"""`wait`: take a signal out of the mailbox. `signal`: put one into another instance's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UnsetType

from engine.errors import ExpressionError
from engine.expr import compile_condition, compile_value
from engine.history.events import Fact, SignalRefused, SignalSent, WaitOpened
from engine.interpreter.kinds.timing import as_duration
from engine.interpreter.node import StepNode
from engine.interpreter.outcome import NOTHING, Err, Ok, Outcome, bounded, from_expression, raised

if TYPE_CHECKING:
    from engine.graph.steps import SignalStep, WaitStep
    from engine.interpreter.execution import Execution
    from engine.interpreter.frame import Frame
    from engine.interpreter.program import Builder
    from engine.values.json import Json


class WaitNode(StepNode):
    """The oldest signal of the name that `where` accepts; those refused stay in order."""

    def __init__(self, builder: Builder, step: WaitStep) -> None:
        super().__init__(builder, step)
        self.signal = step.signal
        self.where = compile_condition(step.where).evaluate if step.where is not None else None
        self.timeout = compile_value(step.timeout).evaluate if step.timeout is not None else None
        default = step.default
        self.default = None if isinstance(default, UnsetType) else compile_value(default).evaluate

    def _accepts(self, frame: Frame, payload: Json) -> bool:
        return self.where is None or self.where(frame.scope.naming("event", payload))

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Take one that is there already, or wait."""
        queue = run.mailbox.get(self.signal, ())
        for index, payload in enumerate(queue):
            if self._accepts(frame, payload):
                run.unqueue(self.signal, index)
                run.take(frame, self.signal)
                return Ok(payload)
        due = None
        if self.timeout is not None:
            due = run.now + as_duration(self.timeout(frame.scope), "`timeout`")
        run.expect(frame, "wait", WaitOpened(path=frame.path, name=self.signal))
        run.waits.setdefault(self.signal, []).append(frame)
        if due is not None:
            run.timer(frame, due, "timeout", "timeout")
        return None

    def offered(self, run: Execution, frame: Frame, payload: Json) -> Outcome | None:
        """A signal has come while this waits; None when it is not for this one."""
        try:
            accepted = self._accepts(frame, payload)
        except ExpressionError as error:
            run.release(frame)
            return from_expression(error)
        if not accepted:
            return None
        assert frame.refs is not None
        del run.open[frame.refs.pop("wait")]
        run.waits[self.signal].remove(frame)
        run.take(frame, self.signal)
        run.withdraw(frame, "timeout")
        return Ok(payload)

    def fact(self, run: Execution, frame: Frame, label: str, fact: Fact) -> Outcome | None:
        """The time is up."""
        run.withdraw(frame, "wait")
        if self.default is not None:
            return Ok(self.default(frame.scope))
        return raised("sys.timeout", f"no signal `{self.signal}` came in time", retryable=True)


class SignalNode(StepNode):
    """Succeeds once the signal is in the other's mailbox; a refusal is an error of this step."""

    def __init__(self, builder: Builder, step: SignalStep) -> None:
        super().__init__(builder, step)
        self.signal = step.signal
        self.to = compile_value(step.to).evaluate
        self.args = compile_value(step.args).evaluate

    def enter(self, run: Execution, frame: Frame) -> Outcome | None:
        """Send."""
        to = self.to(frame.scope)
        if not isinstance(to, str) or not to:
            raise ExpressionError("`to` must be the id of an instance")
        sent = SignalSent(
            path=frame.path,
            to=to,
            name=self.signal,
            payload=bounded(self.args(frame.scope), "the payload"),
        )
        run.expect(frame, "signal", sent)
        return None

    def fact(self, run: Execution, frame: Frame, label: str, fact: Fact) -> Outcome | None:
        """Delivered or refused."""
        return Err(fact.error) if type(fact) is SignalRefused else NOTHING
