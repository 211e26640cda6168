"""Random adventures: an execution is answered in any order with any outcome until it ends."""

from __future__ import annotations

from typing import Any

from engine.history import events as ev
from engine.interpreter import snapshot
from engine.interpreter.program import Program
from tests.interpreter.driver import Driver
from tests.interpreter.programs import EPOCH, started
from tests.property.programs import NAMES, TYPES, Choices, Writer

FACTS = 60  # then the rest is answered well, so that most adventures come to an end


class Adventure:
    """One random program under random facts."""

    def __init__(self, data: bytes, *, copied: bool = True) -> None:
        self.choices = Choices(data)
        self.program = Program(Writer(self.choices).graph())
        self.driver = Driver(self.program, copied=copied)
        self.facts: list[Any] = []
        self.now = EPOCH

    def play(self) -> Adventure:
        """From `started` to the end."""
        self.tell(started({"n": 1}))
        for number in range(6 * FACTS):
            if self.driver.ended:
                break
            self.tell(self._any() if number < FACTS else self._well(number))
        if not self.driver.ended:
            self.tell(ev.Terminated(at=self.now))
        self.driver.finish()
        return self

    def tell(self, fact: Any) -> None:
        """Tell it if it may be told; a fact that is refused must leave no trace."""
        run = self.driver.run
        if not run.accepts(fact):
            before = snapshot.dump(run)
            assert not run.accepts(fact)
            assert snapshot.dump(run) == before
            return
        self.facts.append(fact)
        self.driver.tell(fact)

    def _any(self) -> Any:
        pick = self.choices
        self.now += pick.below(3) * 500_000
        match pick.below(16):
            case 15 if pick.once_in(3):
                return ev.CancelRequested(at=self.now, reason=pick.of((None, "enough")))
            case 14 | 13:
                return self._signal()
            case 12:
                return self._stray()
            case 11 if pick.once_in(8):
                return ev.Terminated(at=self.now)
        index = pick.below(8)
        ref = self._open(index)
        asked = self.driver.events[ref - 1]
        if isinstance(asked, ev.TimerCreated) and asked.purpose == "timeout":
            ref = self._open(index + pick.of((1, 1, 1, 0)))
        return self._answer(ref, well=not pick.once_in(6))

    def _well(self, number: int) -> Any:
        if number == 3 * FACTS:
            return ev.CancelRequested(at=self.now)
        ref = self._open(number)
        if isinstance(self.driver.events[ref - 1], ev.WaitOpened) and number % 3:
            ref = self._open(number + 1)
        return self._answer(ref, well=True)

    def _open(self, index: int) -> int:
        refs = sorted(self.driver.run.open)
        return refs[index % len(refs)]

    def _signal(self) -> Any:
        pick = self.choices
        payload = {"n": pick.below(5)} if not pick.once_in(8) else {}
        return ev.SignalReceived(at=self.now, name=pick.of(NAMES), payload=payload)

    def _stray(self) -> Any:
        """An answer to anything, asked or not."""
        return self._answered(self.choices.below(7), 1 + self.choices.below(40))

    def _answer(self, ref: int, *, well: bool) -> Any:
        asked = self.driver.events[ref - 1]
        match asked:
            case ev.ActivityScheduled():
                return self._answered(0 if well else 1, ref)
            case ev.ChildScheduled():
                if asked.detached or self.choices.once_in(3):
                    return self._answered(3 if well else 5, ref)
                return self._answered(4 if well else 5, ref)
            case ev.SignalSent():
                return self._answered(6 if well else 7, ref)
            case ev.TimerCreated():
                self.now = max(self.now, asked.due_at)
                return ev.TimerFired(at=self.now, ref=ref)
        return ev.SignalReceived(at=self.now, name=asked.name, payload={"n": 2})

    def _answered(self, kind: int, ref: int) -> Any:
        pick, at = self.choices, self.now
        error = ev.Failure(type=pick.of(TYPES), message="no", retryable=not pick.once_in(3))
        match kind:
            case 0:
                return ev.ActivityCompleted(at=at, ref=ref, result={"n": pick.below(5)})
            case 1:
                return ev.ActivityFailed(at=at, ref=ref, error=error)
            case 2:
                return ev.TimerFired(at=at, ref=0)
            case 3:
                return ev.ChildStarted(
                    at=at, ref=ref, instance_id="kid-1", version="1.0.0", revision="k"
                )
            case 4:
                return ev.ChildCompleted(at=at, ref=ref, output=1)
            case 5:
                return ev.ChildFailed(at=at, ref=ref, error=error)
            case 6:
                return ev.SignalDelivered(at=at, ref=ref)
        return ev.SignalRefused(at=at, ref=ref, error=error)
