"""The two ways to evaluate agree, and where Jinja itself has an answer it is ours too."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.errors import ExpressionError
from engine.expr import compile_expression
from engine.expr.closures import compile_closure
from engine.expr.environment import ENVIRONMENT
from engine.expr.parse import parse
from tests.unit.expr.conftest import FixedScope

SCOPES: list[dict[str, Any]] = [
    {"a": 1, "b": 2, "c": "x"},
    {"a": 2.0, "b": 2, "c": ["x", 1, None, True]},
    {"a": "abc", "b": "b", "c": {"b": 1, "x": None}},
    {"a": None, "b": 0, "c": []},
    {"a": True, "b": 1, "c": False},
    {"a": [1, 2], "b": [1, 2.0], "c": {}},
    {"a": {"b": {"c": -3}}, "b": -1, "c": ""},
    {"a": {"x": True}, "b": {"x": 1}, "c": "zzz"},
    {"a": 2**256 - 1, "b": 2**255, "c": 1e308},
    {"a": "abc", "c": 0},
    {},
]

OPERANDS = ["a", "b", "c", "a.b", "a.b.c", "c[0]", "a[b]", "c['x']", "1", "-2", "0.5", "'b'"]
WORDS = ["true", "none", "a.missing.deeper", "[1, 'b']"]
BINARY = ["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "in", "not in"]
TESTS = ["defined", "undefined", "none", "boolean", "number", "string", "mapping", "sequence"]

TABLE = [
    *OPERANDS,
    *WORDS,
    *(
        f"{left} {symbol} {right}"
        for symbol in BINARY
        for left, right in itertools.product(["a", "b", "a.b", "2"], ["a", "c", "1", "'b'"])
    ),
    *(f"{left} {word} {right}" for word in ("and", "or") for left, right in
      itertools.product(["a", "b", "c", "a.b"], ["b", "true", "a.missing"])),
    *(f"{operand} is {test}" for operand in ("a", "b", "a.b", "c.x.y") for test in TESTS),
    *(f"{operand} is not {test}" for operand in ("a", "c[0]") for test in TESTS),
    *(f"not {operand}" for operand in OPERANDS),
    *(f"-{operand}" for operand in OPERANDS[:8]),
    *(f"{operand} | length" for operand in OPERANDS),
    *(f"{operand} | default('d')" for operand in OPERANDS),
    *(f"{operand} | default(b, true)" for operand in OPERANDS),
    *(f"{operand} | default(a.b)" for operand in ("a", "b.x", "c.x")),
    "1 if a else 2", "a if b else c", "a.b if a.b is defined else 'none'", "a if b > 1 else b",
    "a.b | default(none) is none", "a == 1 and b == 2", "a == 1 or b == 2 or c == 'x'",
    "not (a == b)", "not a == b", "a + b * 2", "(a + b) * 2", "a - b - 1", "a < b < 3",
    "c | length > 0", "(c | length) == 1", "a in ['abc', 'x']", "b in (1, 2)", "a[0:1]",
    "a ~ b", "[a, b]", "{'k': a}", "a ** 2", "c[-1]", "c[b]", "a[b - 1]", "c[true]", "a.0",
    "a or b or c", "a and b and c", "a is defined and a.b is defined", "+a", "- - b",
]  # fmt: skip


def evaluate(source: str, roots: dict[str, Any], *, fast: bool) -> Any:
    """Return the value, or the error's message: equal ways fail equally."""
    try:
        return compile_expression(source, fast=fast).evaluate(FixedScope(roots))
    except ExpressionError as error:
        return error


def exactly(value: Any) -> Any:
    """Make values comparable with their types: `True` is not `1`, `1` is not `1.0`."""
    if isinstance(value, ExpressionError):
        return ("error", value.message, value.offset, value.length)
    if isinstance(value, list):
        return ["list", *map(exactly, value)]
    if isinstance(value, dict):
        return {key: exactly(item) for key, item in value.items()}
    return (type(value).__name__, value)


