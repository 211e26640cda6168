"""Rebase verdicts: would a running execution have come to where it stands on another revision?

The history so far is replayed on the other program. It fits when every decision comes out the same
to the byte, and when what is then open is what is open now. State is a fold of history, so what a
history that fits will do later follows from the new program alone: later replays begin again with
the first event, on that program. Three things a replay by itself would not see are compared too:

input
    A start of this version would have filled in, or refused, what the record lacks.
what is open: calls, timers, children, waits
    Some are given up without an event; an answer that was dropped then will not come again.
the program of today
    A history that does not even replay there says nothing of what is open: the replay alone counts.

Pure: pages in, verdict out. Whoever asks sees to it that nothing was added meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from engine.errors import Nondeterminism, ReplayError
from engine.interpreter.execution import Execution
from engine.interpreter.replay import replay_steps
from engine.interpreter.view import waiting_for
from engine.values.digest import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.history.events import Started
    from engine.interpreter.program import Program
    from engine.values.json import Json


class Verdict(msgspec.Struct, frozen=True):
    """Whether an execution can go over; when not, the first event that would be another one.

    `expected` is what the history (or the execution as it is) has, `got` what the program makes.
    """

    result: Literal["compatible", "diverges"]
    seq: int = 0
    step_path: str = ""
    expected: str | None = None
    got: str | None = None

    @property
    def compatible(self) -> bool:
        """Whether it can go over."""
        return self.result == "compatible"

    def __str__(self) -> str:
        if self.compatible:
            return "compatible"
        return (
            f"diverges at event {self.seq} (step `{self.step_path}`): "
            f"expected {self.expected or 'nothing more'}, got {self.got or 'nothing'}"
        )


COMPATIBLE = Verdict("compatible")


def verdict(program: Program, pages: Iterable[bytes], *, current: Program | None = None) -> Verdict:
    """The verdict on one history.

    Args:
        program: of the revision to go over to.
        pages: all pages of the execution, in order.
        current: the program it runs on now; without it what is open is not compared.
    """
    trial = Trial(program, current)
    trial.feed(list(pages))
    return trial.verdict()


class Trial:
    """A history on trial; it can be fed with what has come since, page by page."""

    def __init__(self, program: Program, current: Program | None = None) -> None:
        self.run = Execution(program)
        self._now = Execution(current) if current is not None else None
        self._failed: Verdict | None = None

    def feed(self, pages: Sequence[bytes]) -> None:
        """Replay further pages, whole turns each. After a difference nothing is replayed."""
        if self._failed is not None:
            return
        try:
            _replay(self.run, pages)
        except Nondeterminism as error:
            self._failed = _difference(error)
        except ReplayError as error:
            path = self.run.path or "(workflow)"
            self._failed = Verdict("diverges", self.run.seq, path, "a history", error.message)
        if self._now is None or self._failed is not None:
            return
        try:
            _replay(self._now, pages)
        except ReplayError:  # it is broken where it is: what is open there means nothing
            self._now = None

    def verdict(self) -> Verdict:
        """On what was fed so far."""
        if self._failed is not None:
            return self._failed
        run = self.run
        if run.started is None:
            return Verdict("diverges", 1, "(workflow)", "started(…)", None)
        return _input(run, run.started) or self._open() or COMPATIBLE

    def _open(self) -> Verdict | None:
        """The first open decision that only one of the two programs waits for."""
        if self._now is None:
            return None
        mine, there = _waits(self.run), _waits(self._now)
        for ref in sorted(mine.keys() | there.keys()):
            if mine.get(ref) != there.get(ref):
                kind, path = there.get(ref) or mine[ref]
                expected, got = (_told(waits.get(ref)) for waits in (there, mine))
                return Verdict("diverges", ref, path, expected, got or f"no {kind} that is open")
        return None


def _replay(run: Execution, pages: Sequence[bytes]) -> None:
    for _ in replay_steps(run, pages):
        pass


def _difference(error: Nondeterminism) -> Verdict:
    return Verdict("diverges", error.seq, error.step_path, error.expected, error.got)


def _input(run: Execution, started: Started) -> Verdict | None:
    """What a start of this version would have made of the input."""
    schema = run.program.input_schema
    filled = schema.fill(started.input)
    problem = schema.problem(filled)
    if problem is not None:
        got = f"input refused at `{problem.path or '/'}`: {problem.message}"
        return Verdict("diverges", 1, "(workflow)", _input_text(started.input), got)
    if filled != started.input:
        return Verdict("diverges", 1, "(workflow)", _input_text(started.input), _input_text(filled))
    return None


def _input_text(value: Json) -> str:
    return f"started(input {canonical_json(value).decode():.120})"


def _waits(run: Execution) -> dict[int, tuple[str, str]]:
    """Kind and step of everything open, by the seq of its decision."""
    listed = zip(sorted(run.open), waiting_for(run), strict=True)
    return {ref: (str(one["kind"]), str(one["step"])) for ref, one in listed}


def _told(wait: tuple[str, str] | None) -> str | None:
    return None if wait is None else f"an open {wait[0]} of `{wait[1]}`"
