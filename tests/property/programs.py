"""Random programs: step graphs of every kind inside every other, drawn from a list of choices.

A graph comes from `Choices` alone, so Hypothesis can shrink it and another process can make it
again. When the choices are used up each is 0, which is everywhere the smallest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from engine.graph import steps as g
from engine.values.duration import SECOND
from engine.values.retry import RetryPolicy

NAMES = ("ping", "pong")
CONDITIONS = (
    "vars.n >= 0", "vars.n % 2 == 0", "random() < 0.5", "vars.n > 2", "vars.n < 4",
    "vars.n >= 0", "random() < 0.9",
)  # fmt: skip
BROKEN = "input.none > 1"
WHERES = ("event.n >= 0", "event.n % 2 == 0", "event.n >= 0", "event.n > vars.n", "event.none > 1")
TYPES = ("net.down", "bank.declined", "sys.timeout")
ON = ((), ("net.*",), ("sys.cancelled",), ("bank.*", "sys.*"))
POLICIES = (
    None,
    RetryPolicy(max_attempts=2, delay=SECOND),
    RetryPolicy(max_attempts=3, delay=SECOND, jitter=0.5, give_up_on=("bank.*",)),
    RetryPolicy(max_attempts=9, delay=SECOND, max_elapsed=3 * SECOND),
)


class Choices:
    """A source of small numbers."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def below(self, limit: int) -> int:
        """The next number in [0, limit)."""
        if self.at >= len(self.data):
            return 0
        self.at += 1
        return self.data[self.at - 1] % limit

    def of(self, options: Any) -> Any:
        """One of them; the first when the choices are used up."""
        return options[self.below(len(options))]

    def once_in(self, count: int) -> bool:
        """Seldom true; never when the choices are used up."""
        return self.below(count) == count - 1


class Place(msgspec.Struct, frozen=True):
    """Where a step stands: what it may write, and whether it may leave the workflow."""

    depth: int = 0
    writable: tuple[str, ...] = ("n",)
    leaving: bool = True

    def within(self, *names: str, fresh: bool = False, leaving: bool = True) -> Place:
        """One block deeper."""
        kept = () if fresh else self.writable
        return Place(self.depth + 1, (*kept, *names), self.leaving and leaving)


