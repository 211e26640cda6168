"""Replay: rebuild an execution from its history, checking every decision on the way.

Facts are fed to the graph one by one; what it decides now must be, byte for byte, what was
recorded. Decisions are therefore never decoded. Raises `Nondeterminism` at the first difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from engine.errors import Nondeterminism, UnsupportedSemantics
from engine.history.codec import decode_event, decode_fact, encode_event, is_fact, split_page
from engine.history.events import Started
from engine.interpreter import semantics, snapshot
from engine.interpreter.execution import Execution
from engine.interpreter.program import Program


def replay(
    program: Program, pages: Iterable[bytes], *, saved: bytes | None = None
) -> Execution:
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
    for page in pages:
        for event in split_page(page):
            if not is_fact(event):
                if position >= len(expected):
                    raise _differs(run.seq + 1, event, None)
                if expected[position] != event:
                    at = run.seq - len(expected) + position + 1
                    raise _differs(at, event, expected[position])
                position += 1
                continue
            if position < len(expected):
                at = run.seq - len(expected) + position + 1
                raise _differs(at, event, expected[position])
            fact = decode_fact(event)
            if isinstance(fact, Started) and fact.semantics not in semantics.SUPPORTED:
                raise UnsupportedSemantics(fact.semantics, semantics.SUPPORTED)
            if not run.accepts(fact):
                raise _differs(run.seq + 1, event, None)
            expected = [encode_event(decision) for decision in run.advance(fact)]
            position = 0
            yield run
    if position < len(expected):
        at = run.seq - len(expected) + position + 1
        raise _differs(at, None, expected[position])


def state_at(program: Program, pages: Iterable[bytes], seq: int) -> Execution:
    """The execution as it stood after event `seq` (after the whole fact that contains it)."""
    run = Execution(program)
    for _ in replay_steps(run, pages):
        if run.seq >= seq:
            break
    return run


def _differs(seq: int, recorded: bytes | None, derived: bytes | None) -> Nondeterminism:
    path = _path(derived) or _path(recorded) or "?"
    return Nondeterminism(seq=seq, step_path=path, expected=_told(recorded), got=_told(derived))


def _path(event: bytes | None) -> str | None:
    return getattr(decode_event(event), "path", None) if event is not None else None


def _told(event: bytes | None) -> str | None:
    """A short description of an event for people."""
    if event is None:
        return None
    decoded: Any = decode_event(event)
    kind = decoded.__struct_config__.tag
    about = [
        f"{name} {str(value)[:120]!r}"
        for name in ("path", "activity", "workflow", "name", "ref", "input", "output", "value", "text")
        if (value := getattr(decoded, name, None)) is not None
    ]
    return f"{kind}({', '.join(about)})"
