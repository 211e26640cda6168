"""How nodes and examples are put into words for diagnostics."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from engine.definition.document import Mapping, Node, Scalar, Sequence, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.definition.grammar import Field

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./@^-]*|[0-9]+[a-z%]+")
_WORDS: Final = {"true", "false", "null", "yes", "no", "on", "off"}


def noun(node: Node) -> str:
    """What a node is: `a list`, `the number 3`, `nothing`."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    value = node.value
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{node.text}`"
    if isinstance(value, (int, float)):
        return f"the number {shorten(node.text)}"
    return f'the text "{shorten(value)}"'


def shorten(text: str, most: int = 40) -> str:
    """A text on one line of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def flow(value: object) -> str:
    """Data as flow-style YAML, ready to paste."""
    if isinstance(value, dict):
        inner = ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def example(field: Field) -> str | None:
    """The field's first example as a mend."""
    if not field.examples:
        return None
    shown = field.examples[0]
    # Block style, where an expression needs no quotes.
    text = shown if isinstance(shown, str) and shown.startswith("${{") else flow(shown)
    return f"for example `{field.name}: {text}`"


def listed(names: Iterable[str]) -> str:
    """Names in backticks, with commas."""
    return ", ".join(f"`{name}`" for name in names)


def start_of(node: Node) -> Span:
    """A short span at the beginning of a node: a mapping's first key, a list's first item."""
    if isinstance(node, Mapping) and node.entries and not node.flow:
        return node.entries[0].key.span
    if isinstance(node, Scalar):
        return node.span
    span = node.span
    if span.line == span.end_line:
        return span
    return Span(span.line, span.column, span.line, span.column + 1)
