"""The located tree: a YAML file as JSON data in which every node knows where it stands.

Owns the node types and nothing else: no parsing, no checking. Lines and columns count from 1, in
characters; an end is exclusive. Nodes are immutable after the parser has built them.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal, TypeAlias

import msgspec

from engine.values.json import Json

ScalarStyle = Literal["plain", "single", "double", "literal", "folded"]


class Span(msgspec.Struct, frozen=True, order=True):
    """A place in one file."""

    line: int
    column: int
    end_line: int
    end_column: int


class Run(msgspec.Struct, frozen=True):
    """From `offset` on, up to the next run, the characters of a text stand in one piece here."""

    offset: int
    line: int
    column: int


class Scalar(msgspec.Struct, frozen=True):
    """A leaf: `value` is its YAML 1.2 core meaning, `text` the characters it stands for.

    `runs` are the pieces of a text that does not stand verbatim on one line behind the opening
    quote (block scalars, escapes, folded lines), in ascending order; empty otherwise.
    """

    value: bool | int | float | str | None
    text: str
    style: ScalarStyle
    span: Span
    runs: tuple[Run, ...] = ()

    def locate(self, offset: int, length: int = 1) -> Span:
        """The place of `text[offset:offset + length]` in the file."""
        line, column = self._place(offset)
        end_line, end_column = self._place(offset + max(length, 1) - 1)
        return Span(line, column, end_line, end_column + 1)

    def _place(self, offset: int) -> tuple[int, int]:
        if not self.runs:
            quote = 1 if self.style in ("single", "double") else 0
            return self.span.line, self.span.column + quote + offset
        index = max(bisect_right(self.runs, offset, key=lambda run: run.offset) - 1, 0)
        run = self.runs[index]
        return run.line, run.column + max(offset - run.offset, 0)


class Entry(msgspec.Struct, frozen=True):
    """One `key: value` of a mapping."""

    key: Scalar
    value: Node


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    span: Span
    flow: bool = False


class Mapping(msgspec.Struct, frozen=True):
    """A mapping with text keys, in file order, without duplicates."""

    entries: tuple[Entry, ...]
    span: Span
    flow: bool = False

    def entry(self, key: str) -> Entry | None:
        """The entry of that key, or None."""
        return next((entry for entry in self.entries if entry.key.text == key), None)

    def get(self, key: str) -> Node | None:
        """The value node of that key, or None."""
        found = self.entry(key)
        return found.value if found else None

    def keys(self) -> tuple[str, ...]:
        """The keys in file order."""
        return tuple(entry.key.text for entry in self.entries)


Node: TypeAlias = Scalar | Sequence | Mapping


def to_json(node: Node) -> Json:
    """The node as plain JSON data."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [to_json(item) for item in node.items]
    return {entry.key.text: to_json(entry.value) for entry in node.entries}


class Document(msgspec.Struct, frozen=True):
    """One workflow file that passed the grammar: every E1xx and E203-E206 is already ruled out."""

    file: str  # as the user named it; what diagnostics print
    source: bytes
    root: Mapping
    name: str
    version: str
    # Path below the workflow folder -> the JSON Schema document there. `$ref`s of these documents
    # to other files are rewritten to such paths, so one table serves all of them.
    referenced: dict[str, Json] = {}