def test_the_table_is_large_and_mostly_on_the_fast_path() -> None:
    assert len(set(TABLE)) >= 300
    closures = [source for source in TABLE if compile_closure(parse(source, ENVIRONMENT))]
    assert len(closures) >= 300


@pytest.mark.parametrize("source", TABLE)
def test_closures_and_generated_code_agree(source: str) -> None:
    for roots in SCOPES:
        fast = evaluate(source, roots, fast=True)
        slow = evaluate(source, roots, fast=False)
        assert exactly(fast) == exactly(slow), roots


class Chained(StrictUndefined):
    """Jinja's strict undefined, made chainable as ours is."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: Any) -> Any:
        return self


STOCK = ImmutableSandboxedEnvironment(undefined=Chained)


@pytest.mark.parametrize("source", TABLE)
def test_where_we_answer_stock_jinja_answers_the_same(source: str) -> None:
    compiled = STOCK.compile_expression(source, undefined_to_none=False)
    for roots in SCOPES:
        ours = evaluate(source, roots, fast=True)
        if isinstance(ours, ExpressionError) or differs_on_purpose(source, roots):
            continue
        stock = compiled(**roots)
        assert ours == (list(stock) if isinstance(stock, tuple) else stock), roots


def differs_on_purpose(source: str, roots: dict[str, Any]) -> bool:
    """Booleans are not numbers, a string is no sequence, `~` writes `true`."""
    booleans = any(type(value) is bool for value in flat(roots))
    return (
        (booleans and any(symbol in source for symbol in ("==", "!=", " in ", "number", "~")))
        or "sequence" in source
        or ("true" in source and any(symbol in source for symbol in ("==", "!=")))
    )


def flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in flat(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in flat(item)]
    return [value]


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, 2.0, -1.5]),
    st.sampled_from(["", "a", "b", "ab"]),
)
DATA = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
ROOTS = st.dictionaries(st.sampled_from("abc"), DATA, max_size=3)

ATOMS = st.sampled_from([*OPERANDS, *WORDS, "c.a", "c[1]", "''", "2.0", "false", "b.a.b"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    symbols = st.sampled_from([*BINARY, "and", "or"])
    return st.one_of(
        st.builds(lambda left, symbol, right: f"({left} {symbol} {right})", inner, symbols, inner),
        st.builds(lambda value: f"(not {value})", inner),
        st.builds(lambda value, test: f"({value} is {test})", inner, st.sampled_from(TESTS)),
        st.builds(lambda a, b, c: f"({a} if {b} else {c})", inner, inner, inner),
        st.builds(lambda value, other: f"({value} | default({other}))", inner, inner),
        st.builds(lambda value: f"({value} | length)", inner),
        st.builds(lambda value, key: f"{value}[{key}]", ATOMS, inner),
    )


PIECES = """a b.c [ ] ( ) { } | . , : ~ + - * ** / // % == != < > = ! ' " \\ 1 2.5 if else and or
not in is default length map( 'upper' attribute= defined none true now( range( ${{ }} é sort(
reverse= 'a' lambda for {%"""
SOUP = st.lists(st.sampled_from([*PIECES.split(), "\n"]), max_size=12).map(" ".join)


@settings(max_examples=500, deadline=None)
@given(source=SOUP, roots=ROOTS)
def test_no_text_whatever_breaks_the_compiler(source: str, roots: dict[str, Any]) -> None:
    result = evaluate(source, roots, fast=True)
    if isinstance(result, ExpressionError):
        assert 0 <= result.offset <= len(source)
        assert result.length >= 1
        assert result.offset + result.length <= max(len(source), 1)
    assert exactly(result) == exactly(evaluate(source, roots, fast=False))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(source=st.recursive(ATOMS, grown, max_leaves=6), roots=ROOTS)
def test_any_expression_agrees(source: str, roots: dict[str, Any]) -> None:
    try:
        compile_expression(source)
    except ExpressionError as refused:
        assert refused.diagnostic.startswith("E2")
        return
    fast = evaluate(source, roots, fast=True)
    slow = evaluate(source, roots, fast=False)
    assert exactly(fast) == exactly(slow)
