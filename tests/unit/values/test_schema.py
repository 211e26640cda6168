"""JSON Schemas at work: defaults, refusals, and a cheap way that agrees with the dear one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from engine.values.schema import Schema

NESTED: Any = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "default": 3},
        "inner": {"type": "object", "properties": {"x": {"type": "string", "default": "y"}}},
        "rows": {
            "type": "array",
            "items": {"type": "object", "properties": {"on": {"type": "boolean", "default": True}}},
        },
    },
}


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        (None, {"n": 3}),
        ({}, {"n": 3}),
        ({"n": None}, {"n": None}),
        ({"inner": {}}, {"inner": {"x": "y"}, "n": 3}),
        ({"rows": [{}, {"on": False}]}, {"rows": [{"on": True}, {"on": False}], "n": 3}),
        ("text", "text"),
    ],
)
def test_defaults_are_filled_in_recursively_and_an_explicit_null_stays(
    value: Any, filled: Any
) -> None:
    assert Schema(NESTED).fill(value) == filled


def test_filling_in_leaves_the_given_value_alone() -> None:
    value: Any = {"inner": {}}
    Schema(NESTED).fill(value)
    assert value == {"inner": {}}


@pytest.mark.parametrize(
    ("schema", "value", "path"),
    [
        ({"type": "object", "required": ["a"]}, {}, "/"),
        ({"properties": {"a": {"type": "integer"}}}, {"a": "1"}, "/a"),
        ({"properties": {"a": {"items": {"type": "string"}}}}, {"a": ["x", 1]}, "/a/1"),
        ({"type": "integer"}, True, "/"),
        ({"type": "number"}, True, "/"),
        ({"enum": [1, 2]}, 3, "/"),
        (False, 1, "/"),
    ],
)
def test_a_refusal_names_the_place(schema: Any, value: Any, path: str) -> None:
    problem = Schema(schema).problem(value)
    assert problem is not None
    assert problem.path == path
    assert problem.message


def test_no_schema_and_true_accept_everything() -> None:
    assert Schema(None).problem({"a": 1}) is None
    assert Schema(True).problem("x") is None


def test_a_value_nested_too_deeply_for_a_recursive_schema_is_refused() -> None:
    value: Any = []
    for _ in range(900):
        value = [value]
    problem = Schema({"type": "array", "items": {"$ref": "#"}}).problem(value)
    assert problem is not None
    assert "deeply" in problem.message


KINDS = ["string", "boolean", "object", "array", "null", "integer", "number"]
PLAIN = st.recursive(
    st.fixed_dictionaries({"type": st.sampled_from(KINDS)}),
    lambda inner: st.fixed_dictionaries(
        {
            "type": st.sampled_from(["object", "string"]),
            "properties": st.dictionaries(st.sampled_from("abc"), inner),
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
        }
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)


@given(PLAIN, VALUES)
def test_the_cheap_way_agrees_with_jsonschema(schema: Any, value: Any) -> None:
    fits = Draft202012Validator(schema).is_valid(value)
    assert (Schema(schema).problem(value) is None) == fits
