"""Replay: rebuild an execution from its history, checking every decision on the way.

Facts are fed to the graph one by one; what it decides now must be, byte for byte, what was
recorded. Decisions are therefore never decoded. Raises `Nondeterminism` at the first difference,
and `ReplayError` for what is no history at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import Nondeterminism, ReplayError, UnsupportedSemantics
from engine.history.codec import decode_event, decode_fact, encode_event, is_fact, split_page
from engine.history.events import Fact, Started
from engine.interpreter import semantics, snapshot
from engine.interpreter.execution import Execution

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.interpreter.program import Program

TOLD = (
    "path", "activity", "workflow", "name", "ref", "due_at", "input", "output", "value", "text",
    "error",
)  # fmt: skip


def replay(program: Program, pages: Iterable[bytes], *, saved: bytes | None = None) -> Execution:
    """The execution after all events of `pages`.

    Args:
        program: what to replay on.
        pages: encoded pages in order; with `saved`, those after the snapshot.
        saved: a snapshot to go on from.
    """
    run = Execution(program) if saved is None else snapshot.load(program, saved)
    for _ in replay_steps(run, pages):
        pass
    return run


def replay_steps(run: Execution, pages: Iterable[bytes]) -> Iterator[Execution]:
    """Replay on `run`; yields it after each fact with its decisions (time travel)."""
    expected: list[bytes] = []  # decisions derived, not yet met in the history
    position = 0
    told = _Told(run.seq)
    for event in _events(pages, told):
        if not is_fact(event):
            if position >= len(expected):
                raise told.differs(run, run.seq + 1, event, None)
            if expected[position] != event:
                at = run.seq - len(expected) + position + 1
                raise told.differs(run, at, event, expected[position])
            position += 1
            continue
        if position < len(expected):
            at = run.seq - len(expected) + position + 1
            raise told.differs(run, at, event, expected[position])
        fact = _fact(event, run.seq + 1)
        if not run.accepts(fact):
            raise told.differs(run, run.seq + 1, event, None)
        expected = [encode_event(decision) for decision in run.advance(fact)]
        position = 0
        yield run
    if position < len(expected):
        at = run.seq - len(expected) + position + 1
        raise told.differs(run, at, None, expected[position])


def state_at(program: Program, pages: Iterable[bytes], seq: int) -> Execution:
    """The execution as it stood after event `seq` (after the whole fact that contains it)."""
    run = Execution(program)
    for _ in replay_steps(run, pages):
        if run.seq >= seq:
            break
    return run


def _events(pages: Iterable[bytes], told: _Told) -> Iterator[bytes]:
    for page in pages:
        try:
            events = split_page(page)
        except msgspec.MsgspecError as error:
            raise ReplayError(f"the page behind event {told.last} is damaged: {error}") from error
        for event in events:
            yield event
            told.events.append(event)


def _fact(event: bytes, seq: int) -> Fact:
    try:
        fact = decode_fact(event)
    except msgspec.MsgspecError as error:
        raise ReplayError(f"event {seq} is damaged: {error}") from error
    if isinstance(fact, Started) and fact.semantics not in semantics.SUPPORTED:
        raise UnsupportedSemantics(fact.semantics, semantics.SUPPORTED)
    return fact


class _Told:
    """The events met so far, so that a difference can name the step it is about."""

    def __init__(self, before: int) -> None:
        self.before = before
        self.events: list[bytes] = []

    @property
    def last(self) -> int:
        """The seq of the newest."""
        return self.before + len(self.events)

    def differs(
        self, run: Execution, seq: int, recorded: bytes | None, derived: bytes | None
    ) -> Nondeterminism:
        """The error for one difference."""
        path = self._path(derived) or self._path(recorded) or run.path or "(workflow)"
        expected, got = _described(recorded), _described(derived)
        return Nondeterminism(seq=seq, step_path=path, expected=expected, got=got)

    def _path(self, event: bytes | None) -> str | None:
        """The step an event is about, if need be by the decision it belongs to."""
        decoded: Any = _decoded(event)
        ref = getattr(decoded, "ref", None)
        if ref is None:
            return getattr(decoded, "path", None)
        at = ref - self.before - 1
        asked = _decoded(self.events[at]) if 0 <= at < len(self.events) else None
        return getattr(asked, "path", None)


def _decoded(event: bytes | None) -> Any:
    """The event; None when there is none, or none that this build knows."""
    try:
        return decode_event(event) if event is not None else None
    except msgspec.MsgspecError:
        return None


def _described(event: bytes | None) -> str | None:
    """A short description of an event for people."""
    if event is None:
        return None
    decoded: Any = _decoded(event)
    if decoded is None:
        return event[:120].decode(errors="replace")
    kind = decoded.__struct_config__.tag
    about = [
        f"{name} {str(value)[:120]!r}"
        for name in TOLD
        if (value := getattr(decoded, name, None)) is not None
    ]
    return f"{kind}({', '.join(about)})"
