"""Broken YAML, told in our words: what stands there, what was expected, how to mend it.

ruamel's findings come in as (context, problem, marks); every one leaves as an E101.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.definition.places import Lines


def explain(error: Any, lines: Lines, report: Report) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    index = mark.index if mark else 0
    report.error(
        "E101",
        lines.span(index, index + 1),
        "the YAML cannot be read here: " + str(getattr(error, "problem", error)),
    )


def check_tabs(lines: Lines, shielded: list[tuple[int, int]], report: Report) -> None:
    """Refuse tabs outside of quoted and block scalars and comments."""


def lost_comment(lines: Lines, start: int, end: int, report: Report) -> None:
    """Refuse an expression that a ` #` has cut off."""
