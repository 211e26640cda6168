"""The keywords of JSON Schema 2020-12: what each takes, told for the places where it is wrong.

This says in a table what the metaschema says in JSON, for two reasons: the metaschema's findings
would have to be translated one by one, and walking it recursively is slow and deep. A test holds
the table against the metaschema.

Beyond it: a `pattern` must compile, a keyword that is nearly a known one is a misspelling, and
dynamic references and other dialects are refused.
"""

from __future__ import annotations

import re
import warnings
from enum import Enum
from typing import TYPE_CHECKING, Final

from engine.definition.document import Mapping, Node, Scalar, Sequence
from engine.definition.spell import suggest
from engine.definition.wording import listed, noun, shorten, start_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.definition.diagnostic import Report

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TYPES: Final = ("array", "boolean", "integer", "null", "number", "object", "string")


class Takes(Enum):
    """What a keyword's value is."""

    SCHEMA = "a schema"
    SCHEMAS = "a list of schemas, not an empty one"
    NAMED_SCHEMAS = "a mapping of schemas"
    PATTERN_SCHEMAS = "a mapping from regular expressions to schemas"
    COUNT = "a whole number from 0"
    NUMBER = "a number"
    POSITIVE = "a number above 0"
    TEXT = "text"
    ANCHOR = "a name of letters, digits, `-`, `_` and `.`"
    IDENTIFIER = "a URI without a fragment"
    PATTERN = "a regular expression"
    BOOLEAN = "`true` or `false`"
    ANYTHING = "anything"
    LIST = "a list"
    NAMES = "a list of texts, none twice"
    NAMED_NAMES = "a mapping to lists of texts"
    TYPE = "a type or a list of types"
    REFERENCE = "a path, a pointer, or both"
    REFUSED = "nothing: it is not supported"


_TABLE: Final = {
    Takes.SCHEMA: "not if then else items additionalProperties contains propertyNames"
    " unevaluatedItems unevaluatedProperties contentSchema",
    Takes.SCHEMAS: "allOf anyOf oneOf prefixItems",
    Takes.NAMED_SCHEMAS: "properties dependentSchemas $defs definitions",
    Takes.PATTERN_SCHEMAS: "patternProperties",
    Takes.COUNT: "minLength maxLength minItems maxItems minProperties maxProperties"
    " minContains maxContains",
    Takes.NUMBER: "minimum maximum exclusiveMinimum exclusiveMaximum",
    Takes.POSITIVE: "multipleOf",
    Takes.TEXT: "title description format contentEncoding contentMediaType $comment $schema",
    Takes.ANCHOR: "$anchor",
    Takes.IDENTIFIER: "$id",
    Takes.PATTERN: "pattern",
    Takes.BOOLEAN: "uniqueItems deprecated readOnly writeOnly",
    Takes.ANYTHING: "default const",
    Takes.LIST: "enum examples",
    Takes.NAMES: "required",
    Takes.NAMED_NAMES: "dependentRequired",
    Takes.TYPE: "type",
    Takes.REFERENCE: "$ref",
    Takes.REFUSED: "$dynamicRef $dynamicAnchor $recursiveRef $recursiveAnchor $vocabulary",
}
KEYWORDS: Final = {name: takes for takes, names in _TABLE.items() for name in names.split()}

# Subschemas that see the same instance as the schema that holds them.
IN_PLACE: Final = frozenset(
    ("allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then")
)


def subschemas(schema: Mapping) -> Iterator[tuple[str, Node]]:
    """Every schema directly inside a schema, with the keyword it stands under."""
    for entry in schema.entries:
        name, node = entry.key.text, entry.value
        match KEYWORDS.get(name):
            case Takes.SCHEMA if not isinstance(node, Sequence):
                yield name, node
            case Takes.SCHEMAS if isinstance(node, Sequence):
                for item in node.items:
                    yield name, item
            case Takes.NAMED_SCHEMAS | Takes.PATTERN_SCHEMAS if isinstance(node, Mapping):
                for inner in node.entries:
                    yield name, inner.value
            case _:
                pass


def check_keywords(schema: Node, report: Report) -> None:
    """Check one schema's own keywords; not the schemas inside it."""
    if isinstance(schema, Scalar) and isinstance(schema.value, bool):
        return
    if not isinstance(schema, Mapping):
        report.error(
            "E110",
            start_of(schema),
            f"a JSON Schema is a mapping, not {noun(schema)}",
            mend="for example `{ type: string }`",
        )
        return
    for entry in schema.entries:
        takes = KEYWORDS.get(entry.key.text)
        if takes is None:
            _unknown(entry.key, report)
        elif takes is Takes.REFUSED:
            report.error(
                "E110",
                entry.key.span,
                f"`{entry.key.text}` is not supported",
                mend="use `$ref: '#/$defs/…'`",
            )
        else:
            _check_value(entry.key.text, takes, entry.value, report)


def _unknown(key: Scalar, report: Report) -> None:
    # JSON Schema allows further keywords as annotations; one that is nearly known is a slip.
    close = suggest(key.text, KEYWORDS)
    if close and not key.text.startswith("x-"):
        report.error(
            "E110",
            key.span,
            f"`{shorten(key.text)}` is no keyword of JSON Schema",
            suggestions=close,
        )


