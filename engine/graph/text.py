"""Expressions inside YAML text, brought to one spelling.

Rule 1: only the edges of an expression are touched: `${{x}}` and `${{  x  }}` become `${{ x }}`, so
that formatting does not change a revision. What stands between the edges stays as it was written.
Rule 2: text that cannot be taken apart is left alone; `expressions` says what is wrong with it.
"""

from __future__ import annotations

from engine.errors import ExpressionError
from engine.expr import Hole, scan


def holes(text: str) -> tuple[Hole, ...]:
    """The expressions of a text, none when it cannot be taken apart."""
    try:
        return tuple(part for part in scan(text) if isinstance(part, Hole))
    except ExpressionError:
        return ()


def has_expression(text: str) -> bool:
    """Whether any expression stands in a text."""
    return bool(holes(text))


def normalise(text: str) -> str:
    """The text with every expression's edges in the one spelling."""
    parts: list[str] = []
    done = 0
    for hole in holes(text):
        parts.append(text[done : hole.offset])
        parts.append(f" {hole.source.strip()} ")
        done = hole.offset + len(hole.source)
    return "".join((*parts, text[done:]))


def sole(text: str) -> Hole | None:
    """The one expression a text consists of, white space around it aside."""
    found = holes(text)
    if len(found) != 1:
        return None
    hole = found[0]
    before, after = text[: hole.offset - 3], text[hole.offset + len(hole.source) + 2 :]
    return None if before.strip() or after.strip() else hole
