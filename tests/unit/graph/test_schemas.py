"""References of JSON Schemas, expanded."""

from __future__ import annotations

import json

import pytest

from engine.graph.schemas import SchemaTooLarge, UnknownReference, expand
from tests.unit.graph.compiling import HEADER, compiled

TEXT = {"type": "string"}

CASES = {
    "nothing to do": ({"type": "object"}, {}, {"type": "object"}),
    "a boolean schema": (True, {}, True),
    "a local one": (
        {"properties": {"a": {"$ref": "#/$defs/text"}}, "$defs": {"text": TEXT}},
        {},
        {"properties": {"a": TEXT}},
    ),
    "a file": (
        {"items": {"$ref": "schemas/line.json"}},
        {"schemas/line.json": TEXT},
        {"items": TEXT},
    ),
    "a part of a file, whose references are its own": (
        {"$ref": "a.json#/$defs/b"},
        {"a.json": {"$defs": {"b": {"items": {"$ref": "#/$defs/c"}}, "c": TEXT}}},
        {"items": TEXT},
    ),
    "escapes": (
        {"$ref": "#/$defs/a~1b%20c"},
        {},
        UnknownReference,
    ),
    "an anchor": (
        {"items": {"$ref": "#text"}, "$defs": {"x": {"$anchor": "text", **TEXT}}},
        {},
        {"items": TEXT},
    ),
    "beside other keywords": (
        {"$defs": {"text": TEXT}, "not": {"$ref": "#/$defs/text", "maxLength": 3}},
        {},
        {"not": {"allOf": [TEXT], "maxLength": 3}},
    ),
    "a tree refers to itself": (
        {"$ref": "tree.json"},
        {"tree.json": {"properties": {"left": {"$ref": "#"}}}},
        {
            "properties": {"left": {"$ref": "#/$defs/ref_1"}},
            "$defs": {"ref_1": {"properties": {"left": {"$ref": "#/$defs/ref_1"}}}},
        },
    ),
    "a property may be called $ref": (
        {"properties": {"$ref": TEXT}, "enum": [{"$ref": "x"}], "default": {"$ref": "y"}},
        {},
        {"properties": {"$ref": TEXT}, "enum": [{"$ref": "x"}], "default": {"$ref": "y"}},
    ),
}


@pytest.mark.parametrize(("schema", "files", "expected"), CASES.values(), ids=CASES)
def test_expanded(schema: object, files: dict[str, object], expected: object) -> None:
    if expected is UnknownReference:
        with pytest.raises(UnknownReference):
            expand(schema, files)
    else:
        assert expand(schema, files) == expected


def test_doubling_references_are_refused() -> None:
    definitions: dict[str, object] = {"d0": TEXT}
    for n in range(1, 30):
        below = {"$ref": f"#/$defs/d{n - 1}"}
        definitions[f"d{n}"] = {"properties": {"a": below, "b": below}}
    with pytest.raises(SchemaTooLarge):
        expand({"$ref": "#/$defs/d29", "$defs": definitions}, {})


def test_a_schema_that_grows_too_large_is_a_finding() -> None:
    definitions: dict[str, object] = {"d0": TEXT}
    for n in range(1, 30):
        below = {"$ref": f"#/$defs/d{n - 1}"}
        definitions[f"d{n}"] = {"properties": {"a": below, "b": below}}
    schema = json.dumps({"$ref": "#/$defs/d29", "$defs": definitions})
    result = compiled(f"{HEADER}input_schema: {schema}\nsteps: [ {{ log: hi }} ]\n")
    assert [(found.code, found.span.line) for found in result.diagnostics] == [("E110", 4)]
    assert result.graph is None
