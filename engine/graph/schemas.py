"""JSON Schemas with their references resolved.

Rule 1: what comes out stands alone: every `$ref` is replaced by what it names, so that the revision
covers it and no file is needed to run. A reference into itself stays one, into the local `$defs`.
Rule 2: which files there are, and whether each is a valid schema, the definition has settled; here
are only their contents.
Rule 3: the growth is bounded (`MAX_NODES`), for a chain of doubling references is 2**n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.values.json import Json, JsonObject

MAX_NODES: Final = 20_000

# Where schemas stand inside a schema (JSON Schema 2020-12, and `definitions` of older drafts).
_ONE: Final = frozenset(
    (
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    )
)
_LISTS: Final = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_NAMED: Final = frozenset(("dependentSchemas", "patternProperties", "properties"))
# What serves only to be referred to, or says which document a schema was.
_DROPPED: Final = frozenset(("$anchor", "$defs", "$id", "$schema", "definitions"))


class SchemaTooLarge(ValueError):
    """Expanding the references of a schema passes `MAX_NODES`."""


class UnknownReference(ValueError):
    """A `$ref` names nothing."""

    def __init__(self, reference: str) -> None:
        super().__init__(reference)
        self.reference = reference


def expand(schema: Json, referenced: Mapping[str, Json]) -> Json:
    """The schema with its references replaced; `referenced` maps a `$ref`'s text to its document.

    Raises:
        SchemaTooLarge: the result would pass `MAX_NODES`.
        UnknownReference: a reference names nothing in its document.
    """
    return _Expansion(referenced).run(schema)


class _Expansion:
    def __init__(self, referenced: Mapping[str, Json]) -> None:
        self._referenced = referenced
        self._nodes = 0
        self._open: list[tuple[int, str]] = []
        self._names: dict[tuple[int, str], str] = {}
        self._definitions: JsonObject = {}
        self._pending: list[tuple[tuple[int, str], Json, Json]] = []

    def run(self, schema: Json) -> Json:
        self._open.append((id(schema), ""))
        expanded = self._schema(schema, schema)
        self._open.pop()
        if not isinstance(expanded, dict):
            return expanded
        while self._pending:
            key, target, document = self._pending.pop(0)
            self._open = [key]
            self._definitions[self._names[key]] = self._schema(target, document)
        if self._definitions:
            expanded["$defs"] = self._definitions
        return expanded

    def _schema(self, schema: Json, document: Json) -> Json:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise SchemaTooLarge
        if not isinstance(schema, dict):
            return schema
        reference = schema.get("$ref")
        result = {
            key: self._keyword(key, schema[key], document)
            for key in sorted(schema)
            if key not in _DROPPED and not (key == "$ref" and isinstance(reference, str))
        }
        if not isinstance(reference, str):
            return result
        target = self._follow(reference, document)
        if not result:
            return target
        # Beside other keywords a reference is one more thing that must hold.
        further = result.get("allOf")
        result["allOf"] = [target, *(further if isinstance(further, list) else [])]
        return result

    def _keyword(self, key: str, value: Json, document: Json) -> Json:
        if key in _ONE:
            return self._schema(value, document)
        if key in _LISTS and isinstance(value, list):
            return [self._schema(item, document) for item in value]
        if key in _NAMED and isinstance(value, dict):
            return {name: self._schema(value[name], document) for name in sorted(value)}
        return value

    def _follow(self, reference: str, document: Json) -> Json:
        target_document, target, pointer = self._target(reference, document)
        key = (id(target_document), pointer)
        if key in self._open:
            if key not in self._names:
                self._names[key] = f"ref_{len(self._names) + 1}"
                self._pending.append((key, target, target_document))
            return {"$ref": f"#/$defs/{self._names[key]}"}
        self._open.append(key)
        expanded = self._schema(target, target_document)
        self._open.pop()
        return expanded

    def _target(self, reference: str, document: Json) -> tuple[Json, Json, str]:
        path, _, fragment = reference.partition("#")
        if path:
            if reference in self._referenced:
                document = self._referenced[reference]
            elif path in self._referenced:
                document = self._referenced[path]
            else:
                raise UnknownReference(reference)
        pointer = unquote(fragment)
        return document, _resolve(document, pointer, reference), pointer


def _resolve(document: Json, pointer: str, reference: str) -> Json:
    if pointer and not pointer.startswith("/"):
        found = _anchored(document, pointer)
        if found is None:
            raise UnknownReference(reference)
        return found
    node = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and name in node:
            node = node[name]
        elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
            node = node[int(name)]
        else:
            raise UnknownReference(reference)
    return node


def _anchored(node: Json, anchor: str) -> Json:
    if isinstance(node, dict):
        if node.get("$anchor") == anchor:
            return node
        children = list(node.values())
    else:
        children = node if isinstance(node, list) else []
    return next((hit for child in children if (hit := _anchored(child, anchor)) is not None), None)
