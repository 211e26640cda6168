"""E211 and W405 of signals: what is awaited is declared, what is declared is awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.definition.document import Mapping, Scalar
from engine.definition.spell import suggest
from engine.definition.wording import listed

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.graph.outline import Outline, Position


def check(outline: Outline, where: tuple[Position, ...], report: Report) -> None:
    """Find waits for signals that nobody can send."""
    declared = outline.document.root.get("signals")
    known = declared.keys() if isinstance(declared, Mapping) else ()
    for position in where:
        operand = position.site.operand
        if position.site.kind != "wait" or not isinstance(operand, Scalar):
            continue
        name = operand.text
        if name in known:
            continue
        close = suggest(name, known)
        at = declared.span.line if declared is not None else None
        report.error(
            "E211",
            operand.span,
            f"the signal `{name}` is not declared",
            why=f"`signals` (line {at}) has {listed(known)}" if known else "there is no `signals`",
            mend=None if close else f"signals: {{ {name}: {{}} }}",
            suggestions=close,
        )
