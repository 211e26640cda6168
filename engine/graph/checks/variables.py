"""E210, E212, E213, E225: variables are declared once, and written where one writer is at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.definition.document import Mapping
from engine.definition.spell import suggest
from engine.definition.wording import listed
from engine.graph.scopes import title

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.graph.outline import Outline
    from engine.graph.scopes import Assignment, Reading, Scopes


def check(outline: Outline, scopes: Scopes, report: Report) -> None:
    """Judge every declaration, every `set` and every `vars.x`."""
    has_vars = isinstance(outline.document.root.get("vars"), Mapping)
    for again in scopes.redeclared:
        if again.earlier is None:
            why, mend = "it names something that every expression can read", f"as: {again.name}_"
        else:
            why, mend = f"line {again.earlier.line} declares it already", "rename one of them"
        report.error("E213", again.span, f"`{again.name}` is declared twice", why=why, mend=mend)
    for assignment in scopes.assignments:
        _assigned(assignment, has_vars, report)
    for reading in scopes.readings:
        _read(reading, report)


def _assigned(assignment: Assignment, has_vars: bool, report: Report) -> None:
    name, point = assignment.name.text, assignment.point
    declared = point.variables.get(name)
    if declared is None:
        close = suggest(name, point.variables)
        where = "add to the top-level `vars`:" if has_vars else "add at the top:"
        line = f"{name}: null" if has_vars else f"vars: {{ {name}: null }}"
        report.error(
            "E210",
            assignment.name.span,
            f"the variable `{name}` is not declared",
            why=_known(point.variables),
            mend=None if close else f"{where} `{line}`",
            suggestions=close,
        )
    elif len(point.fences) > declared.fences:
        fence = point.fences[declared.fences]
        report.error(
            "E212",
            assignment.name.span,
            f"`{name}` is set inside {title(fence)}, which runs several things at once",
            why=f"`{name}` is declared outside of it, at line {declared.span.line}",
            mend="give each its own `output:` and collect them after the block",
        )


def _read(reading: Reading, report: Report) -> None:
    for reference in reading.placed.expression.references:
        path = reference.path
        if path[0] != "vars" or len(path) < 2 or not isinstance(path[1], str):
            continue
        name, known = path[1], reading.point.variables
        if name in known or "vars" not in reading.point.roots:
            continue
        close = suggest(name, known)
        report.error(
            "E225",
            reading.placed.span(reference.offset, reference.length),
            f"there is no variable `{name}` here",
            why=_known(known),
            mend=None if close else f"vars: {{ {name}: null }}",
            suggestions=tuple(f"vars.{one}" for one in close),
        )


def _known(names: object) -> str:
    known = list(names) if isinstance(names, dict) else []
    return f"declared here: {listed(sorted(known))}" if known else "no variable is declared here"
