"""E226: what stands behind a dot is there.

Judged where the fields are known: records of the language itself, and JSON Schemas that are closed
(`additionalProperties: false`). In an open schema a field that is nearly one of its properties
earns a warning.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from engine.definition.spell import suggest
from engine.definition.wording import listed

if TYPE_CHECKING:
    from engine.definition.document import Span
    from engine.expr import Reference
    from engine.graph.findings import Findings
    from engine.graph.outline import Site
    from engine.graph.scopes import Reading, Scopes
    from engine.graph.steps import StepGraph

_ERROR: Final = ("type", "message", "retryable", "step", "attempt", "details", "cause")
_STEP: Final = ("output", "status", "error", "attempts", "failures")
_FIXED: Final[dict[str, tuple[str, ...]]] = {
    "workflow": ("name", "version", "revision"),
    "instance": ("id", "execution", "started_at", "parent", "labels"),
    "error": _ERROR,
}
_FOREACH: Final = ("index", "index0", "length")
_TURNS: Final = ("index", "index0")
_COMBINED: Final = frozenset(("allOf", "anyOf", "oneOf", "if", "$ref", "dependentSchemas"))


def check(scopes: Scopes, graph: StepGraph, findings: Findings) -> None:
    """Judge every path of every expression."""
    judge = _Judge(graph, findings)
    for reading in scopes.readings:
        for reference in reading.placed.expression.references:
            judge.reference(reading, reference)


class _Judge:
    def __init__(self, graph: StepGraph, findings: Findings) -> None:
        self._graph = graph
        self._findings = findings

    def reference(self, reading: Reading, reference: Reference) -> None:
        path = reference.path
        root = str(path[0])
        bound = reading.point.names.get(root)
        if root == "input":
            self._schema(reading, reference, self._graph.input_schema, 1, "`input_schema`")
        elif root == "steps" and len(path) > 2:
            self._step(reading, reference)
        elif root == "loop" and bound is not None and bound.site is not None:
            known = _FOREACH if bound.site.kind == "foreach" else _TURNS
            self._one_of(reading, reference, 1, known, f"`loop` of `{bound.site.kind}`")
        elif root == "event" and bound is not None and bound.site is not None:
            self._signal(reading, reference, bound.site, 1)
        elif root in _FIXED and (bound is None or bound.role == root):
            self._one_of(reading, reference, 1, _FIXED[root], f"`{root}`")

    def _step(self, reading: Reading, reference: Reference) -> None:
        standing = reading.standings.get(str(reference.path[1]))
        if standing is None:
            return
        site = standing.site
        known = _STEP if site.kind == "foreach" else _STEP[:-1]
        path = reference.path
        if path[2] not in known:
            self._one_of(reading, reference, 2, known, f"`steps.{site.id}`")
        elif path[2] == "error":
            self._one_of(reading, reference, 3, _ERROR, f"`steps.{site.id}.error`")
        elif path[2] == "output" and site.node.get("output") is None:
            what = f"the output of `{site.kind}`"
            if site.kind == "wait":
                self._signal(reading, reference, site, 3)
            elif site.kind == "start":
                self._one_of(reading, reference, 3, ("instance_id",), what)
            elif site.kind == "race":
                self._one_of(reading, reference, 3, ("winner", "value"), what)
            elif site.kind == "parallel":
                names = tuple(block.name for block in site.blocks_of("branch"))
                self._one_of(reading, reference, 3, names, what)

    def _signal(self, reading: Reading, reference: Reference, site: Site, index: int) -> None:
        if site.option("default") is not None and index == 3:
            return  # the default's fields may be others
        name = getattr(site.operand, "text", "")
        declared = self._graph.signals.get(name)
        schema = declared.payload_schema if declared else None
        self._schema(reading, reference, schema, index, f"the schema of signal `{name}`")

    def _one_of(
        self,
        reading: Reading,
        reference: Reference,
        index: int,
        known: tuple[str, ...],
        where: str,
    ) -> None:
        if len(reference.path) <= index:
            return
        field = reference.path[index]
        if isinstance(field, str) and field not in known:
            self._missing(reading, reference, field, known, where)

    def _schema(
        self, reading: Reading, reference: Reference, schema: object, index: int, where: str
    ) -> None:
        """Go down the schema along the path, as far as it is certain."""
        node: Any = schema
        for at in range(index, len(reference.path)):
            node = _resolved(node, schema)
            if not isinstance(node, dict):
                return
            field = reference.path[at]
            if isinstance(field, int):
                node = node.get("items")
                continue
            properties = node.get("properties")
            properties = properties if isinstance(properties, dict) else {}
            if field in properties:
                node = properties[field]
                continue
            if _closed(node, field):
                self._missing(reading, reference, field, tuple(properties), where)
            elif not reference.guarded and (close := suggest(field, properties)):
                self._nearly(reading, reference, field, close, where)
            return

    def _missing(
        self,
        reading: Reading,
        reference: Reference,
        field: str,
        known: tuple[str, ...],
        where: str,
    ) -> None:
        close = suggest(field, known)
        self._findings.error(
            "E226",
            _span(reading, reference, field),
            f"{where} has no field `{field}`",
            why=f"its fields are {listed(sorted(known))}" if known else "it has no fields",
            mend=None if close else "read one of its fields",
            suggestions=close,
        )

    def _nearly(
        self,
        reading: Reading,
        reference: Reference,
        field: str,
        close: tuple[str, ...],
        where: str,
    ) -> None:
        self._findings.warning(
            "E226",
            _span(reading, reference, field),
            f"{where} does not name the field `{field}`",
            why="the schema is open, so the field may be there all the same",
            mend=f"declare `{field}` in the schema",
            suggestions=close,
        )


def subschema(schema: object, path: tuple[str | int, ...]) -> Any:
    """The schema of what stands at a path, None where it is not certain."""
    node: Any = schema
    for field in path:
        node = _resolved(node, schema)
        if not isinstance(node, dict):
            return None
        if isinstance(field, int):
            node = node.get("items")
        else:
            properties = node.get("properties")
            node = properties.get(field) if isinstance(properties, dict) else None
    return _resolved(node, schema)


def _resolved(node: Any, root: object) -> Any:
    """Follow a local reference; what is combined of several schemas is not judged."""
    for _ in range(8):
        if not isinstance(node, dict) or not _COMBINED & node.keys():
            return node
        reference = node.get("$ref")
        if not isinstance(reference, str) or len(node) > 1 or not isinstance(root, dict):
            return None
        name = reference.rpartition("/")[2]
        definitions = root.get("$defs")
        node = definitions.get(name) if isinstance(definitions, dict) else None
    return None


def _closed(node: dict[str, Any], field: str) -> bool:
    if node.get("additionalProperties") is not False:
        return False
    patterns = node.get("patternProperties", {})
    return not any(re.search(pattern, field) for pattern in patterns)


def _span(reading: Reading, reference: Reference, field: str) -> Span:
    source = reading.placed.expression.source
    text = source[reference.offset : reference.offset + reference.length]
    found = re.search(rf"[.\['\"]\s*({re.escape(field)})(?![A-Za-z0-9_])", text)
    if found is None:
        return reading.placed.span(reference.offset, reference.length)
    return reading.placed.span(reference.offset + found.start(1), len(field))
