"""The schema for editors agrees with the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from engine.definition.build import load_text
from engine.definition.document import to_json
from engine.definition.json_schema import workflow_schema, workflow_schema_text
from tests.unit.definition.trees import read

ROOT = Path(__file__).parents[3]
FILE = ROOT / "schemas" / "workflow.schema.json"
SCHEMA = workflow_schema()
EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.yaml"))


def parts(schema: object) -> Iterator[dict[str, object]]:
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key not in ("examples", "default", "enum"):
                yield from parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from parts(value)


def test_the_file_is_in_sync() -> None:
    assert FILE.read_text("utf-8") == workflow_schema_text(), (
        "write it anew: python -c 'from engine.definition.json_schema import "
        "workflow_schema_text as s; print(s(), end=str())' > schemas/workflow.schema.json"
    )


def test_it_is_a_schema_of_both_drafts() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft7Validator.check_schema({**SCHEMA, "$schema": "http://json-schema.org/draft-07/schema#"})


def test_it_stays_in_what_both_drafts_know() -> None:
    newer = {
        "$defs",
        "prefixItems",
        "unevaluatedProperties",
        "unevaluatedItems",
        "dependentSchemas",
    }
    newer |= {"dependentRequired", "minContains", "maxContains", "$anchor", "$dynamicRef"}
    for part in parts(SCHEMA):
        if "properties" not in part.get("type", ""):  # type: ignore[operator]
            assert not newer & set(part)
        if "$ref" in part:
            assert set(part) == {"$ref"}


def test_every_property_has_a_sentence() -> None:
    for part in parts(SCHEMA):
        properties = part.get("properties")
        if isinstance(properties, dict) and part.get("type") == "object":
            for name, schema in properties.items():
                sentence = schema["description"]
                assert sentence.endswith("."), name
                assert sentence[0].isupper(), name


def test_every_example_of_a_property_is_valid() -> None:
    definitions = SCHEMA["definitions"]
    for part in parts(SCHEMA):
        for example in part.get("examples", []):  # type: ignore[attr-defined]
            Draft202012Validator({**part, "definitions": definitions}).validate(example)
            if "default" in part:
                Draft202012Validator({**part, "definitions": definitions}).validate(part["default"])


def test_there_are_six_examples() -> None:
    assert len(EXAMPLES) == 6


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_of_the_language_are_valid(path: Path) -> None:
    assert load_text(path.read_text("utf-8"), file=path.name, root=path.parent).diagnostics == ()
    tree, _ = read(path.read_text("utf-8"))
    assert tree is not None
    for validator in (Draft202012Validator, Draft7Validator):
        validator(SCHEMA).validate(to_json(tree))


HEAD = "dsl: 1\nname: a\nversion: 1.0.0\n"
REFUSED = [
    HEAD + "steps: []",
    HEAD + "steps: [ { log: x } ]\ncolour: red",
    HEAD + "steps: [ { lgo: x } ]",
    HEAD + "steps: [ { log: x, set: {} } ]",
    HEAD + "steps: [ { log: x, retry: {} } ]",
    HEAD + "steps: [ { log: x, level: loud } ]",
    HEAD + "steps: [ { activity: a b } ]",
    HEAD + "steps: [ { activity: a, timeout: PT5M } ]",
    HEAD + "steps: [ { activity: a, continue_on_error: yes } ]",
    HEAD + "steps: [ { foreach: [ 1 ] } ]",
    HEAD + "steps: [ { approval: { title: x } } ]",
    HEAD + "steps: [ { switch: [ { when: '${{ true }}' } ] } ]",
    "dsl: 2\nname: a\nversion: 1.0.0\nsteps: [ { log: x } ]",
    "dsl: 1\nname: a\nversion: 1.20\nsteps: [ { log: x } ]",
    "dsl: 1\nname: A\nversion: 1.0.0\nsteps: [ { log: x } ]",
    "dsl: 1\nname: a\nversion: 1.0.0",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_engine_refuses_by_form_an_editor_marks(text: str) -> None:
    tree, _ = read(text)
    assert tree is not None
    assert load_text(text).document is None
    assert not Draft202012Validator(SCHEMA).is_valid(json.loads(json.dumps(to_json(tree))))
