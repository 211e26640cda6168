"""The grammar as a JSON Schema, for editors: completion, hover, squiggles.

Declares 2020-12 and stays in what draft-07 knows too, for older editors. Features that are not yet
supported are left out, so an editor marks them as the engine does. It is a net with wide meshes:
what it cannot say (one name per variable, times that are durations inside expressions) the engine
says.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from engine.definition.grammar import (
    BRANCH,
    CASE,
    CLAUSE,
    COMMON,
    ERROR,
    RETRY,
    SIGNAL,
    SLEEP_UNTIL,
    Field,
    Shape,
    StepKind,
)
from engine.definition.grammar_steps import DEFAULTABLE, STEP_KINDS
from engine.definition.grammar_workflow import WORKFLOW
from engine.definition.json_schema_keywords import DIALECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.values.json import Json, JsonObject

_NAME: Final = "^[A-Za-z_][A-Za-z0-9_]*$"
_WORKFLOW_NAME: Final = "^[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)*$"
_WORKFLOW: Final = "^[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)*(@.+)?$"
_ACTIVITY: Final = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
_DURATION: Final = "^([0-9]+(w|d|h|m|s|ms|us))+$"
_EXPRESSION: Final = r"\$\{\{"
_CONDITION: Final = r"^\s*\$\{\{[\s\S]*\}\}\s*$"


def workflow_schema() -> JsonObject:
    """The schema of a workflow file."""
    body = _mapping(WORKFLOW)
    definitions: JsonObject = {
        "steps": {
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/definitions/step"},
            "description": "Steps, run in order.",
        },
        "step": _step(),
        "clause": _mapping(CLAUSE),
        "case": _case(),
        "branch": {"anyOf": [_steps(), _mapping(BRANCH)]},
        "retry_policy": _mapping(RETRY),
        "signal": _mapping(SIGNAL),
        "error": _mapping(ERROR),
        "sleep_until": _mapping(SLEEP_UNTIL),
        "condition": {"type": "string", "pattern": _CONDITION},
        "expression": {"type": "string", "pattern": _EXPRESSION},
        "duration": {"type": "string", "pattern": _DURATION},
        "schema": {"type": ["object", "boolean"]},
        "values": {"type": "object", "propertyNames": {"pattern": _NAME}},
    }
    return {
        "$schema": DIALECT,
        "title": "Lockstep workflow",
        "description": "A durable workflow of the Lockstep engine, language version 1.",
        **body,
        "definitions": definitions,
    }


def workflow_schema_text() -> str:
    """The schema as it stands in `schemas/workflow.schema.json`."""
    return json.dumps(workflow_schema(), indent=2, ensure_ascii=False) + "\n"


def _steps() -> JsonObject:
    return {"$ref": "#/definitions/steps"}


def _mapping(fields: tuple[Field, ...]) -> JsonObject:
    supported = [field for field in fields if field.not_yet is None]
    schema: JsonObject = {
        "type": "object",
        "properties": {field.name: _field(field) for field in supported},
        "additionalProperties": False,
    }
    required: list[Json] = [field.name for field in supported if field.required]
    if required:
        schema["required"] = required
    return schema


def _field(field: Field) -> JsonObject:
    shape = _SHAPES[field.shape]
    schema = dict(shape(field) if callable(shape) else shape)
    # Draft-07 ignores what stands beside `$ref`; an `allOf` around it keeps the hover text.
    if "$ref" in schema:
        schema = {"allOf": [schema]}
    schema["description"] = field.description
    if field.default is not None:
        schema["default"] = field.default
    if field.examples:
        schema["examples"] = json.loads(json.dumps(field.examples))
    return schema


def _step() -> JsonObject:
    kinds = [kind for kind in STEP_KINDS.values() if kind.operand.not_yet is None]
    return {
        "type": "object",
        "description": "One step: exactly one key is its kind.",
        "oneOf": [_step_kind(kind) for kind in kinds],
    }


def _step_kind(kind: StepKind) -> JsonObject:
    schema = _mapping((kind.operand, *kind.options, *COMMON))
    required = schema.get("required")
    others = required if isinstance(required, list) else []
    schema["required"] = [kind.name, *others]
    schema["title"] = kind.name
    schema["description"] = kind.operand.description
    return schema


def _case() -> JsonObject:
    from_fields = {field.name: _field(field) for field in CASE}
    return {
        "oneOf": [
            {
                "type": "object",
                "properties": {"when": from_fields["when"], "steps": from_fields["steps"]},
                "required": ["when", "steps"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {"else": from_fields["else"]},
                "required": ["else"],
                "additionalProperties": False,
            },
        ]
    }


def _defaults(_: Field) -> JsonObject:
    kinds: JsonObject = {}
    for kind in STEP_KINDS.values():
        options = tuple(one for one in kind.options if one.name in DEFAULTABLE)
        if options:
            preset = _mapping(options)
            preset["description"] = f"What `{kind.name}` steps have when they do not say otherwise."
            kinds[kind.name] = preset
    return {"type": "object", "properties": kinds, "additionalProperties": False}


def _named(reference: str) -> JsonObject:
    return {
        "type": "object",
        "propertyNames": {"pattern": _NAME},
        "additionalProperties": {"$ref": f"#/definitions/{reference}"},
    }


def _listed(reference: str) -> JsonObject:
    return {"type": "array", "minItems": 1, "items": {"$ref": f"#/definitions/{reference}"}}


def _or_expression(schema: JsonObject) -> JsonObject:
    return {"anyOf": [schema, {"$ref": "#/definitions/expression"}]}


def _bounded(kind: str) -> Callable[[Field], JsonObject]:
    def schema(field: Field) -> JsonObject:
        bounds: JsonObject = {"type": kind}
        if field.minimum is not None:
            bounds["minimum"] = field.minimum
        if field.maximum is not None:
            bounds["maximum"] = field.maximum
        return bounds

    return schema


def _branches(field: Field) -> JsonObject:
    del field
    return {**_named("branch"), "minProperties": 1}


def _choice(field: Field) -> JsonObject:
    return {"type": "string", "enum": list(field.choices)}


_TEXT: Final[JsonObject] = {"type": "string"}
_DURATION_REF: Final[JsonObject] = {"$ref": "#/definitions/duration"}

_SHAPES: Final[dict[Shape, JsonObject | Callable[[Field], JsonObject]]] = {
    Shape.STEPS: _steps(),
    Shape.CLAUSES: _listed("clause"),
    Shape.CASES: _listed("case"),
    Shape.BRANCHES: _branches,
    Shape.RETRY: {
        "anyOf": [{"$ref": "#/definitions/retry_policy"}, {"type": "string", "pattern": _NAME}]
    },
    Shape.RETRY_POLICIES: _named("retry_policy"),
    Shape.SIGNALS: _named("signal"),
    Shape.DEFAULTS: _defaults,
    Shape.RAISE: _or_expression({"$ref": "#/definitions/error"}),
    Shape.SLEEP: {
        "anyOf": [
            _DURATION_REF,
            {"$ref": "#/definitions/expression"},
            {"$ref": "#/definitions/sleep_until"},
        ]
    },
    Shape.VALUE: {},
    Shape.MAPPING_VALUE: _or_expression({"type": "object"}),
    Shape.LIST_VALUE: _or_expression({"type": "array"}),
    Shape.TEXT_VALUE: _TEXT,
    Shape.NAMED_VALUES: {"$ref": "#/definitions/values"},
    Shape.CONDITION: {"$ref": "#/definitions/condition"},
    Shape.DURATION: _DURATION_REF,
    Shape.DURATION_VALUE: _or_expression(_DURATION_REF),
    Shape.NAME: {"type": "string", "pattern": _NAME},
    Shape.ACTIVITY: {"type": "string", "pattern": _ACTIVITY},
    Shape.WORKFLOW: {"type": "string", "pattern": _WORKFLOW},
    Shape.WORKFLOW_NAME: {"type": "string", "pattern": _WORKFLOW_NAME},
    Shape.VERSION: {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+([-+].+)?$"},
    Shape.VERSION_RANGE: _TEXT,
    Shape.NEXT_VERSION: _TEXT,
    Shape.ERROR_TYPE: {"type": "string", "pattern": _ACTIVITY},
    Shape.ERROR_TYPES: {"type": "array", "items": _TEXT},
    Shape.TEXT: _TEXT,
    Shape.TEXTS: {"type": "array", "items": _TEXT},
    Shape.CHOICE: _choice,
    Shape.INTEGER: _bounded("integer"),
    Shape.NUMBER: _bounded("number"),
    Shape.BOOLEAN: {"type": "boolean"},
    Shape.JOIN: {"anyOf": [{"enum": ["all"]}, {"type": "integer", "minimum": 1}]},
    Shape.FAILURES: {
        "anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"},
        ]
    },
    Shape.SCHEMA: {"$ref": "#/definitions/schema"},
}
