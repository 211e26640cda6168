"""Executions in mid-flight, judged on mutated definitions: what fits never diverges later.

`python -m tests.rebase.test_mutations 1000` measures and prints the figures.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from typing import Any

import pytest

from engine.history import events as ev
from engine.history.codec import encode_event, split_page
from engine.interpreter.execution import Execution
from engine.interpreter.program import Program
from engine.interpreter.replay import replay
from engine.registry.rebase import Trial, Verdict, verdict
from tests.interpreter.driver import Driver
from tests.interpreter.programs import EPOCH, started
from tests.property.adventures import FACTS, Adventure
from tests.property.programs import Choices
from tests.rebase.mutations import Mutation, Traced, mutate

FALSE_AT_MOST = 0.05


class Case:
    """One execution stopped somewhere, and one mutation of its graph."""

    def __init__(self, seed: int) -> None:
        source = random.Random(seed)
        self.told = Adventure(source.randbytes(500), copied=False)
        self.trace = Traced(self.told.program)
        self._play(1 + source.randrange(40))
        self._go_back_to(source.randrange(1, max(2, len(self.told.facts))))
        pick = Choices(source.randbytes(120))
        near = self.trace.entered if source.randrange(2) else None
        self.mutation: Mutation = mutate(pick, self.told.program.graph, near)
        self.program = Program(self.mutation.graph)

    def _play(self, facts: int) -> None:
        self.told.tell(started({"n": 1}))
        for _ in range(facts):
            if self.told.driver.ended:
                break
            self.told.tell(self.told._any())

    def _go_back_to(self, count: int) -> None:
        """As it stood after so many facts; before its end, if it was not born dead."""
        told, facts = self.told, self.told.facts[:count]
        told.driver, told.facts = Driver(told.program, copied=False), []
        told.driver.run = self.trace
        for fact in facts:
            told.tell(fact)

    @property
    def running(self) -> bool:
        return not self.told.driver.ended

    @property
    def untouched(self) -> bool:
        """Whether it has not come to anything that the mutation changed: it must fit."""
        touched = self.mutation.touched
        return touched is not None and touched not in self.trace.entered

    def judge(self) -> Verdict:
        pages = self.told.driver.pages
        found = verdict(self.program, pages, current=self.told.program)
        trial = Trial(self.program, self.told.program)
        for page in pages:
            trial.feed([page])
        fed = trial.verdict()  # how the history is fed makes no difference
        assert (fed.result, fed.seq) == (found.result, found.seq)
        return found

    def fits(self) -> bool:
        """The same question asked in another way: told the same, does it decide the same?"""
        run, events = Execution(self.program), self.told.driver.events
        at = 0
        for fact in self.told.facts:
            if not run.accepts(fact):
                return False
            decided = [encode_event(one) for one in run.advance(fact)]
            at += 1
            if decided != [encode_event(one) for one in events[at : at + len(decided)]]:
                return False
            at += len(decided)
            if at < len(events) and isinstance(events[at], ev.Decision.__args__):
                return False
        return run.ended is None and set(run.open) == set(self.trace.open)

    def go_on(self) -> None:
        """Move it and drive it to its end; then the whole history replays on the new program."""
        told, before = self.told, self.told.driver
        told.program = self.program
        told.driver = after = Driver(self.program, copied=False)
        after.run = replay(self.program, before.pages)
        after.events, after.pages = before.events, before.pages
        told.now = max(told.now, EPOCH)
        told.tell(ev.Rebased(at=told.now, version="1.0.1", revision="r2"))
        for number in range(6 * FACTS):
            if after.ended:
                break
            told.tell(told._any() if number < FACTS else told._well(number))
        if not after.ended:
            told.tell(ev.Terminated(at=told.now))
        again = replay(self.program, after.pages)
        assert again.ended == after.run.ended
        assert again.seq == sum(len(split_page(page)) for page in after.pages)


def judged(seeds: range) -> Counter[str]:
    """Counts of what came of each; asserts what must hold of all."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        case = Case(seed)
        if not case.running:
            counts["ended"] += 1
            continue
        found = case.judge()
        counts[found.result] += 1
        counts[f"{case.mutation.kind}: {found.result}"] += 1
        if case.untouched:
            counts["untouched"] += 1
            counts["false diverges"] += not found.compatible
        if "input" not in (found.got or ""):
            assert found.compatible == case.fits(), (seed, case.mutation.kind, str(found))
        if found.compatible:
            case.go_on()
        else:
            assert found.seq > 0, seed
            assert found.step_path, seed
    return counts


def check(counts: Counter[str], wanted: int) -> None:
    assert counts["compatible"] + counts["diverges"] >= wanted
    assert counts["compatible"] > wanted // 5, "too few to say anything"
    assert counts["diverges"] > wanted // 5, "too few to say anything"
    assert counts["false diverges"] <= FALSE_AT_MOST * counts["untouched"]


def test_what_is_compatible_never_diverges_later() -> None:
    check(judged(range(200)), 120)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_compatible_never_diverges_later_in_a_thousand() -> None:
    check(judged(range(10_000, 11_600)), 1_000)


def report(counts: Counter[str]) -> str:
    lines: list[Any] = [f"{name:28} {count}" for name, count in sorted(counts.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(report(judged(range(int(sys.argv[1])))) + "\n")
