"""YAML 1.2 core, and the traps that YAML 1.1 left behind."""

from __future__ import annotations

import math

import pytest

from engine.definition.document import Scalar, to_json
from tests.unit.definition.trees import read, value_of

# What YAML 1.1 or lenient readers take for something else: 1.2 reads all of these as text.
TEXT = [
    *("yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "y", "n"),
    *("tRUE", "fALSE", "nULL", "none", "None", "nil", "TRUe"),
    *("2024-01-01", "2024-01-01T10:00:00Z", "2024-01-01 10:00:00", "12:30", "190:20:30", "1:20.5"),
    *("0b1010", "1_000", "1,000", "0o8", "0xg", "0o", "0x", "+0o7", "-0x1", "0O7", "0X1"),
    *("1.2.3", "1e", "e5", "1.e+", "..5", "1.5.", "+", "-.", "+.e3", "inf", "nan", "NaN", "1e5x"),
    *("=", "<", "1.0.0", "12e03.5", "٣"),
]

VALUES = [
    ("", None),
    ("~", None),
    ("null", None),
    ("Null", None),
    ("NULL", None),
    ("true", True),
    ("True", True),
    ("TRUE", True),
    ("false", False),
    ("False", False),
    ("FALSE", False),
    ("0", 0),
    ("-0", 0),
    ("+12", 12),
    ("-12", -12),
    ("0777", 777),
    ("0o777", 511),
    ("0xFf", 255),
    ("1.20", 1.2),
    ("1.", 1.0),
    (".5", 0.5),
    ("-1e3", -1000.0),
    ("1E-2", 0.01),
    ("6.02e+23", 6.02e23),
    (str(2**256 - 1), 2**256 - 1),
]


def test_the_corpus_of_traps_is_not_small() -> None:
    assert len(set(TEXT)) + len(VALUES) >= 60


@pytest.mark.parametrize("written", TEXT)
def test_is_text(written: str) -> None:
    assert to_json(value_of(f"key: {written}\n")) == written


@pytest.mark.parametrize(("written", "value"), VALUES)
def test_is_a_value_of_the_core_schema(written: str, value: object) -> None:
    read_value = to_json(value_of(f"key: {written}\n"))
    assert (type(read_value), read_value) == (type(value), value)


@pytest.mark.parametrize("written", ["yes", "12", "null", "true", "~", ".nan", ""])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_quotes_make_text(written: str, quote: str) -> None:
    assert to_json(value_of(f"key: {quote}{written}{quote}")) == written


@pytest.mark.parametrize("key", ["on", "yes", "no", "2024-01-01", "1.2.3"])
def test_words_of_1_1_are_text_keys(key: str) -> None:
    tree, found = read(f"{key}: 1")
    assert not found
    assert tree is not None
    assert to_json(tree) == {key: 1}


@pytest.mark.parametrize("key", ["1", "1.5", "true", "null", "~", "", "[a]", "{a: 1}"])
def test_other_keys_are_refused(key: str) -> None:
    _, found = read(f"? {key}\n: 1")
    assert [one.code for one in found] == ["E112"]


@pytest.mark.parametrize(
    "number",
    [".inf", "-.inf", "+.INF", ".nan", ".NaN", "1e999", str(2**256), "9" * 5000, "0x" + "f" * 65],
)
def test_numbers_that_json_cannot_hold_are_refused_in_their_place(number: str) -> None:
    _, found = read(f"a: 1\nkey: {number}\n")
    assert [(one.code, one.span.line, one.span.column) for one in found] == [("E109", 2, 6)]


def test_negative_zero_float_is_finite() -> None:
    node = value_of("key: -0.0")
    assert isinstance(node, Scalar)
    assert math.copysign(1, float(str(node.value))) == -1
