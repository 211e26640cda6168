"""What changed between two schemas, and whether more or fewer values fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.gitops.contract import compare
from engine.values.digest import canonical_json
from engine.values.json import Json
from engine.values.schema import Schema

TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}


def thing(**properties: Json) -> dict[str, Json]:
    return {"type": "object", "properties": dict(properties)}


# What: the old schema, the new one, and the path and effect of each difference.
CASES: dict[str, tuple[Json, Json, list[tuple[str, str]]]] = {
    "nothing": (TEXT, {"type": "string"}, []),
    "anything becomes something": (None, TEXT, [("/", "narrowed")]),
    "something becomes anything": (TEXT, None, [("/", "widened")]),
    "true is anything": (None, True, [("/", "told")]),
    "everything is refused": (TEXT, False, [("/", "narrowed")]),
    "nothing was taken": (False, TEXT, [("/", "widened")]),
    "type narrowed": ({"type": ["string", "null"]}, TEXT, [("/", "narrowed")]),
    "type widened": (TEXT, {"type": ["string", "null"]}, [("/", "widened")]),
    "another type": (TEXT, {"type": "boolean"}, [("/", "narrowed"), ("/", "widened")]),
    "an integer is a number": ({"type": "integer"}, NUMBER, [("/", "widened")]),
    "a number is no integer": (NUMBER, {"type": "integer"}, [("/", "narrowed")]),
    "optional property added": (thing(), thing(a=TEXT), [("/a", "added")]),
    "required property added": (
        thing(),
        {**thing(a=TEXT), "required": ["a"]},
        [("/a", "narrowed")],
    ),
    "required, but with a default": (
        thing(),
        {**thing(a={"type": "string", "default": ""}), "required": ["a"]},
        [("/a", "added"), ("/", "told")],
    ),
    "property removed": (thing(a=TEXT), thing(), [("/a", "removed")]),
    "required property removed": (
        {**thing(a=TEXT), "required": ["a"]},
        thing(),
        [("/a", "removed")],
    ),
    "property becomes required": (
        thing(a=TEXT),
        {**thing(a=TEXT), "required": ["a"]},
        [("/a", "narrowed")],
    ),
    "property becomes optional": (
        {**thing(a=TEXT), "required": ["a"]},
        thing(a=TEXT),
        [("/a", "widened")],
    ),
    "the default of a required property goes": (
        {**thing(a={"type": "string", "default": "x"}), "required": ["a"]},
        {**thing(a=TEXT), "required": ["a"]},
        [("/a", "told"), ("/a", "narrowed")],
    ),
    "deep inside": (
        thing(a=thing(b={"type": "array", "items": NUMBER})),
        thing(a=thing(b={"type": "array", "items": {"type": "integer"}})),
        [("/a/b[]", "narrowed")],
    ),
    "enum narrowed": ({"enum": ["a", "b"]}, {"enum": ["a"]}, [("/", "narrowed")]),
    "enum widened": ({"enum": ["a"]}, {"enum": ["b", "a"]}, [("/", "widened")]),
    "enum comes": (TEXT, {"type": "string", "enum": ["a"]}, [("/", "narrowed")]),
    "enum goes": ({"enum": [1]}, {}, [("/", "widened")]),
    "const is an enum of one": ({"enum": ["a"]}, {"const": "a"}, [("/", "told")]),
    "1 is not 1.0": ({"enum": [1]}, {"enum": [1.0]}, [("/", "narrowed"), ("/", "widened")]),
    "enum in another order": ({"enum": [1, 2]}, {"enum": [2, 1]}, [("/", "told")]),
    "minimum raised": ({"minimum": 1}, {"minimum": 2}, [("/", "narrowed")]),
    "minimum lowered": ({"minimum": 2}, {"minimum": 1}, [("/", "widened")]),
    "minimum comes": ({}, {"minimum": 0}, [("/", "narrowed")]),
    "minimum goes": ({"minimum": 0}, {}, [("/", "widened")]),
    "maxLength raised": ({"maxLength": 1}, {"maxLength": 2}, [("/", "widened")]),
    "maxLength lowered": ({"maxLength": 2}, {"maxLength": 1}, [("/", "narrowed")]),
    "maxItems comes": ({}, {"maxItems": 3}, [("/", "narrowed")]),
    "pattern comes": (TEXT, {"type": "string", "pattern": "a"}, [("/", "narrowed")]),
    "pattern goes": ({"type": "string", "pattern": "a"}, TEXT, [("/", "widened")]),
    "another pattern": ({"pattern": "a"}, {"pattern": "b"}, [("/", "changed")]),
    "uniqueItems false is nothing": ({}, {"uniqueItems": False}, [("/", "told")]),
    "uniqueItems comes": ({"uniqueItems": False}, {"uniqueItems": True}, [("/", "narrowed")]),
    "closed": (thing(), {**thing(), "additionalProperties": False}, [("/", "narrowed")]),
    "opened": ({**thing(), "additionalProperties": False}, thing(), [("/", "widened")]),
    "others must be numbers": (
        thing(),
        {**thing(), "additionalProperties": NUMBER},
        [("/*", "narrowed")],
    ),
    "names must look so": (
        {},
        {"propertyNames": {"pattern": "a"}},
        [("/(propertyNames)", "narrowed")],
    ),
    "a pattern of names comes": (
        {},
        {"patternProperties": {"^x": NUMBER}},
        [("/(^x)", "narrowed")],
    ),
    "a place of a list": (
        {"prefixItems": [TEXT]},
        {"prefixItems": [TEXT, NUMBER]},
        [("[1]", "narrowed")],
    ),
    "anyOf has one more": ({"anyOf": [TEXT]}, {"anyOf": [TEXT, NUMBER]}, [("/", "widened")]),
    "anyOf has one fewer": ({"anyOf": [TEXT, NUMBER]}, {"anyOf": [TEXT]}, [("/", "narrowed")]),
    "anyOf comes": ({}, {"anyOf": [TEXT]}, [("/", "narrowed")]),
    "anyOf goes": ({"anyOf": [TEXT]}, {}, [("/", "widened")]),
    "anyOf in another order": (
        {"anyOf": [TEXT, NUMBER]},
        {"anyOf": [NUMBER, TEXT]},
        [("/", "told")],
    ),
    "oneOf has one more": ({"oneOf": [TEXT]}, {"oneOf": [TEXT, NUMBER]}, [("/", "changed")]),
    "allOf has one more": (
        {"allOf": [{"minLength": 1}, TEXT]},
        {"allOf": [{"minLength": 1}, TEXT, {"maxLength": 2}]},
        [("/", "narrowed")],
    ),
    "allOf of one stands for what it holds": (
        TEXT,
        {"allOf": [TEXT], "default": "x"},
        [("/", "told")],
    ),
    "not comes": ({}, {"not": TEXT}, [("/", "narrowed")]),
    "not changes": ({"not": TEXT}, {"not": NUMBER}, [("/", "changed")]),
    "only words": (
        {"type": "string", "title": "a"},
        {"type": "string", "title": "b"},
        [("/", "told")],
    ),
    "a property called like a keyword": (
        thing(required=TEXT, properties=TEXT),
        thing(required=NUMBER, properties=TEXT),
        [("/required", "narrowed"), ("/required", "widened")],
    ),
    "a circle": (
        {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"n": {"$ref": "#/$defs/a"}}}}},
        {
            "$ref": "#/$defs/a",
            "$defs": {"a": {"required": ["n"], "properties": {"n": {"$ref": "#/$defs/a"}}}},
        },
        [("/(a)/n", "narrowed")],
    ),
}


@pytest.mark.parametrize(("old", "new", "found"), CASES.values(), ids=CASES)
def test_a_difference(old: Json, new: Json, found: list[tuple[str, str]]) -> None:
    assert [(one.path, one.effect) for one in compare(old, new)] == found


WITH_DEFAULT: Json = {"required": ["a"], "properties": {"a": {"default": 1}}}
ANY_A: Json = {"properties": {"a": {}}}
DEFAULTS: dict[str, tuple[Json, Json, bool, list[str]]] = {
    "of an input is filled in": (ANY_A, WITH_DEFAULT, True, ["told", "told"]),
    "of an output is not": (ANY_A, WITH_DEFAULT, False, ["narrowed"]),
    "in a list is filled in": ({"items": ANY_A}, {"items": WITH_DEFAULT}, True, ["told", "told"]),
    "behind anyOf is not": (
        {"anyOf": [TEXT, ANY_A]},
        {"anyOf": [TEXT, WITH_DEFAULT]},
        True,
        ["changed"],
    ),
    "of other properties is not": (
        {"additionalProperties": ANY_A},
        {"additionalProperties": WITH_DEFAULT},
        True,
        ["narrowed"],
    ),
    "of an output that changes is told": (
        {"properties": {"a": {"default": 1}}},
        {"properties": {"a": {"default": 2}}},
        False,
        ["told"],
    ),
}


@pytest.mark.parametrize(("old", "new", "filled", "effects"), DEFAULTS.values(), ids=DEFAULTS)
def test_a_default(old: Json, new: Json, filled: bool, effects: list[str]) -> None:
    assert [one.effect for one in compare(old, new, filled=filled)] == effects


leaves = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "null", ["string", "null"]]),
        "enum": st.lists(st.sampled_from(["a", "b", 1]), min_size=1, max_size=3, unique=True),
        "minimum": st.integers(0, 3),
        "maximum": st.integers(0, 3),
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(0, 2),
    },
)
objects = st.fixed_dictionaries(
    {"type": st.just("object")},
    optional={
        "properties": st.dictionaries(st.sampled_from("ab"), leaves, max_size=2),
        "required": st.lists(st.sampled_from("ab"), max_size=2, unique=True),
        "additionalProperties": st.booleans() | leaves,
    },
)
schemas = (
    leaves | objects | st.fixed_dictionaries({"anyOf": st.lists(leaves, min_size=1, max_size=2)})
)
plain = st.sampled_from(["", "a", "b", "abc", 0, 1, 2, 5, 1.5, None])
values = plain | st.dictionaries(st.sampled_from("abc"), plain, max_size=3)


@given(schemas, schemas)
def test_no_difference_exactly_when_equal(old: Json, new: Json) -> None:
    assert (compare(old, new) == ()) == (canonical_json(old) == canonical_json(new))


@given(schemas, schemas, st.lists(values, min_size=1, max_size=20))
def test_a_value_that_is_refused_now_is_a_narrowing(
    old: Json, new: Json, tried: list[Json]
) -> None:
    """Values are the judges: what the comparison calls harmless refuses nothing that was taken.

    But a new optional property may, of callers who sent it before there was one.
    """
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    effects = {one.effect for one in compare(old, new)}
    for value in tried:
        taken = Schema(old).problem(value) is None
        takes = Schema(new).problem(value) is None
        if taken and not takes:
            assert effects & {"narrowed", "changed", "added", "removed"}, value
        if takes and not taken:
            assert effects & {"widened", "changed", "added", "removed"}, value
