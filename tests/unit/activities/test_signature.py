"""The JSON face of a function: schemas, and arguments on their way in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

import jsonschema
import msgspec
import pytest

from engine.activities.context import ActivityContext
from engine.activities.signature import ActivityArgumentsError, Signature
from engine.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Line:
    sku: str
    qty: int = 1


class Money(msgspec.Struct):
    cents: int


class Address(TypedDict):
    city: str


class Size(StrEnum):
    SMALL = "s"
    LARGE = "l"


Positive = Annotated[int, msgspec.Meta(ge=1)]


def no_parameters(): ...
def unhinted(a, b=2): ...
def scalars(order_id: str, qty: int, price: float = 1.5, gift: bool = False) -> bool: ...
def with_context(order_id: str, ctx: ActivityContext) -> None: ...
def with_optional_context(order_id: str, ctx: ActivityContext | None = None): ...
def keyword_only(*, a: int): ...
def open_ended(a: int, **rest): ...
def open_strings(**rest: str): ...
def structured(line: Line, money: Money, to: Address, size: Size) -> list[Line]: ...
def instants(at: datetime, mode: Literal["a", "b"] = "a", note: str | None = None): ...
def bounded(qty: Positive): ...
def nested(lines: list[Line], by_city: dict[str, Address]): ...
def python_default(after: object = no_parameters): ...
def anything(value: Any) -> Any: ...


LINE = {
    "title": "Line",
    "type": "object",
    "properties": {"sku": {"type": "string"}, "qty": {"type": "integer", "default": 1}},
    "required": ["sku"],
}
NOTHING = {"type": "object", "properties": {}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("function", "input_schema", "result_schema"),
    [
        (no_parameters, NOTHING, None),
        (
            unhinted,
            {
                "type": "object",
                "properties": {"a": {}, "b": {"default": 2}},
                "required": ["a"],
                "additionalProperties": False,
            },
            None,
        ),
        (
            scalars,
            {
                "type": "object",
                "properties": {
                    "order_id": {"type": "string"},
                    "qty": {"type": "integer"},
                    "price": {"type": "number", "default": 1.5},
                    "gift": {"type": "boolean", "default": False},
                },
                "required": ["order_id", "qty"],
                "additionalProperties": False,
            },
            {"type": "boolean"},
        ),
        (
            with_context,
            {
                "type": "object",
                "properties": {"order_id": {"type": "string"}},
                "required": ["order_id"],
                "additionalProperties": False,
            },
            {"type": "null"},
        ),
        (
            open_strings,
            {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}},
            None,
        ),
        (
            open_ended,
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "required": ["a"],
                "additionalProperties": True,
            },
            None,
        ),
        (
            instants,
            {
                "type": "object",
                "properties": {
                    "at": {"type": "string"},
                    "mode": {"enum": ["a", "b"], "default": "a"},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                },
                "required": ["at"],
                "additionalProperties": False,
            },
            None,
        ),
        (
            bounded,
            {
                "type": "object",
                "properties": {"qty": {"type": "integer", "minimum": 1}},
                "required": ["qty"],
                "additionalProperties": False,
            },
            None,
        ),
        (
            structured,
            {
                "type": "object",
                "properties": {
                    "line": {"$ref": "#/$defs/Line"},
                    "money": {"$ref": "#/$defs/Money"},
                    "to": {"$ref": "#/$defs/Address"},
                    "size": {"$ref": "#/$defs/Size"},
                },
                "required": ["line", "money", "to", "size"],
                "additionalProperties": False,
                "$defs": {
                    "Line": LINE,
                    "Money": {
                        "title": "Money",
                        "type": "object",
                        "properties": {"cents": {"type": "integer"}},
                        "required": ["cents"],
                    },
                    "Address": {
                        "title": "Address",
                        "type": "object",
                        "properties": {"city": {"type": "string"}},
                        "required": ["city"],
                    },
                    "Size": {"title": "Size", "enum": ["l", "s"]},
                },
            },
            {"type": "array", "items": {"$ref": "#/$defs/Line"}, "$defs": {"Line": LINE}},
        ),
        (anything, {**NOTHING, "properties": {"value": {}}, "required": ["value"]}, {}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_type_hints_become_json_schemas(function, input_schema, result_schema):
    signature = Signature(function, "a.b")
    assert signature.input_schema == input_schema
    assert signature.result_schema == result_schema
    jsonschema.Draft202012Validator.check_schema(signature.input_schema)


NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("function", "args", "bound"),
    [
        (no_parameters, {}, {}),
        (unhinted, {"a": {"any": [1]}}, {"a": {"any": [1]}}),
        (scalars, {"order_id": "A", "qty": 2}, {"order_id": "A", "qty": 2}),
        (scalars, {"order_id": "A", "qty": 2, "price": 1}, {"order_id": "A", "qty": 2, "price": 1}),
        (with_optional_context, {"order_id": "A"}, {"order_id": "A"}),
        (keyword_only, {"a": 1}, {"a": 1}),
        (open_ended, {"a": 1, "b": None, "c": []}, {"a": 1, "b": None, "c": []}),
        (open_strings, {"b": "x"}, {"b": "x"}),
        (instants, {"at": "2030-01-02T12:00:00Z"}, {"at": NOON}),
        (
            structured,
            {"line": {"sku": "x"}, "money": {"cents": 5}, "to": {"city": "Ulm"}, "size": "s"},
            {"line": Line("x", 1), "money": Money(5), "to": {"city": "Ulm"}, "size": Size.SMALL},
        ),
        (
            nested,
            {"lines": [{"sku": "x", "qty": 2}], "by_city": {"u": {"city": "Ulm"}}},
            {"lines": [Line("x", 2)], "by_city": {"u": {"city": "Ulm"}}},
        ),
    ],
)
def test_arguments_arrive_as_the_types_the_author_wrote(function, args, bound):
    assert Signature(function, "a.b").bind(args) == bound


@pytest.mark.parametrize(
    ("function", "args", "argument", "message"),
    [
        (no_parameters, {"x": 1}, "x", "unknown argument `x`: it takes none"),
        (scalars, {"qty": 1}, "order_id", "missing argument `order_id`"),
        (
            scalars,
            {"order_id": "A", "qty": 1, "pric": 1},
            "pric",
            "unknown argument `pric`: did you mean `price`?",
        ),
        (
            scalars,
            {"order_id": "A", "qty": "2"},
            "qty",
            "argument `qty`: expected `int`, got `str`",
        ),
        (
            scalars,
            {"order_id": "A", "qty": True},
            "qty",
            "argument `qty`: expected `int`, got `bool`",
        ),
        (bounded, {"qty": 0}, "qty", "argument `qty`: expected `int` >= 1"),
        (
            nested,
            {"lines": [{"sku": "x"}, {"sku": 1}], "by_city": {}},
            "lines",
            "argument `lines[1].sku`: expected `str`, got `int`",
        ),
        (
            nested,
            {"lines": [{}], "by_city": {}},
            "lines",
            "argument `lines[0]`: object missing required field `sku`",
        ),
        (instants, {"at": "noon"}, "at", "argument `at`: invalid RFC3339 encoded datetime"),
        (
            with_context,
            {"order_id": "A", "ctx": {}},
            "ctx",
            "unknown argument `ctx`: it takes `order_id`",
        ),
        (unhinted, [1], "", "the arguments: expected `object`, got `array`"),
        (open_strings, {"b": 1}, "", "argument `[...]`: expected `str`, got `int`"),
    ],
)
def test_a_refusal_names_the_argument(function, args, argument, message):
    with pytest.raises(ActivityArgumentsError) as refusal:
        Signature(function, "a.b").bind(args)
    assert refusal.value.message == message
    assert refusal.value.argument == argument
    assert refusal.value.type == "sys.validation"
    assert not refusal.value.retryable


def test_the_context_parameter_is_found_by_its_annotation():
    assert Signature(with_context, "a.b").context_parameter == "ctx"
    assert Signature(with_optional_context, "a.b").context_parameter == "ctx"
    assert Signature(scalars, "a.b").context_parameter is None


def positional_only(a, /): ...
def variadic(*values: int): ...
def for_type_checkers_only(path: Path): ...
def not_json(connection: type[Signature]): ...
def returns_not_json() -> complex: ...


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (positional_only, "parameter `a` cannot be given by name"),
        (variadic, "parameter `values` cannot be given by name"),
        (for_type_checkers_only, "`Path` in its hints is not known at run time"),
        (not_json, "the type of parameter `connection`"),
        (returns_not_json, "the type of what it returns, `complex`"),
    ],
)
def test_functions_without_a_json_face_are_refused(function, said):
    with pytest.raises(SettingsError, match=said):
        Signature(function, "a.b")


def test_the_context_may_be_imported_for_type_checkers_only():
    source = "from __future__ import annotations\ndef f(a: int, ctx: ActivityContext): ..."
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    assert Signature(namespace["f"], "a.b").context_parameter == "ctx"


def test_a_default_that_only_python_can_hold_stays_out_of_the_schema():
    with pytest.raises(SettingsError, match="parameter `after`"):
        Signature(python_default, "a.b")
    signature = Signature(lambda after=no_parameters: after, "a.b")
    assert signature.input_schema["properties"] == {"after": {}}


def test_bind_leaves_the_recorded_arguments_alone():
    args = {"order_id": "A", "ctx_": 1}
    with pytest.raises(ActivityArgumentsError):
        Signature(with_context, "a.b").bind(args)
    assert args == {"order_id": "A", "ctx_": 1}
