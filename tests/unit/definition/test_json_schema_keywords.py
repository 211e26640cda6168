"""The table of keywords against the metaschema it stands for."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from engine.definition.build import load_text
from engine.definition.json_schema_keywords import KEYWORDS, Takes
from tests.unit.definition.trees import WORKFLOW

SAMPLES: list[object] = [
    *(None, True, 0, 1, -1, 1.5, 2.0, "text", "", [], [True], [{}], ["a"], ["a", "a"], [1]),
    *({}, {"a": True}, {"a": {}}, {"a": 1}, {"a": "b"}, {"a": ["b"]}, {"a": ["b", "b"]}),
    *(["string"], ["string", "string"], "string", "objekt", ["string", None]),
]


def ours(schema: object) -> list[str]:
    text = WORKFLOW + f"input_schema: {json.dumps(schema)}\n"
    return [one.code for one in load_text(text).diagnostics]


def theirs(schema: object) -> bool:
    try:
        Draft202012Validator.check_schema(schema)  # type: ignore[arg-type]
    except SchemaError:
        return False
    return True


@pytest.mark.parametrize(
    "keyword", [name for name, takes in KEYWORDS.items() if takes is not Takes.REFUSED]
)
def test_a_value_is_refused_when_the_metaschema_refuses_it(keyword: str) -> None:
    stricter = keyword in ("$ref", "$schema", "$id", "$anchor", "pattern", "patternProperties")
    for sample in SAMPLES:
        schema = {keyword: sample}
        accepted = not [code for code in ours(schema) if code == "E110"]
        if stricter:
            assert not accepted or theirs(schema), schema
        else:
            assert accepted == theirs(schema), schema


def test_every_keyword_of_the_metaschema_is_in_the_table() -> None:
    keywords: set[str] = set()
    for part in Draft202012Validator.META_SCHEMA["allOf"]:
        registry = Draft202012Validator(Draft202012Validator.META_SCHEMA)._resolver
        keywords |= set(registry.lookup(part["$ref"]).contents["properties"])
    assert keywords <= set(KEYWORDS)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"default": {"type": "string"}, "$ref": True}},
        {"properties": {"a": {"$ref": "#/properties/b~1c"}, "b/c": {"type": "string"}}},
        {"prefixItems": [True], "items": {"$ref": "#/prefixItems/0"}},
        {"const": {"$ref": "not a reference"}, "examples": [{"type": 3}]},
        {"$defs": {"tree": {"properties": {"next": {"$ref": "#/$defs/tree"}}}}},
        {"pattern": "[[a]"},  # a later Python may read it otherwise; today it is valid
        True,
    ],
)
def test_sound_schemas(schema: object) -> None:
    assert ours(schema) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"$dynamicRef": "#a"},
        {"$ref": "#name"},
        {"$ref": "#/a/b"},
        {"$ref": "#/enum/7", "enum": [1]},
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"not": {"$ref": "#"}}}},
        {"pattern": "(?P<a"},
        {"patternProperties": {"*": True}},
        {"properties": {"a": {"items": {"maxItem": 1}}}},
    ],
)
def test_unsound_schemas(schema: object) -> None:
    assert ours(schema) == ["E110"]
