"""E310 and E311: a workflow ends where nothing else is under way.

`return` is allowed in a `race` (the losers are cancelled) and in `saga` (it is no error, so nothing
is undone); `continue_as_new` in neither. Cleaning up never ends the workflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.definition.document import Scalar
from engine.graph.scopes import title

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.graph.outline import Block, Position, Site

_TO_THE_END = "set a variable or an `output:` here, and do it at the end of the top level"


def check(where: tuple[Position, ...], report: Report) -> None:
    """Judge every leaving step by the blocks around it."""
    for position in where:
        match position.site.kind:
            case "continue_as_new":
                _continuing(position, report)
            case "return":
                _returning(position, report)
            case "raise":
                _raising(position, report)


def _continuing(position: Position, report: Report) -> None:
    for holder, block in position.trail:
        if block.role in ("finally", "compensate"):
            _tell("E310", position, _cleanup(block, holder), report)
            return
        if holder is None:
            continue
        if block.role == "branch" or holder.kind == "foreach":
            _tell("E310", position, f"{title(holder)} may have other work under way", report)
            return
        if holder.kind == "saga" and block.role == "body":
            _tell("E310", position, f"{title(holder)} may have steps to undo", report)
            return


def _returning(position: Position, report: Report) -> None:
    for holder, block in position.trail:
        if block.role in ("finally", "compensate"):
            _tell("E311", position, _cleanup(block, holder), report)
            return
        if holder is None:
            continue
        concurrent = holder.kind == "foreach" and _several(holder)
        if (block.role == "branch" and holder.kind == "parallel") or concurrent:
            _tell("E311", position, f"{title(holder)} may have other work under way", report)
            return


def _raising(position: Position, report: Report) -> None:
    """An error may not leave `finally`, except by a `try` in there that catches it."""
    cleanup: tuple[Site | None, Block] | None = None
    for holder, block in position.trail:
        if block.role == "finally":
            cleanup = (holder, block)
        elif (
            cleanup is not None
            and holder is not None
            and holder.kind in ("try", "saga")
            and block.role == "body"
            and holder.block("catch") is not None
        ):
            cleanup = None
    if cleanup is not None:
        _tell("E311", position, _cleanup(cleanup[1], cleanup[0]), report)


def _tell(code: str, position: Position, why: str, report: Report) -> None:
    site = position.site
    report.error(
        code,
        site.key.key.span,
        f"`{site.kind}` cannot stand here",
        why=why,
        mend="leave it out" if site.kind == "raise" else _TO_THE_END,
    )


def _cleanup(block: Block, holder: Site | None) -> str:
    of = title(holder) if holder is not None else "the workflow"
    if block.role == "compensate":
        return f"this is the undo of {of}, which ends nothing"
    return f"this is the `finally` of {of}: how it ends is settled before"


def _several(site: Site) -> bool:
    count = site.option("concurrency")
    return isinstance(count, Scalar) and count.value != 1
