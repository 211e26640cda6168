"""A workflow file made self-contained: the schema files it refers to stand in it. Pure text.

Each file goes into `$defs` of every schema that needs it, and each `$ref` to it becomes one to
there. Not in place: a reference into a schema that refers to itself would unroll otherwise, and
mean the same with another revision.

Rule 1: everything else keeps its bytes: comments, order, quotes, line ends.
Rule 2: a file without references to files is frozen as it is.
Rule 3: whether the copy compiles to the same revision, the caller checks; this only writes it.
"""

from __future__ import annotations

import json
import posixpath
import re
from typing import TYPE_CHECKING, Final

from engine.definition.document import Mapping, Scalar, Span
from engine.definition.json_schema_keywords import KEYWORDS, Takes, subschemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.definition.document import Document, Node
    from engine.values.json import Json

# What JSON leaves as it is and a workflow file may not hold.
_BARE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LINE = re.compile(r"\r\n|\r|\n")
# What only says which document a schema was; under `$defs` it would say something else.
_IDENTITY: Final = ("$id", "$schema", "$anchor")
_LISTS: Final = (Takes.SCHEMAS,)
_NAMED: Final = (Takes.NAMED_SCHEMAS, Takes.PATTERN_SCHEMAS)


def frozen_text(document: Document) -> bytes:
    """The bytes of the frozen copy."""
    roots = list(_schema_roots(document.root))
    references = [(root, list(_file_references(root))) for root in roots]
    if not any(found for _, found in references):
        return document.source
    library = _Library(document, roots)
    edits: dict[tuple[int, int], tuple[Span, str]] = {}
    for root, found in references:
        for scalar in found:
            edits[scalar.span.line, scalar.span.column] = (
                scalar.span,
                json.dumps(library.pointer(scalar.text)),
            )
        if found and isinstance(root, Mapping):
            needed = library.closure([scalar.text for scalar in found])
            span, text = _definitions(root, library, needed, document)
            edits[span.line, span.column] = (span, text)
    return replaced(document.source, list(edits.values()))


def _schema_roots(root: Mapping) -> Iterator[Node]:
    """Every JSON Schema that stands in the workflow by itself."""
    for key in ("input_schema", "output_schema"):
        node = root.get(key)
        if node is not None:
            yield node
    signals = root.get("signals")
    if isinstance(signals, Mapping):
        for entry in signals.entries:
            schema = entry.value.get("schema") if isinstance(entry.value, Mapping) else None
            if schema is not None:
                yield schema


def _file_references(root: Node) -> Iterator[Scalar]:
    pending = [root]
    while pending:
        schema = pending.pop()
        if not isinstance(schema, Mapping):
            continue
        reference = schema.get("$ref")
        if isinstance(reference, Scalar) and _file_of(reference.text):
            yield reference
        pending.extend(part for _, part in subschemas(schema))


class _Library:
    """The schema files under the names they get in `$defs`."""

    def __init__(self, document: Document, roots: list[Node]) -> None:
        # Texts of `$ref`s stand in the same table as paths, so one file may have several entries.
        self._files = document.referenced
        self._taken = {key for root in roots for key in _own_definitions(root)}
        self._names: dict[str, str] = {}

    def path(self, reference: str) -> str:
        """The file that a `$ref` names, as the table calls it."""
        written = _file_of(reference)
        normal = posixpath.normpath(written)
        return normal if normal in self._files else written

    def name(self, path: str) -> str:
        """The key of a file in `$defs`."""
        if path not in self._names:
            stem = posixpath.basename(path).partition(".")[0]
            base = re.sub(r"[^A-Za-z0-9_-]", "-", stem) or "schema"
            name, number = base, 1
            while name in self._taken:
                number += 1
                name = f"{base}-{number}"
            self._taken.add(name)
            self._names[path] = name
        return self._names[path]

    def pointer(self, reference: str) -> str:
        """What a `$ref` becomes."""
        fragment = reference.partition("#")[2]
        return f"#/$defs/{self.name(self.path(reference))}{fragment}"

    def closure(self, references: list[str]) -> list[str]:
        """The files that some references need, and those that these need."""
        found: list[str] = []
        pending = [self.path(reference) for reference in references]
        while pending:
            path = pending.pop(0)
            if path in found:
                continue
            found.append(path)
            pending += [
                self.path(reference)
                for reference in _references(self._files[path])
                if _file_of(reference)
            ]
        return found

    def embedded(self, path: str) -> Json:
        """A file's schema, its references leading to where they stand now."""
        return self._moved(self._files[path], path)

    def _moved(self, schema: Json, path: str) -> Json:
        if not isinstance(schema, dict):
            return schema
        moved: dict[str, Json] = {}
        for key, inner in schema.items():
            takes = KEYWORDS.get(key)
            if key == "$ref" and isinstance(inner, str):
                moved[key] = self.pointer(inner if _file_of(inner) else f"{path}{inner}")
            elif takes is Takes.SCHEMA:
                moved[key] = self._moved(inner, path)
            elif takes in _LISTS and isinstance(inner, list):
                moved[key] = [self._moved(item, path) for item in inner]
            elif takes in _NAMED and isinstance(inner, dict):
                moved[key] = {name: self._moved(item, path) for name, item in inner.items()}
            elif key not in _IDENTITY:
                moved[key] = inner
        return moved


