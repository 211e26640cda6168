"""Values on their way out become JSON, or are refused with the place of the culprit."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

import msgspec
import pytest

from engine.activities.result import ActivityLimitError, ActivityResultError, to_json


@dataclass
class Line:
    sku: str
    price: object = 1


class Money(msgspec.Struct):
    cents: object


class Size(Enum):
    SMALL = "s"


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (None, None),
        (0, 0),
        (False, False),
        ("text", "text"),
        (2**200, 2**200),
        ({"a": [1, 2.5, None]}, {"a": [1, 2.5, None]}),
        ((1, (2,)), [1, [2]]),
        ({1: "x"}, {"1": "x"}),
        (Line("x"), {"sku": "x", "price": 1}),
        ([Money(5)], [{"cents": 5}]),
        ({"s": Size.SMALL}, {"s": "s"}),
        (datetime(2030, 1, 2, tzinfo=UTC), "2030-01-02T00:00:00Z"),
        ({"n": None, "t": (1,)}, {"n": None, "t": [1]}),
        ({3}, [3]),
    ],
)
def test_json_forms(value, json):
    result = to_json(value)
    assert result == json
    assert type(result) is type(json)


def test_the_result_is_a_copy():
    value = {"a": [1]}
    result = to_json(value)
    value["a"].append(2)
    assert result == {"a": [1]}


@pytest.mark.parametrize(
    ("value", "path", "problem"),
    [
        (object(), "$", "`builtins.object`"),
        ({"a": [1, object()]}, "$.a[1]", "`builtins.object`"),
        (Line("x", object()), "$.price", "`builtins.object`"),
        ([Money(object())], "$[0].cents", "`builtins.object`"),
        (math.nan, "$", "nan is no JSON number"),
        ({"a": [None, -math.inf]}, "$.a[1]", "-inf is no JSON number"),
        ([Money(math.nan)], "$[0].cents", "nan is no JSON number"),
        ({"a": "\ud800"}, "$.a", "lone surrogate"),
        ({"a": {(1, 2): 3}}, "$.a", "keys of type tuple"),
        ({"a": 10**5000}, "$.a", "integer too long"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(value, path, problem):
    with pytest.raises(ActivityResultError) as refusal:
        to_json(value)
    assert refusal.value.path == path
    assert problem in refusal.value.message
    assert refusal.value.type == "sys.validation"
    assert not refusal.value.retryable


def test_a_value_that_holds_itself_is_refused():
    value: list[object] = []
    value.append(value)
    with pytest.raises(ActivityResultError, match="nested too deeply, or holds itself"):
        to_json(value)


def test_the_limit_counts_encoded_bytes():
    assert to_json("x" * 8, limit=10) == "x" * 8
    with pytest.raises(ActivityLimitError) as refusal:
        to_json("x" * 9, limit=10, what="the result")
    assert refusal.value.message == "the result has 11 bytes, the limit is 10"
    assert refusal.value.type == "sys.limit"
    assert not refusal.value.retryable
