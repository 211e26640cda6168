"""Drives one execution by hand and holds it to what must always be true.

After every fact: a saved and restored copy is the same to the byte, decided the same, and stays so
for ever; the history is well formed; an execution that goes on has something open. `finish` replays
the whole.
"""

from __future__ import annotations

from typing import Any

from engine.history.codec import encode_event, encode_page
from engine.history.events import Fact
from engine.interpreter import snapshot
from engine.interpreter.execution import Execution
from engine.interpreter.program import Program
from engine.interpreter.replay import replay
from engine.interpreter.scope import Scope
from engine.interpreter.view import calls_in_flight, waiting_for
from tests.interpreter.open_decisions import open_refs
from tests.scenarios.invariants import check_execution


class Driver:
    """One execution and its history."""

    def __init__(self, program: Program, *, copied: bool = True) -> None:
        self.program = program
        self.run = Execution(program)
        self.events: list[Any] = []
        self.pages: list[bytes] = []
        self.scope: Scope | None = None  # the outermost, also after the end
        self.copied = copied
        self._saved: bytes | None = None

    @property
    def ended(self) -> bool:
        """Whether the execution is over."""
        return self.run.ended is not None

    def tell(self, fact: Fact) -> list[Any]:
        """Apply one fact; returns what was decided."""
        assert self.run.accepts(fact), fact
        decisions = self.run.advance(fact)
        self.events += [fact, *decisions]
        self.pages.append(encode_page([encode_event(one) for one in (fact, *decisions)]))
        assert self.run.seq == len(self.events)
        if self.run.root is not None:
            self.scope = self.run.root.scope
        for ref, call in calls_in_flight(self.run):
            assert self.events[ref - 1] == call, "after a restart another call would be made"
        assert len(waiting_for(self.run)) == len(self.run.open)
        self._check(fact, decisions)
        return decisions

    def finish(self) -> None:
        """Check what can only be checked at the end."""
        check_execution(self.events, ended=self.ended, last=False)
        again = replay(self.program, self.pages)
        assert again.seq == self.run.seq
        if not self.ended:
            assert snapshot.dump(again) == snapshot.dump(self.run)

    def _check(self, fact: Fact, decisions: list[Any]) -> None:
        if self.copied and self._saved is not None:
            copy = snapshot.load(self.program, self._saved)
            assert copy.advance(fact) == decisions
            if not self.ended:
                assert snapshot.dump(copy) == snapshot.dump(self.run)
        if self.ended:
            assert self.run.open == {}
            assert not any(self.run.waits.values())
            return
        assert self.run.open, "nothing can ever happen again"
        if self.copied:
            assert set(open_refs(self.events)) >= set(self.run.open)
            self._saved = snapshot.dump(self.run)
            assert snapshot.dump(snapshot.load(self.program, self._saved)) == self._saved