def _file_of(reference: str) -> str:
    return reference.partition("#")[0]


def _own_definitions(root: Node) -> tuple[str, ...]:
    own = root.get("$defs") if isinstance(root, Mapping) else None
    return own.keys() if isinstance(own, Mapping) else ()


def _references(schema: Json) -> Iterator[str]:
    """The texts of all `$ref`s of a schema."""
    if not isinstance(schema, dict):
        return
    for key, inner in schema.items():
        takes = KEYWORDS.get(key)
        if key == "$ref" and isinstance(inner, str):
            yield inner
        elif takes is Takes.SCHEMA:
            yield from _references(inner)
        elif takes in _LISTS and isinstance(inner, list):
            for item in inner:
                yield from _references(item)
        elif takes in _NAMED and isinstance(inner, dict):
            for item in inner.values():
                yield from _references(item)


def _definitions(
    root: Mapping, library: _Library, paths: list[str], document: Document
) -> tuple[Span, str]:
    """Where and what to insert so that a schema holds the files under `$defs`."""
    own = root.get("$defs")
    if isinstance(own, Mapping) and own.entries:
        return _entries(own, [_pair(library, path) for path in paths], document)
    pairs = ", ".join(_pair(library, path) for path in paths)
    if root.flow:
        return _at_flow(root, f"$defs: {{{pairs}}}, ")
    lines = [f"  {_pair(library, path)}" for path in paths]
    return _before_first(root, ["$defs:", *lines], document)


def _entries(mapping: Mapping, pairs: list[str], document: Document) -> tuple[Span, str]:
    if mapping.flow:
        return _at_flow(mapping, "".join(f"{pair}, " for pair in pairs))
    return _before_first(mapping, pairs, document)


def _pair(library: _Library, path: str) -> str:
    return f"{library.name(path)}: {_flow(library.embedded(path))}"


def _flow(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _BARE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _at_flow(mapping: Mapping, text: str) -> tuple[Span, str]:
    """Before the first key; the span of the whole may begin at an anchor before the brace."""
    first = mapping.entries[0].key.span
    return _point(first.line, first.column), text


def _before_first(mapping: Mapping, lines: list[str], document: Document) -> tuple[Span, str]:
    """On lines of their own above the first key."""
    first = mapping.entries[0].key.span
    row = _rows(document.source)[first.line - 1]
    indent = row[: len(row) - len(row.lstrip(" "))]
    end = "\r\n" if b"\r\n" in document.source else "\n"
    text = "".join(f"{indent}{line}{end}" for line in lines)
    return _point(first.line, 1), text


def _point(line: int, column: int) -> Span:
    return Span(line, column, line, column)


def _rows(source: bytes) -> list[str]:
    return _LINE.split(source.decode("utf-8").removeprefix("\ufeff"))


def replaced(source: bytes, edits: list[tuple[Span, str]]) -> bytes:
    """The source with each span replaced by a text; a place in a file is line and column."""
    text = source.decode("utf-8")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix("\ufeff")
    starts = [0, *(found.end() for found in _LINE.finditer(text))]

    def index(line: int, column: int) -> int:
        return starts[line - 1] + column - 1

    for span, new in sorted(edits, key=lambda edit: edit[0], reverse=True):
        start, end = index(span.line, span.column), index(span.end_line, span.end_column)
        text = text[:start] + new + text[end:]
    return (mark + text).encode("utf-8")