class Writer:
    """Writes one graph."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.count = 0

    def graph(self) -> g.StepGraph:
        """A whole workflow."""
        pick = self.choices
        place = Place()
        return g.StepGraph(
            dsl=1,
            name="random",
            vars={"n": 0},
            signals={name: g.SignalDeclaration() for name in NAMES},
            steps=self.steps(place),
            catch=self.clauses(place) if pick.once_in(4) else (),
            finally_=self.cleanup(place) if pick.once_in(3) else (),
            timeout=60 * SECOND if pick.once_in(8) else None,
            output={"n": "${{ vars.n }}"},
        )

    def steps(self, place: Place) -> tuple[g.Step, ...]:
        """One to four steps; more at the top."""
        most = 4 if place.depth else 9
        return tuple(self.step(place) for _ in range(1 + self.choices.below(most)))

    def cleanup(self, place: Place) -> tuple[g.Step, ...]:
        """Steps that may not leave."""
        return self.steps(place.within(leaving=False))

    def step(self, place: Place) -> g.Step:
        """One step of any kind; only plain ones where it is deep or long enough."""
        self.count += 1
        deep = place.depth >= 4 or self.count > 40
        kinds = PLAIN if deep else (*PLAIN, *BLOCKS, *BLOCKS, *BLOCKS, *BLOCKS)
        make: Callable[[Writer, Place, dict[str, Any]], g.Step] = self.choices.of(kinds)
        common: dict[str, Any] = {"id": f"s{self.count}"}
        if self.choices.once_in(8):
            common["when"] = self.condition()
        return make(self, place, common)

    def condition(self) -> str:
        """One that may hold; seldom one that cannot be evaluated."""
        return BROKEN if self.choices.once_in(25) else str(self.choices.of(CONDITIONS))

    def clauses(self, place: Place) -> tuple[g.Clause, ...]:
        """One or two."""
        return tuple(
            g.Clause(
                steps=self.steps(place.within()),
                on=self.choices.of(ON),
                when=self.condition() if self.choices.once_in(5) else None,
            )
            for _ in range(1 + self.choices.below(2))
        )

    def branches(self, place: Place, *, leaving: bool) -> tuple[g.Branch, ...]:
        """Two or three."""
        made = []
        for index in range(2 + self.choices.below(2)):
            name = f"v{self.count}_{index}"
            steps = self.steps(place.within(name, fresh=True, leaving=leaving))
            made.append(g.Branch(name=f"b{index}", steps=steps, vars={name: index}))
        return tuple(made)


def _args() -> dict[str, Any]:
    return {"n": "${{ vars.n }}", "id": "${{ uuid() }}", "now": "${{ now() }}"}


def _activity(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    pick = write.choices
    return g.ActivityStep(
        **common,
        activity="t.a",
        args=_args(),
        retry=pick.of(POLICIES),
        timeout=4 * SECOND if pick.once_in(5) else None,
        continue_on_error=pick.once_in(5),
        compensate=(g.ActivityStep(id=f"{common['id']}u", activity="t.undo", args=_args()),)
        if pick.once_in(2)
        else (),
    )


def _workflow(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    pick = write.choices
    timeout = 9 * SECOND if pick.once_in(6) else None
    return g.WorkflowStep(**common, workflow="kid", retry=pick.of(POLICIES), timeout=timeout)


def _start(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    return g.StartStep(**common, workflow="kid")


def _set(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    if not place.writable:
        return _log(write, place, common)
    name = write.choices.of(place.writable)
    return g.SetStep(**common, assignments={name: f"${{{{ vars.{name} + 1 }}}}"})


def _log(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    return g.LogStep(**common, text="n is ${{ vars.n }}, ${{ random() }}")


def _status(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    return g.StatusStep(**common, value={"n": "${{ vars.n }}"})


def _sleep(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    return g.SleepStep(**common, duration=write.choices.of(("5s", "0s", "1m")))


def _wait(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    pick = write.choices
    timed = pick.of((0, 0, 1, 2, 2))
    return g.WaitStep(
        **common,
        signal=pick.of(NAMES),
        where=pick.of(WHERES) if pick.once_in(2) else None,
        timeout="7s" if timed else None,
        default=None if timed == 2 else msgspec.UNSET,
    )


def _signal(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    return g.SignalStep(**common, signal="ping", to="other", args={"n": 1})


def _raise(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    pick = write.choices
    return g.RaiseStep(**common, type=pick.of(TYPES), message="m", retryable=pick.once_in(2))


def _leave(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    if not place.leaving:
        return _raise(write, place, common)
    if write.choices.once_in(3):
        return g.ContinueAsNewStep(**common, input={"n": "${{ vars.n }}"})
    return g.ReturnStep(**common, value={"n": "${{ vars.n }}"})


def _do(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    pick, name = write.choices, f"v{write.count}"
    return g.DoStep(
        **common,
        steps=write.steps(place.within(name)),
        vars={name: 0},
        retry=pick.of(POLICIES),
        timeout=9 * SECOND if pick.once_in(3) else None,
        continue_on_error=pick.once_in(4),
        output=f"${{{{ vars.{name} }}}}",
    )


def _if(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    condition = write.condition()
    then = write.steps(place.within())
    return g.IfStep(**common, condition=condition, then=then, otherwise=write.steps(place.within()))


def _switch(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    conditions = (write.condition(), write.condition(), None)
    cases = tuple(g.Case(steps=write.steps(place.within()), when=one) for one in conditions)
    return g.SwitchStep(**common, cases=cases)


def _foreach(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    pick, name = write.choices, f"v{write.count}"
    concurrency = 1 + pick.below(3)
    inside = place.within(name, fresh=concurrency > 1, leaving=False)
    return g.ForeachStep(
        **common,
        items=pick.of(([1, 2], [], [1, 2, 3, 4])),
        name=f"i{write.count}",
        steps=write.steps(inside),
        vars={name: f"${{{{ i{write.count} }}}}"} if not pick.once_in(3) else {name: 0},
        concurrency=concurrency,
        batch=2 if pick.once_in(4) else None,
        max_failures=pick.below(3),
        output=f"${{{{ vars.{name} }}}}",
    )


def _loop(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    pick, name = write.choices, f"v{write.count}"
    mode = pick.of(("while", "until"))
    return g.LoopStep(
        **common,
        mode=mode,
        condition=pick.of((f"vars.{name} < 2", "loop.index > 1", "random() < 0.5")),
        steps=write.steps(place.within(name)),
        vars={name: 0},
        max_iterations=1 + pick.below(3),
        every=3 * SECOND if pick.once_in(2) else None,
        output="${{ loop.index }}",
    )


def _parallel(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    pick = write.choices
    return g.ParallelStep(
        **common,
        branches=write.branches(place, leaving=False),
        join=pick.of((None, 1, 2)),
        on_error=pick.of(("fail_fast", "wait_all")),
    )


def _race(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    return g.RaceStep(**common, branches=write.branches(place, leaving=True))


def _try(write: Writer, place: Place, common: dict[str, Any]) -> g.Step:
    pick = write.choices
    return g.TryStep(
        **common,
        saga=pick.once_in(2),
        steps=write.steps(place.within()),
        catch=write.clauses(place) if pick.once_in(2) else (),
        finally_=write.cleanup(place) if pick.once_in(2) else (),
        timeout=6 * SECOND if pick.once_in(3) else None,
        output="${{ vars.n }}",
    )


USUAL = (_activity, _activity, _activity, _set, _sleep, _wait, _log, _workflow)
PLAIN = (*USUAL, *USUAL, *USUAL, _status, _start, _signal, _raise, _leave)
BLOCKS = (_try, _try, _parallel, _race, _foreach, _loop, _do, _if, _switch)
