"""E312: `compensate` is run by the `saga` around it, and is not undone itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.graph.scopes import title

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.graph.outline import Position


def check(where: tuple[Position, ...], report: Report) -> None:
    """Find undo that nothing would ever run."""
    for position in where:
        given = position.site.node.entry("compensate")
        if given is None:
            continue
        undone = next((at for at, block in position.trail if block.role == "compensate"), None)
        if undone is not None:
            report.error(
                "E312",
                given.key.span,
                "a step of an undo has no `compensate` of its own",
                why=f"this is the undo of {title(undone)}, and a failing undo is retried",
                mend="remove it",
            )
        elif not any(
            holder is not None and holder.kind == "saga" and block.role == "body"
            for holder, block in position.trail
        ):
            outside = next(
                (at for at, _ in position.trail if at is not None and at.kind == "saga"), None
            )
            report.error(
                "E312",
                given.key.span,
                "`compensate` outside of a `saga` never runs",
                why=f"this is after the rollback of {title(outside)}" if outside else None,
                mend="put the steps that belong together into `saga:`",
            )