def _check_value(name: str, takes: Takes, node: Node, report: Report) -> None:
    if name == "items" and isinstance(node, Sequence):
        _bad(name, node, "one schema for all items", report, mend="`prefixItems` takes a list")
    elif takes is Takes.TYPE:
        _check_type(node, report)
    elif takes in (Takes.PATTERN, Takes.PATTERN_SCHEMAS):
        _check_patterns(name, takes, node, report)
    elif name == "$schema" and isinstance(node, Scalar) and node.text.rstrip("#") != DIALECT:
        _bad(name, node, DIALECT, report, mend="delete the line: 2020-12 is the one dialect")
    elif not _fits(takes, node):
        _bad(name, node, takes.value, report)


def _bad(name: str, node: Node, wanted: str, report: Report, *, mend: str | None = None) -> None:
    report.error("E110", start_of(node), f"`{name}` takes {wanted}, not {noun(node)}", mend=mend)


def _fits(takes: Takes, node: Node) -> bool:
    fits = _FITS.get(takes)
    return fits is None or fits(node)  # a schema is checked when it is reached


def _number(node: Node) -> float | None:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _is_count(node: Node) -> bool:
    number = _number(node)
    return number is not None and number >= 0 and number % 1 == 0


def _is_positive(node: Node) -> bool:
    number = _number(node)
    return number is not None and number > 0


def _is_text(node: Node, form: str = r"(?s:.*)") -> bool:
    value = node.value if isinstance(node, Scalar) else None
    return isinstance(value, str) and re.fullmatch(form, value) is not None


def _is_names(node: Node) -> bool:
    if not isinstance(node, Sequence):
        return False
    names = [item.value for item in node.items if isinstance(item, Scalar)]
    texts = {name for name in names if isinstance(name, str)}
    return len(texts) == len(node.items)


_FITS: Final[dict[Takes, Callable[[Node], bool]]] = {
    Takes.SCHEMA: lambda node: not isinstance(node, Sequence),
    Takes.SCHEMAS: lambda node: isinstance(node, Sequence) and bool(node.items),
    Takes.NAMED_SCHEMAS: lambda node: isinstance(node, Mapping),
    Takes.COUNT: _is_count,
    Takes.NUMBER: lambda node: _number(node) is not None,
    Takes.POSITIVE: _is_positive,
    Takes.TEXT: _is_text,
    Takes.REFERENCE: _is_text,
    Takes.ANCHOR: lambda node: _is_text(node, r"[A-Za-z_][-A-Za-z0-9._]*"),
    Takes.IDENTIFIER: lambda node: _is_text(node, r"[^#]*#?"),
    Takes.BOOLEAN: lambda node: isinstance(node, Scalar) and isinstance(node.value, bool),
    Takes.LIST: lambda node: isinstance(node, Sequence),
    Takes.NAMES: _is_names,
    Takes.NAMED_NAMES: lambda node: (
        isinstance(node, Mapping) and all(_is_names(one.value) for one in node.entries)
    ),
}


def _check_type(node: Node, report: Report) -> None:
    items = node.items if isinstance(node, Sequence) else (node,)
    if not items:
        _bad("type", node, Takes.TYPE.value, report)
    seen: set[str] = set()
    for item in items:
        word = item.value if isinstance(item, Scalar) else None
        if not isinstance(word, str):
            mend = 'quote it: "null"' if isinstance(item, Scalar) and word is None else None
            _bad("type", item, Takes.TYPE.value, report, mend=mend)
        elif word not in TYPES:
            close = _SPOKEN.get(word.lower(), suggest(word, TYPES))
            report.error(
                "E110",
                start_of(item),
                f"`type` cannot be `{shorten(word)}`",
                mend=None if close else f"the types are {listed(TYPES)}",
                suggestions=close,
            )
        elif word in seen:
            report.error("E110", start_of(item), f"`type` names `{word}` twice")
        seen.add(str(word))


_SPOKEN: Final = {
    "str": ("string",),
    "text": ("string",),
    "int": ("integer",),
    "float": ("number",),
    "double": ("number",),
    "bool": ("boolean",),
    "list": ("array",),
    "dict": ("object",),
    "map": ("object",),
    "none": ("null",),
}


def _check_patterns(name: str, takes: Takes, node: Node, report: Report) -> None:
    if takes is Takes.PATTERN_SCHEMAS:
        if not isinstance(node, Mapping):
            _bad(name, node, takes.value, report)
            return
        for entry in node.entries:
            _check_pattern(name, entry.key, report)
    elif isinstance(node, Scalar) and isinstance(node.value, str):
        _check_pattern(name, node, report)
    else:
        _bad(name, node, takes.value, report)


def _check_pattern(name: str, node: Scalar, report: Report) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a later Python may read otherwise is valid now
            re.compile(node.text)
    except (re.error, OverflowError, RecursionError) as error:
        offset = getattr(error, "pos", None) or 0
        problem = getattr(error, "msg", None) or "it is too large"
        report.error(
            "E110",
            node.locate(min(offset, max(len(node.text) - 1, 0))),
            f"the regular expression of `{name}` cannot be compiled: {problem}",
            mend="in double quotes YAML reads `\\`; single quotes leave it alone",
        )
