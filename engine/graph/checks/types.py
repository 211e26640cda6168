"""E220, E231 and E232 of plain paths, whose type a schema or the language itself tells.

What `expr` proves of an expression by itself, `expressions` has told already.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from engine.definition.wording import shorten
from engine.graph.checks.fields import subschema
from engine.graph.expressions import not_boolean

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.expr import Reference
    from engine.graph.scopes import Reading, Scopes
    from engine.graph.steps import StepGraph

_OF_SCHEMA: Final = {
    "array": "list",
    "object": "mapping",
    "integer": "number",
    "number": "number",
    "string": "string",
    "boolean": "boolean",
    "null": "null",
}
_OUTPUTS: Final = {"foreach": "list", "parallel": "mapping", "race": "mapping", "start": "mapping"}
_PATHS: Final[dict[tuple[str | int, ...], str]] = {
    ("loop", "index"): "number",
    ("loop", "index0"): "number",
    ("loop", "length"): "number",
    ("error", "type"): "string",
    ("error", "message"): "string",
    ("error", "retryable"): "boolean",
    ("instance", "id"): "string",
    ("instance", "execution"): "number",
    ("workflow", "name"): "string",
    ("workflow", "version"): "string",
}
# A path compared with a literal, where neither is part of a larger operand.
_BEFORE: Final = re.compile(r"(?:^|[(\[,]|\b(?:and|or|not|if|else|in))\s*$")
_COMPARED: Final = re.compile(
    r"\s*(?:==|!=)\s*(?P<literal>'[^'\\]*'|\"[^\"\\]*\"|-?[0-9]+(?:\.[0-9]+)?|true|false)"
    r"\s*(?=$|[)\],]|(?:and|or|if|else)\b)"
)


def check(scopes: Scopes, graph: StepGraph, report: Report) -> None:
    """Judge conditions and texts that are made of one path, and paths compared with literals."""
    for reading in scopes.readings:
        placed = reading.placed
        for reference in placed.expression.references:
            _compared(reading, reference, graph, report)
        if placed.role == "value":
            continue
        sole = _sole_path(reading)
        kind = _type_of(reading, sole, graph) if sole else None
        if kind is None:
            continue
        if placed.role == "condition" and kind != "boolean":
            not_boolean(report, placed, kind)
        elif placed.role == "text" and kind in ("list", "mapping", "null"):
            _in_text(reading, kind, report)


def _compared(reading: Reading, reference: Reference, graph: StepGraph, report: Report) -> None:
    source = reading.placed.expression.source
    found = _COMPARED.match(source, reference.offset + reference.length)
    if found is None or not _BEFORE.search(source[: reference.offset]):
        return
    kind, literal = _type_of(reading, reference, graph), found["literal"]
    other = _literal(literal)
    if kind is None or kind == other:
        return
    text = source[reference.offset : reference.offset + reference.length]
    fits = _LIKE.get(kind, re.compile("(?!)")).fullmatch(literal.strip("'\""))
    report.error(
        "E231",
        reading.placed.span(found.start("literal"), len(literal)),
        f"`{text}` is a {kind} and never equal to the {other} `{literal}`",
        mend=_written(kind, literal.strip("'\"")) if fits else f"compare it with a {kind}",
    )


_LIKE: Final = {
    "number": re.compile(r"-?[0-9]+(?:\.[0-9]+)?"),
    "boolean": re.compile("true|false"),
    "string": re.compile(".*"),
}


def _literal(text: str) -> str:
    if text[0] in "'\"":
        return "string"
    return "boolean" if text in ("true", "false") else "number"


def _written(kind: str, text: str) -> str:
    return f"write `'{text}'`" if kind == "string" else f"write `{text}`"


def _sole_path(reading: Reading) -> Reference | None:
    """The path that the expression consists of, white space aside."""
    expression = reading.placed.expression
    if len(expression.references) != 1:
        return None
    (reference,) = expression.references
    before = expression.source[: reference.offset]
    after = expression.source[reference.offset + reference.length :]
    return None if before.strip() or after.strip() else reference


def _type_of(reading: Reading, reference: Reference, graph: StepGraph) -> str | None:
    path = reference.path
    root = str(path[0])
    bound = reading.point.names.get(root)
    if root == "input":
        node: Any = subschema(graph.input_schema, path[1:])
        return _OF_SCHEMA.get(node.get("type")) if _typed(node) else None
    if root == "steps" and len(path) == 3:
        standing = reading.standings.get(str(path[1]))
        if standing is None:
            return None
        if path[2] == "output" and standing.site.node.get("output") is None:
            return _OUTPUTS.get(standing.site.kind)
        return {"status": "string", "attempts": "number", "failures": "list"}.get(str(path[2]))
    return _PATHS.get(path) if bound is None or bound.role == root else None


def _typed(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("type"), str)


def _in_text(reading: Reading, kind: str, report: Report) -> None:
    source = reading.placed.expression.source
    shown = source.strip()
    joined = f" or `${{{{ {shown} | join(', ') }}}}`" if kind == "list" else ""
    report.error(
        "E232",
        reading.placed.span(len(source) - len(source.lstrip()), len(shown)),
        f"`{shorten(shown)}` is a {kind}, which cannot stand in text",
        mend=f"`${{{{ {shown} | tojson }}}}`{joined}",
    )
