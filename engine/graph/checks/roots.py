"""E224 and E234: a name means something where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.definition.document import Mapping
from engine.definition.spell import suggest
from engine.definition.wording import listed
from engine.graph.outline import walk

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.expr import Reference
    from engine.graph.outline import Outline
    from engine.graph.scopes import Reading, Scopes

# Where the names are known that only some places know.
_PLACES: Final = {
    "error": "inside a `catch` clause",
    "event": "in `where` of a `wait`",
    "result": "in the `output` of a step",
    "trigger": "in `with` of a trigger",
    "loop": "inside `foreach`, `while` and `until`",
    "params": "inside a fragment",
}
_HABITS: Final = {
    "inputs": "input",
    "variables": "vars",
    "var": "vars",
    "step": "steps",
    "env": "config",
}


def check(scopes: Scopes, outline: Outline, report: Report) -> None:
    """Judge the first name of every path."""
    ids = {site.id for site in walk(outline.blocks) if site.written}
    inputs = _properties(outline)
    for reading in scopes.readings:
        known = (*reading.point.roots, *reading.point.names)
        for reference in reading.placed.expression.references:
            root = str(reference.path[0])
            if root not in known:
                _unknown(reading, reference, known, _meant(root, reading, ids, inputs), report)


def _unknown(
    reading: Reading,
    reference: Reference,
    known: tuple[str, ...],
    meant: tuple[str, ...],
    report: Report,
) -> None:
    root = str(reference.path[0])
    span = reading.placed.span(reference.offset, reference.root_length)
    if root in _PLACES:
        report.error(
            "E234",
            span,
            f"`{root}` is not known here",
            why=f"it is known {_PLACES[root]}",
            mend=_instead(root),
        )
        return
    if root == "secrets":
        report.error(
            "E224",
            span,
            "`secrets` is not supported yet by this engine version",
            mend="let the activity read the secret in the worker",
        )
        return
    report.error(
        "E224",
        span,
        f"there is no `{root}` here",
        why=f"known here: {listed(known)}",
        mend=None if meant else f"for a text write `'{root}'`",
        suggestions=meant,
    )


def _meant(root: str, reading: Reading, ids: set[str], inputs: tuple[str, ...]) -> tuple[str, ...]:
    exact = []
    if root in reading.point.variables:
        exact.append(f"vars.{root}")
    if root in inputs:
        exact.append(f"input.{root}")
    if root in ids:
        exact.append(f"steps.{root}.output")
    if exact:
        return tuple(exact[:2])
    known = (*reading.point.roots, *reading.point.names)
    if root == "item":
        return tuple(name for name, at in reading.point.names.items() if at.role == "as")[-1:]
    if _HABITS.get(root) in known:
        return (_HABITS[root],)
    return suggest(root, known)


def _instead(root: str) -> str | None:
    if root == "error":
        return "read `steps.<id>.error` of a step with `continue_on_error: true`"
    if root == "result":
        return "read `steps.<id>.output` after the step"
    if root == "event":
        return "read `steps.<id>.output` of the `wait`"
    return None


def _properties(outline: Outline) -> tuple[str, ...]:
    schema = outline.document.root.get("input_schema")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return properties.keys() if isinstance(properties, Mapping) else ()
