"""One execution of a workflow: facts in, decisions out, nothing else.

Theory of operation
    Rule 1: everything that changes state is here or is called from here by a node.
    Rule 2: one fact at a time. `advance` applies it, runs every step that can run until all are
        blocked, and returns what was decided. So how facts are batched cannot change an outcome.
    Rule 3: no clock, no randomness, no I/O. `now()` is the time of the fact; `uuid()` and
        `random()` derive from instance, execution, step path, event and ordinal.
    Rule 4: a decision that waits for an answer is *open* under its seq; a fact that answers
        something no longer open is not accepted (`accepts`), and must not be recorded.

Control state is a tree of frames (see `frame`), data state the scopes. Entering a step may end it
at once; then its outcome is a return value on the Python stack. If it stays open, a later fact ends
it and `settle` carries the outcome upwards, from parent to parent, without recursion.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from engine.errors import ExpressionError
from engine.history.events import (
    Aborted,
    ActivityCancelled,
    ActivityCompleted,
    ActivityFailed,
    Cancelled,
    CancelRequested,
    ChildCancelled,
    ChildCompleted,
    ChildFailed,
    ChildStarted,
    Completed,
    ContinuedAsNew,
    Decision,
    Fact,
    Failed,
    Failure,
    Logged,
    Mail,
    Rebased,
    SignalDelivered,
    SignalReceived,
    SignalRefused,
    SignalTaken,
    Started,
    Terminated,
    TimerCancelled,
    TimerCreated,
    TimerFired,
    TimerPurpose,
    WaitClosed,
)
from engine.interpreter.frame import Frame
from engine.interpreter.outcome import (
    SKIPPED,
    Err,
    Ok,
    Outcome,
    Renew,
    Return,
    StepsExhausted,
    Stopped,
    from_expression,
)
from engine.interpreter.scope import Scope
from engine.values.ids import derive_fraction, derive_uuid
from engine.values.instant import MAX_INSTANT, format_instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.interpreter.node import Node, StepNode
    from engine.interpreter.program import Program
    from engine.values.json import Json, JsonObject

STEPS_PER_FACT = 10_000
FAN_OUT = 10_000  # items of one `foreach`, and item starts of one fact that cost no step
SKIPPED_RECORD: dict[str, Any] = {"status": "skipped", "error": None}

_ANSWERS: dict[type, tuple[str, ...]] = {
    ActivityCompleted: ("activity",),
    ActivityFailed: ("activity",),
    TimerFired: ("timer", "timeout"),
    ChildStarted: ("child", "start"),
    ChildCompleted: ("child",),
    ChildFailed: ("child", "start"),
    SignalDelivered: ("signal",),
    SignalRefused: ("signal",),
}


class Draws:
    """What expressions may ask for beyond data, all of it derived from recorded history."""

    __slots__ = ("_run",)

    def __init__(self, run: Execution) -> None:
        self._run = run

    def now(self) -> str:
        """The time of the fact being handled."""
        return format_instant(self._run.now)

    def uuid(self) -> str:
        """A UUID of its own for this place and moment."""
        return derive_uuid(*self._run.draw_seed())

    def random(self) -> float:
        """A number in [0, 1) of its own for this place and moment."""
        return derive_fraction(*self._run.draw_seed())


class Execution:
    """The live state of one execution."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.seq = 0
        self.now = 0
        self.path = ""
        self.started: Started | None = None
        self.rebased: Rebased | None = None
        self.ended: Decision | Terminated | None = None
        self.cancelling = False
        self.cancel_reason: str | None = None
        self.custom_status: Json = None
        self.mailbox: dict[str, deque[Json]] = {}
        self.taken: dict[str, int] = {}
        self.waits: dict[str, list[Frame]] = {}
        self.open: dict[int, Frame] = {}
        self.root: Frame | None = None
        self._out: list[Decision] = []
        self._budget = 0
        self._free_items = 0
        self._draws = 0

    # -- the one entry --------------------------------------------------------------------------

    def advance(self, fact: Fact) -> list[Decision]:
        """Apply one fact; the decisions follow it in history. The fact must be accepted."""
        self.seq += 1
        self.now = fact.at
        self._out = []
        self.path = ""  # nothing of an earlier fact may show: a restored copy does not have it
        self._budget = STEPS_PER_FACT
        self._free_items = FAN_OUT
        self._draws = 0
        try:
            handler = _HANDLERS.get(type(fact))
            if handler is None:
                self._answer(fact)
            else:
                handler(self, fact)
        except StepsExhausted:
            message = f"more than {STEPS_PER_FACT} steps were executed for one event"
            error = Failure(type="sys.limit", message=message, step=self.path)
            self._end_now(Failed(error=error))
        return self._out

    def accepts(self, fact: Fact) -> bool:
        """Whether this fact may be applied now; one that answers nothing open may not."""
        if self.ended is not None:
            return False
        labels = _ANSWERS.get(type(fact))
        if labels is None:
            return isinstance(fact, Started) == (self.started is None)
        frame = self.open.get(fact.ref)  # type: ignore[union-attr]  # all of _ANSWERS have a ref
        if frame is None or frame.refs is None:
            return False
        if type(fact) is ChildStarted and frame.data.get("begun") == fact.ref:
            return False
        return any(frame.refs.get(label) == fact.ref for label in labels)  # type: ignore[union-attr]

    @property
    def revision(self) -> str | None:
        """The revision that the history says the execution is on."""
        pinned = self.rebased or self.started
        return pinned.revision if pinned is not None else None

    # -- facts ----------------------------------------------------------------------------------

    def _begin(self, fact: Started) -> None:
        self.prepare(fact)
        assert self.root is not None
        root = self.root
        outcome = self._guarded(root, lambda: root.node.enter(self, root))
        if outcome is not None:
            self._end(root.node.leave(self, root, outcome))

    def prepare(self, fact: Started) -> None:
        """Take over what `started` pins; runs nothing."""
        self.started = fact
        self.custom_status = fact.custom_status
        for mail in fact.mailbox:
            self.mailbox.setdefault(mail.name, deque()).append(mail.payload)
        scope = Scope.base(Draws(self), self._roots(fact))
        self.root = Frame(self.program.root, None, 0, "", scope)

    def _roots(self, fact: Started) -> dict[str, Any]:
        return {
            "input": fact.input,
            "config": fact.config,
            "workflow": self._workflow(fact),
            "instance": {
                "id": fact.instance_id,
                "execution": fact.execution,
                "started_at": format_instant(fact.at),
                "parent": fact.parent.instance_id if fact.parent else None,
                "labels": {},
            },
        }

    def _workflow(self, started: Started) -> JsonObject:
        pinned = self.rebased or started
        return {
            "name": started.workflow,
            "version": pinned.version,
            "revision": pinned.revision,
        }

    def rebase(self, fact: Rebased) -> None:
        """From here on expressions see another version. That it fits was verified before."""
        self.rebased = fact
        assert self.started is not None
        workflow = self._workflow(self.started)
        frames = [self.root] if self.root is not None else []
        while frames:
            frame = frames.pop()
            frames.extend((frame.children or {}).values())
            scope: Scope | None = frame.scope
            while scope is not None:
                scope.roots["workflow"] = workflow
                scope = scope.parent

    def _answer(self, fact: Any) -> None:
        frame = self.open[fact.ref]
        refs = frame.refs
        assert refs is not None
        label = next(label for label, ref in refs.items() if ref == fact.ref)
        if label == "child" and type(fact) is ChildStarted:
            frame.data["begun"] = fact.ref
            return  # the parent waits for the end, not for the beginning
        del self.open[fact.ref]
        del refs[label]
        self.path = frame.path
        outcome = self._guarded(frame, lambda: frame.node.fact(self, frame, label, fact))
        if outcome is not None:
            self.settle(frame, outcome)

    def _signal(self, fact: SignalReceived) -> None:
        asked: set[Frame] = set()
        waits = deque(self.waits.get(fact.name, ()))
        while waits:
            frame = waits.popleft()
            asked.add(frame)
            self.path = frame.path
            node: Any = frame.node
            outcome = node.offered(self, frame, fact.payload)
            if outcome is None:
                continue
            self.settle(frame, outcome)
            if type(outcome) is Ok:
                return
            # `where` failed: that step fails, and the signal is offered to those that wait now
            waits = deque(one for one in self.waits.get(fact.name, ()) if one not in asked)
        self.mailbox.setdefault(fact.name, deque()).append(fact.payload)

    def _cancel(self, fact: CancelRequested) -> None:
        if self.cancelling:
            return
        self.cancelling = True
        self.cancel_reason = fact.reason
        assert self.root is not None
        outcome = self.stop(self.root)
        if outcome is not None:
            self._end(outcome)

    def _terminate(self, fact: Terminated) -> None:
        self._end_now(fact)

    def _abort(self, fact: Aborted) -> None:
        self._end_now(Failed(error=fact.error))

    # -- for nodes ------------------------------------------------------------------------------

    def emit(self, decision: Decision) -> int:
        """Decide; returns the seq."""
        self._out.append(decision)
        self.seq += 1
        return self.seq

    def expect(self, frame: Frame, label: str, decision: Decision) -> None:
        """Decide something that will be answered by a fact."""
        ref = self.emit(decision)
        self.open[ref] = frame
        if frame.refs is None:
            frame.refs = {label: ref}
        else:
            frame.refs[label] = ref

    def timer(self, frame: Frame, due: int, purpose: TimerPurpose, label: str = "timer") -> None:
        """Create a durable timer; its end is a fact with that label."""
        due = min(due, MAX_INSTANT)
        frame.data[f"{label}_due"] = due
        timer = TimerCreated(path=frame.path, due_at=due, purpose=purpose)
        self.expect(frame, label, timer)

    def release(self, frame: Frame) -> None:
        """Take back every open decision of this frame."""
        if frame.refs:
            for label in list(frame.refs):
                self.withdraw(frame, label)

    def withdraw(self, frame: Frame, label: str) -> None:
        """Take back one open decision, if it is open."""
        ref = frame.refs.pop(label, None) if frame.refs else None
        if ref is None:
            return
        del self.open[ref]
        match label:
            case "activity":
                self.emit(ActivityCancelled(ref=ref))
            case "timer" | "timeout":
                self.emit(TimerCancelled(ref=ref))
            case "child":
                self.emit(
                    ChildCancelled(
                        ref=ref, instance_id=frame.data["child"], reason=self.cancel_reason
                    )
                )
            case "wait":
                self.waits[frame.node.signal].remove(frame)  # type: ignore[attr-defined]
                self.emit(WaitClosed(ref=ref))

    def start_step(self, step: StepNode, parent: Frame) -> Outcome | None:
        """Begin a step of the sequence `parent`."""
        self._budget -= 1
        path = f"{parent.path}/{step.id}" if parent.path else step.id
        self.path = path
        if self._budget < 0:
            raise StepsExhausted
        scope = parent.scope
        frame = Frame(step, parent, 0, path, scope)
        try:
            if step.when is not None and not step.when(scope):
                scope.steps_here()[step.id] = SKIPPED_RECORD
                return SKIPPED
            outcome = step.enter(self, frame)
        except ExpressionError as error:
            self.release(frame)
            outcome = self.unwind(frame, from_expression(error))
        if outcome is None:
            parent.children = {0: frame}
            return None
        return step.leave(self, frame, outcome)

    def start_item(self) -> None:
        """An item of `foreach` begins; its first step is bounded by the fan-out, not as a step."""
        if self._free_items > 0:
            self._free_items -= 1
            self._budget += 1

    def start_block(
        self, node: Node, parent: Frame, key: int, path: str, scope: Scope
    ) -> Outcome | None:
        """Begin a block inside the step `parent`."""
        frame = Frame(node, parent, key, path, scope)
        outcome = node.enter(self, frame)
        if outcome is None:
            if parent.children is None:
                parent.children = {}
            parent.children[key] = frame
            return None
        return node.leave(self, frame, outcome)

    def settle(self, frame: Frame, outcome: Outcome) -> None:
        """Carry an outcome upwards until something stays open or the execution ends."""
        while True:
            outcome = frame.node.leave(self, frame, outcome)
            parent = frame.parent
            if parent is None:
                self._end(outcome)
                return
            assert parent.children is not None
            del parent.children[frame.key]
            try:
                resumed = parent.node.resume(self, parent, frame, outcome)
            except ExpressionError as error:
                self.release(parent)
                resumed = self.unwind(parent, from_expression(error))
            if resumed is None:
                return
            frame, outcome = parent, resumed

    def stop(self, frame: Frame) -> Outcome | None:
        """Ask a frame to leave; None while it cleans up."""
        outcome = frame.node.stop(self, frame)
        return None if outcome is None else frame.node.leave(self, frame, outcome)

    def unwind(self, frame: Frame, outcome: Outcome) -> Outcome | None:
        """End `frame` with `outcome` once all its children have stopped."""
        before, frame.pending = frame.pending, None
        if type(before) is Stopped and type(outcome) is Stopped and outcome.error is None:
            outcome = before  # asked to stop again: what failed meanwhile is not forgotten
        children = frame.children
        if children:
            for key, child in list(children.items()):
                stopped = self.stop(child)
                if stopped is not None:
                    del children[key]
                    outcome = self._note_cleanup(frame, stopped, outcome)
            if children:
                frame.pending = outcome
                return None
        return outcome

    def unwound(self, frame: Frame, child: Outcome) -> Outcome | None:
        """A child of a frame that is being unwound has ended; the outcome when it was the last."""
        assert frame.pending is not None
        frame.pending = self._note_cleanup(frame, child, frame.pending)
        if frame.children:
            return None
        outcome, frame.pending = frame.pending, None
        return outcome

    def compensable(self, frame: Frame, reads: tuple[str, ...] | None) -> None:
        """Remember a succeeded step in the nearest saga around it that is in its body."""
        above = frame.parent
        while above is not None:
            if above.data.get("undo") is not None and above.data["phase"] == "body":
                entry = {
                    "node": frame.node.index,
                    "path": frame.path,
                    "scope": frame.scope.captured(reads),
                }
                above.data["undo"].append(entry)
                return
            above = above.parent

    def unqueue(self, name: str, index: int) -> None:
        """Remove one signal from the mailbox; a name without signals leaves no trace there."""
        queue = self.mailbox[name]
        del queue[index]
        if not queue:
            del self.mailbox[name]

    def take(self, frame: Frame, name: str) -> None:
        """Record that a wait took the next signal of that name."""
        ordinal = self.taken.get(name, 0) + 1
        self.taken[name] = ordinal
        self.emit(SignalTaken(path=frame.path, name=name, ordinal=ordinal))

    def place_error(self, outcome: Err, frame: Frame) -> Failure:
        """The error with the step it came from, unless it names one already."""
        error = outcome.error
        if error.step is not None:
            return error
        return replace(error, step=frame.path)

    def draw_seed(self) -> tuple[str, ...]:
        """What the next uuid() or random() derives from."""
        assert self.started is not None
        self._draws += 1
        started = self.started
        return (
            started.instance_id,
            str(started.execution),
            self.path,
            str(self.seq),
            str(self._draws),
        )

    def mail(self) -> tuple[Mail, ...]:
        """What is left in the mailbox, for the next execution."""
        return tuple(
            Mail(name=name, payload=payload)
            for name, queue in self.mailbox.items()
            for payload in queue
        )

    # -- ends -----------------------------------------------------------------------------------

    def _guarded(self, frame: Frame, action: Callable[[], Outcome | None]) -> Outcome | None:
        try:
            return action()
        except ExpressionError as error:
            self.release(frame)
            return self.unwind(frame, from_expression(error))

    def _note_cleanup(self, frame: Frame, stopped: Outcome, outcome: Outcome) -> Outcome:
        """Tell of a clean-up that failed: in the outcome if that is a stop, else in the log."""
        error = stopped.error if isinstance(stopped, (Err, Stopped)) else None
        if error is None:
            return outcome
        if type(outcome) is Stopped and outcome.error is None:
            return Stopped(error)
        text = f"clean-up inside `{frame.path}` failed: {error.type}: {error.message}"
        self.emit(Logged(path=frame.path, level="warning", text=text))
        return outcome

    def _end(self, outcome: Outcome) -> None:
        decision: Decision
        if type(outcome) is Ok or type(outcome) is Return:
            decision = Completed(output=outcome.value)
        elif type(outcome) is Renew:
            decision = ContinuedAsNew(input=outcome.input, version=outcome.version)
        elif type(outcome) is Err:
            decision = Failed(error=outcome.error)
        else:
            error = outcome.error if type(outcome) is Stopped else None
            decision = Cancelled(reason=self.cancel_reason, error=error)
        self._end_now(decision)

    def _end_now(self, last: Decision | Terminated) -> None:
        for ref in sorted(self.open):
            frame = self.open.get(ref)
            if frame is not None:
                self.release(frame)
        if not isinstance(last, Terminated):
            self.emit(last)
        self.ended = last
        self.root = None


_HANDLERS: dict[type, Callable[[Execution, Any], None]] = {
    Started: Execution._begin,
    SignalReceived: Execution._signal,
    CancelRequested: Execution._cancel,
    Terminated: Execution._terminate,
    Aborted: Execution._abort,
    Rebased: Execution.rebase,
}
