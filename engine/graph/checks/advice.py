"""W401 and W405: what is allowed and seldom meant.

Given only for a file without errors, because an expression that does not compile reads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.definition.document import Mapping, Scalar
from engine.graph.outline import LEAVING, walk
from engine.graph.scopes import title

if TYPE_CHECKING:
    from engine.graph.findings import Findings
    from engine.graph.outline import Block, Outline, Position, Site
    from engine.graph.scopes import Scopes


def check(
    outline: Outline, scopes: Scopes, where: tuple[Position, ...], findings: Findings
) -> None:
    """Look for waits without an end, names without a use, errors that nobody hears of."""
    bounded = outline.document.root.get("timeout") is not None
    for position in where:
        if position.site.kind == "wait" and not (bounded or _bounded(position)):
            _endless(position.site, findings)
    _never_awaited(outline, where, findings)
    _never_read(outline, scopes, findings)
    for clause, holder in _clauses(outline, where):
        if _swallows(clause, scopes):
            of = title(holder) if holder else "the workflow"
            findings.warning(
                "W405",
                clause.steps[0].name_span,
                f"this clause of {of} takes every error, and nobody hears of it",
                why="it has no `on`, does not read `error` and does not leave",
                mend="name the types in `on: [ … ]`, or log `${{ error.message }}`",
            )


def _endless(site: Site, findings: Findings) -> None:
    findings.warning(
        "W401",
        site.operand.span if isinstance(site.operand, Scalar) else site.key.key.span,
        "this wait may last for ever",
        why="it has no `timeout`, and nothing around it ends it",
        mend="timeout: 2d",
    )


def _bounded(position: Position) -> bool:
    if position.site.option("timeout") is not None:
        return True
    for holder, block in position.trail:
        if holder is None:
            continue
        if holder.option("timeout") is not None and block.role == "body":
            return True
        if holder.kind == "race" and any(
            site.kind == "sleep"
            for other in holder.blocks
            if other is not block
            for site in walk((other,))
        ):
            return True
    return False


def _never_awaited(outline: Outline, where: tuple[Position, ...], findings: Findings) -> None:
    awaited = {
        position.site.operand.text
        for position in where
        if position.site.kind == "wait" and isinstance(position.site.operand, Scalar)
    }
    declared = outline.document.root.get("signals")
    for entry in declared.entries if isinstance(declared, Mapping) else ():
        if entry.key.text not in awaited:
            findings.warning(
                "W405",
                entry.key.span,
                f"the signal `{entry.key.text}` is declared and never awaited",
                why="what is sent stays in the mailbox unread",
                mend=f"add a step `wait: {entry.key.text}`, or remove the declaration",
            )


def _never_read(outline: Outline, scopes: Scopes, findings: Findings) -> None:
    paths = {
        reference.path[:2]
        for reading in scopes.readings
        for reference in reading.placed.expression.references
        if reference.path[0] == "vars"
    }
    if ("vars",) in paths:
        return  # all of them at once
    for assignment in scopes.assignments:
        name = assignment.name
        if ("vars", name.text) not in paths:
            findings.warning(
                "W405",
                name.span,
                f"the variable `{name.text}` is set and never read",
                mend="remove it, or read it",
            )


def _clauses(outline: Outline, where: tuple[Position, ...]) -> list[tuple[Block, Site | None]]:
    found: list[tuple[Block, Site | None]] = [(block, None) for block in outline.catch]
    for position in where:
        found.extend((block, position.site) for block in position.site.blocks_of("catch"))
    return found


def _swallows(clause: Block, scopes: Scopes) -> bool:
    node = clause.node
    if node is None or node.get("on") is not None or node.get("when") is not None:
        return False
    inside = {id(site): site for site in walk((clause,))}
    if not inside or any(site.kind in LEAVING for site in inside.values()):
        return False
    return not any(
        reading.site is not None
        and id(reading.site) in inside
        and any(reference.path[0] == "error" for reference in reading.placed.expression.references)
        for reading in scopes.readings
    )
