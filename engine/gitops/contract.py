"""What changed between two JSON Schemas, and whether more or fewer values fit. Pure.

Schemas are compared by their structure, keyword by keyword, not by the values they accept: that is
undecidable in general and surprising in particular. What cannot be compared so is told as such.

| effect | the new schema |
|---|---|
| `added` | has an optional property more |
| `removed` | has a property less |
| `narrowed` | refuses values the old one took |
| `widened` | takes values the old one refused |
| `changed` | does one or both; which, the keywords do not tell |
| `told` | means the same to a validator; only what it says or fills in differs |

Rule 1: equal schemas have no difference, and different ones have at least one.
Rule 2: a required property whose default is filled in before checking is no demand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from engine.definition.json_schema_keywords import KEYWORDS, Takes
from engine.values.digest import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.values.json import Json

Effect = Literal["added", "removed", "narrowed", "widened", "changed", "told"]

# A schema as plain data; looser than `Json`, which mypy would have us narrow everywhere.
Data = dict[str, Any]

_ABSENT: Final = object()
_LONGEST: Final = 60
_TYPES: Final = frozenset(("array", "boolean", "null", "number", "object", "string"))

# Bounds: raising a lower one, or lowering an upper one, narrows.
_LOWER: Final = (
    "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains",
)  # fmt: skip
_UPPER: Final = (
    "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains",
)  # fmt: skip
# Coming narrows, going widens, and two different ones are not comparable.
_DEMANDS: Final = (
    "pattern", "format", "multipleOf", "uniqueItems", "not", "if", "then", "else", "contains",
    "dependentRequired", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties",
    "$ref", "contentSchema", "contentEncoding", "contentMediaType",
)  # fmt: skip
_TOLD: Final = (
    "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly",
    "$comment",
)  # fmt: skip
_COVARIANT: Final = ("items", "propertyNames")


class Difference(msgspec.Struct, frozen=True):
    """One difference. `path` leads through properties: `/customer/email`, or `/` for the whole."""

    path: str
    effect: Effect
    text: str


def compare(old: Json, new: Json, *, filled: bool = True) -> tuple[Difference, ...]:
    """The differences that lead from one schema to another; None accepts everything.

    `filled` says that defaults are filled in before checking: so it is for inputs alone.
    """
    before, after = _settled(old, filled=filled), _settled(new, filled=filled)
    found = tuple(_compare(_schema(before), _schema(after), ""))
    if not found and not _same(old, new):
        return (Difference("/", "told", "is written in another way"),)
    return found


def _settled(schema: Any, *, filled: bool) -> Any:
    """The schema without the defaults that nobody fills in.

    They are filled in along `properties` and `items`, not behind `anyOf` and its like.
    """
    if not isinstance(schema, dict):
        return schema
    settled: Data = {}
    for key, value in schema.items():
        takes = KEYWORDS.get(key)
        along = filled and key in ("properties", "items")
        if key == "default" and not filled:
            continue
        if takes is Takes.SCHEMA:
            settled[key] = _settled(value, filled=along)
        elif takes is Takes.SCHEMAS:
            settled[key] = [_settled(one, filled=False) for one in value]
        elif takes in (Takes.NAMED_SCHEMAS, Takes.PATTERN_SCHEMAS):
            settled[key] = {name: _settled(one, filled=along) for name, one in value.items()}
        else:
            settled[key] = value
    return settled


def _compare(
    old: Data | Literal[False], new: Data | Literal[False], path: str
) -> Iterator[Difference]:
    if _same(old, new):
        return
    if old is False or new is False:
        effect: Effect = "widened" if old is False else "narrowed"
        text = "no longer refuses everything" if old is False else "refuses everything now"
        yield Difference(path or "/", effect, text)
        return
    yield from _types(old, new, path)
    yield from _values(old, new, path)
    yield from _properties(old, new, path)
    yield from _required(old, new, path)
    for keyword in sorted({*old, *new} - _APART):
        before, after = old.get(keyword, _ABSENT), new.get(keyword, _ABSENT)
        if before is not _ABSENT and after is not _ABSENT and _same(before, after):
            continue
        reader = _READERS.get(keyword, _unknown)
        yield from reader(keyword, before, after, path)


# What is read together with other keywords, not by itself.
_APART: Final = frozenset(("type", "enum", "const", "properties", "required"))


def _types(old: Data, new: Data, path: str) -> Iterator[Difference]:
    before, after = _type_set(old), _type_set(new)
    if before == after:
        return
    lost, won = _uncovered(before, after), _uncovered(after, before)
    text = f"type {_listed(old.get('type'))} -> {_listed(new.get('type'))}"
    if lost:
        yield Difference(path or "/", "narrowed", text)
    if won:
        yield Difference(path or "/", "widened", text)


def _type_set(schema: Data) -> frozenset[str]:
    kind = schema.get("type")
    if kind is None:
        return _TYPES
    return frozenset([kind] if isinstance(kind, str) else kind)


def _uncovered(some: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """Types of `some` whose values are not all among those of `others`."""
    covered = others | ({"integer"} if "number" in others else set())
    return some - covered


def _listed(kind: object) -> str:
    if kind is None:
        return "any"
    return kind if isinstance(kind, str) else " or ".join(str(one) for one in kind)  # type: ignore[attr-defined]  # a list, the file's reader has seen to it


def _values(old: Data, new: Data, path: str) -> Iterator[Difference]:
    """`enum` and `const`: which values there are."""
    before, after = _value_set(old), _value_set(new)
    if before == after:
        return
    if before is None or after is None:
        effect: Effect = "narrowed" if before is None else "widened"
        text = "takes a few values only now" if before is None else "takes more than a few values"
        yield Difference(path or "/", effect, text)
        return
    if gone := before - after:
        yield Difference(path or "/", "narrowed", f"no longer takes {_shown_set(gone)}")
    if come := after - before:
        yield Difference(path or "/", "widened", f"takes {_shown_set(come)} too")


def _value_set(schema: Data) -> frozenset[bytes] | None:
    sets = []
    if "enum" in schema:
        sets.append(frozenset(canonical_json(value) for value in schema["enum"]))
    if "const" in schema:
        sets.append(frozenset((canonical_json(schema["const"]),)))
    return frozenset.intersection(*sets) if sets else None


def _shown_set(values: frozenset[bytes]) -> str:
    return _short(", ".join(sorted(value.decode() for value in values)))


def _properties(old: Data, new: Data, path: str) -> Iterator[Difference]:
    before, after = old.get("properties", {}), new.get("properties", {})
    required = set(new.get("required", ()))
    for name in sorted({*before, *after}):
        inner = f"{path}/{name}"
        if name not in after:
            yield Difference(inner, "removed", "property removed")
        elif name not in before:
            if name not in required or _has_default(after[name]):
                yield Difference(inner, "added", "optional property added")
            # a required one is told by `_required`
        else:
            yield from _compare(_schema(before[name]), _schema(after[name]), inner)


def _required(old: Data, new: Data, path: str) -> Iterator[Difference]:
    before, after = _demanded(old), _demanded(new)
    kept = new.get("properties", {})
    for name in sorted(after - before):
        known = name in old.get("properties", {})
        text = "is required now" if known else "required property added"
        yield Difference(f"{path}/{name}", "narrowed", text)
    for name in sorted(before - after):
        if name in kept or name not in old.get("properties", {}):  # else told as removed
            yield Difference(f"{path}/{name}", "widened", "is no longer required")
    if before == after and set(old.get("required", ())) != set(new.get("required", ())):
        yield Difference(path or "/", "told", "`required` lists properties with defaults otherwise")


def _demanded(schema: Data) -> set[str]:
    properties = schema.get("properties", {})
    return {name for name in schema.get("required", ()) if not _has_default(properties.get(name))}


def _has_default(schema: object) -> bool:
    return isinstance(schema, dict) and "default" in schema


def _lower(keyword: str, old: Any, new: Any, path: str) -> Iterator[Difference]:
    narrowed = old is _ABSENT or (new is not _ABSENT and new > old)
    yield _one(keyword, old, new, path, "narrowed" if narrowed else "widened")


def _upper(keyword: str, old: Any, new: Any, path: str) -> Iterator[Difference]:
    narrowed = old is _ABSENT or (new is not _ABSENT and new < old)
    yield _one(keyword, old, new, path, "narrowed" if narrowed else "widened")


def _demand(keyword: str, old: Any, new: Any, path: str) -> Iterator[Difference]:
    # `uniqueItems: false` and its like demand nothing.
    old, new = (
        _ABSENT if value is False and keyword == "uniqueItems" else value for value in (old, new)
    )
    if old is _ABSENT and new is _ABSENT:
        yield _one(keyword, old, new, path, "told")
    elif old is _ABSENT or new is _ABSENT:
        yield _one(keyword, old, new, path, "narrowed" if old is _ABSENT else "widened")
    else:
        yield _one(keyword, old, new, path, "changed")


def _telling(keyword: str, old: Any, new: Any, path: str) -> Iterator[Difference]:
    yield _one(keyword, old, new, path, "told")


def _schema_keyword(keyword: str, old: Any, new: Any, path: str) -> Iterator[Difference]:
    inner = {"items": f"{path}[]"}.get(keyword, f"{path}/({keyword})")
    yield from _compare(_schema(_or_true(old)), _schema(_or_true(new)), inner)


def _additional(keyword: str, old: Any, new: Any, path: str) -> Iterator[Difference]:
    old, new = _or_true(old), _or_true(new)
    if old is False or new is False:
        effect: Effect = "widened" if old is False else "narrowed"
        text = "other properties are taken" if old is False else "other properties are refused"
        yield Difference(path or "/", effect, f"{text} now")
        return
    yield from _compare(_schema(old), _schema(new), f"{path}/*")


def _named(keyword: str, old: Any, new: Any, path: str) -> Iterator[Difference]:
    before = {} if old is _ABSENT else old
    after = {} if new is _ABSENT else new
    for name in sorted({*before, *after}):
        inner = f"{path}/({name})"
        first, second = before.get(name, True), after.get(name, True)
        yield from _compare(_schema(first), _schema(second), inner)


def _positions(keyword: str, old: Any, new: Any, path: str) -> Iterator[Difference]:
    before = [] if old is _ABSENT else old
    after = [] if new is _ABSENT else new
    for index in range(max(len(before), len(after))):
        first = before[index] if index < len(before) else True
        second = after[index] if index < len(after) else True
        yield from _compare(_schema(first), _schema(second), f"{path}[{index}]")


def _all_of(keyword: str, old: Any, new: Any, path: str) -> Iterator[Difference]:
    """More of these narrow, fewer widen."""
    before, after = _sides(old, new)
    if len(before) == len(after) == 1:
        yield from _compare(_schema(before[0]), _schema(after[0]), path)
        return
    yield from _alternatives(keyword, before, after, path, more="narrowed", fewer="widened")


def _any_of(keyword: str, old: Any, new: Any, path: str) -> Iterator[Difference]:
    """More of these widen, fewer narrow; but the first and the last of them do the reverse."""
    if old is _ABSENT or new is _ABSENT:
        yield _one(keyword, old, new, path, "narrowed" if old is _ABSENT else "widened")
        return
    before, after = _sides(old, new)
    if keyword == "oneOf":  # one more that fits may be one too many
        yield from _alternatives(keyword, before, after, path, more="changed", fewer="changed")
        return
    yield from _alternatives(keyword, before, after, path, more="widened", fewer="narrowed")


def _sides(old: Any, new: Any) -> tuple[list[Any], list[Any]]:
    """Two lists of schemas without what is in both."""
    before = [] if old is _ABSENT else list(old)
    after = [] if new is _ABSENT else list(new)
    both = {canonical_json(one) for one in before} & {canonical_json(one) for one in after}
    return (
        [one for one in before if canonical_json(one) not in both],
        [one for one in after if canonical_json(one) not in both],
    )


def _alternatives(
    keyword: str, gone: list[Any], come: list[Any], path: str, *, more: Effect, fewer: Effect
) -> Iterator[Difference]:
    where = path or "/"
    if gone and come:
        yield Difference(where, "changed", f"`{keyword}` lists other schemas")
    elif come:
        yield Difference(where, more, f"`{keyword}` lists {len(come)} more")
    elif gone:
        yield Difference(where, fewer, f"`{keyword}` lists {len(gone)} fewer")
    else:
        yield Difference(where, "told", f"`{keyword}` lists its schemas in another order")


def _unknown(keyword: str, old: Any, new: Any, path: str) -> Iterator[Difference]:
    yield _one(keyword, old, new, path, "changed")


def _one(keyword: str, old: Any, new: Any, path: str, effect: Effect) -> Difference:
    return Difference(path or "/", effect, f"{keyword}: {_shown(old)} -> {_shown(new)}")


_READERS: Final[dict[str, Callable[[str, Any, Any, str], Iterator[Difference]]]] = {
    **dict.fromkeys(_LOWER, _lower),
    **dict.fromkeys(_UPPER, _upper),
    **dict.fromkeys(_DEMANDS, _demand),
    **dict.fromkeys(_TOLD, _telling),
    **dict.fromkeys(_COVARIANT, _schema_keyword),
    "additionalProperties": _additional,
    "patternProperties": _named,
    "$defs": _named,
    "prefixItems": _positions,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _any_of,
}


def _schema(value: Any) -> Data | Literal[False]:
    """A schema as a mapping: None and `true` demand nothing.

    What `allOf` holds alone, stands beside it: so does a `$ref` with other keywords come out.
    """
    if value is None or value is True:
        return {}
    if value is False:
        return False
    schema: Data = value
    parts = schema.get("allOf")
    if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], dict):
        rest = {key: part for key, part in schema.items() if key != "allOf"}
        shared = {key for key in parts[0] if key in rest and key not in _TOLD}
        if not shared:
            return {**parts[0], **rest}
    return schema


def _or_true(value: Any) -> Any:
    return True if value is _ABSENT else value


def _same(old: Any, new: Any) -> bool:
    return canonical_json(old) == canonical_json(new)


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    return _short(value if isinstance(value, str) else canonical_json(value).decode())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
