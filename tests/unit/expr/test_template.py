"""Expressions inside YAML data: where they begin and end, what becomes of the scalar."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import ExpressionError
from engine.expr import Hole, Literal, compile_value, find_expressions, scan

Scope = Callable[..., Any]

SCANS = [
    ("", [""]),
    ("plain {text} }} {% x %} {# x #}", ["plain {text} }} {% x %} {# x #}"]),
    ("${{ a }}", [(" a ", 3)]),
    ("${{a}}", [("a", 3)]),
    ("x ${{ a }} y ${{ b }}", ["x ", (" a ", 5), " y ", (" b ", 16)]),
    ("${{ a }}${{ b }}", [(" a ", 3), (" b ", 11)]),
    ("${{ '}}' }}", [(" '}}' ", 3)]),
    ('${{ "}}" ~ \'\\\'}}\' }}', [(' "}}" ~ \'\\\'}}\' ', 3)]),
    ("${{ {'a': {'b': 1}} }}", [(" {'a': {'b': 1}} ", 3)]),
    ("${{ {'a': {'b': 1}}}}", [(" {'a': {'b': 1}}", 3)]),
    ("${{ {'a': {}}}}!", [(" {'a': {}}", 3), "!"]),
    ("${{ [{}] }}", [(" [{}] ", 3)]),
    ("${{ '{' }} }}", [(" '{' ", 3), " }}"]),
    ("$${{ a }}", ["${{ a }}"]),
    ("a $${{ b }} ${{ c }}", ["a ${{ b }} ", (" c ", 15)]),
    ("$$${{ a }}", ["$${{ a }}"]),
    ("$${ a }", ["${ a }"]),
    ("$ {a} $a", ["$ {a} $a"]),
    ("half {{ open", ["half {{ open"]),
    ("half ${ open", ["half ${ open"]),
    ("{\"a\": {\"b\": 1}}", ["{\"a\": {\"b\": 1}}"]),
    ("${{ a\n  + b }}", [(" a\n  + b ", 3)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), SCANS)
def test_scan(text: str, parts: list[Any]) -> None:
    expected = [Literal(part) if isinstance(part, str) else Hole(*part) for part in parts]
    found = scan(text)
    assert [part for part in found if part != Literal("")] == [
        part for part in expected if part != Literal("")
    ]
    for part in found:
        if isinstance(part, Hole):
            assert text[part.offset :].startswith(part.source)


@pytest.mark.parametrize(
    ("text", "code", "offset", "mend"),
    [
        ("a {{ x }}", "E221", 2, "`${{ x }}`"),
        ("a ${ input.x }", "E221", 2, "`${{ input.x }}`"),
        ("${{ a }} {{ b }}", "E221", 9, "`${{ b }}`"),
        ("a ${{ b", "E222", 2, "`}}`"),
        ("${{ {'a': 1 }}", "E222", 0, "`}}`"),
        ("x ${{ it's }} y", "E222", 2, "close its quotes"),
    ],
)
def test_scan_refuses(text: str, code: str, offset: int, mend: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        scan(text)
    error = caught.value
    assert (error.diagnostic, error.offset, error.source) == (code, offset, text)
    assert mend in (error.mend or "")


ROOTS: dict[str, Any] = {
    "a": 1,
    "b": True,
    "f": 2.0,
    "s": "42",
    "l": [1],
    "m": {"k": None},
    "n": None,
}

VALUES = [
    ("${{ s }}", "42"),
    ("${{ a }}", 1),
    ("${{ b }}", True),
    ("${{ n }}", None),
    ("${{ l }}", [1]),
    ("${{ m }}", {"k": None}),
    ("${{ '1e5' }}", "1e5"),
    ("<${{ s }}>", "<42>"),
    (" ${{ a }}", " 1"),
    ("${{ a }}\n", "1\n"),
    ("${{ a }}${{ a }}", "11"),
    ("${{ b }}/${{ f }}/${{ not b }}", "true/2.0/false"),
    ("${{ l | tojson }}!", "[1]!"),
    ("$${{ a }} ${{ a }}", "${{ a }} 1"),
    ("$${{ a }}", "${{ a }}"),
    ({"x": "${{ a }}", "y": [1, "${{ l }}"]}, {"x": 1, "y": [1, [1]]}),
    ([{"z": "-${{ s }}"}, "${{ a }}"], [{"z": "-42"}, 1]),
    ({"lit": 1, "x": "${{ a }}", "last": None}, {"lit": 1, "x": 1, "last": None}),
    ([1, "two", None, True, 1.5], [1, "two", None, True, 1.5]),
    ({}, {}),
    (None, None),
]  # fmt: skip


@pytest.mark.parametrize(("source", "value"), VALUES)
def test_value(source: Any, value: Any, scope_of: Scope) -> None:
    compiled = compile_value(source)
    result = compiled.evaluate(scope_of(**ROOTS))
    assert result == value
    assert type(result) is type(value)
    if isinstance(value, dict):
        assert list(result) == list(value), "keys keep their order"
    assert compiled.constant == (not compiled.expressions)


def test_constants_are_the_same_object(scope_of: Scope) -> None:
    source = {"a": [1, {"b": "text"}], "c": "${{ x }}"}
    compiled = compile_value(source)
    assert compiled.evaluate(scope_of(x=1))["a"] is source["a"]
    constant = compile_value(source["a"])
    assert constant.constant
    assert constant.evaluate(scope_of()) is source["a"]


def test_expressions_have_their_place_in_the_data() -> None:
    compiled = compile_value({"a": ["x", "to ${{ b }} and ${{ c.d }}"], "e": "${{ f }}"})
    assert [(path, offset, each.source) for path, offset, each in compiled.expressions] == [
        (("a", 1), 6, " b "),
        (("a", 1), 19, " c.d "),
        (("e",), 3, " f "),
    ]


@pytest.mark.parametrize("name", ["l", "m", "n"])
def test_only_scalars_stand_in_text(name: str, scope_of: Scope) -> None:
    with pytest.raises(ExpressionError, match="cannot stand in text") as caught:
        compile_value(f"x ${{{{ {name} }}}}").evaluate(scope_of(**ROOTS))
    assert caught.value.diagnostic == "E232"
    assert "|" in (caught.value.mend or "")


@pytest.mark.parametrize("source", ["[1]", "a | list", "{}", "none", "a | map('upper')"])
def test_what_provably_is_no_scalar_is_refused_when_compiling(source: str) -> None:
    assert compile_value(f"${{{{ {source} }}}}")
    with pytest.raises(ExpressionError) as caught:
        compile_value(f"text ${{{{ {source} }}}}")
    assert caught.value.diagnostic == "E232"


def test_all_errors_are_found_in_one_pass() -> None:
    source = {"a": "${{ x y }}", "b": ["{{ x }}", "ok ${{ z }}"], "c": "${{ w | foo }} ${{ + }}"}
    found = list(find_expressions(source))
    assert [(each.path, each.offset, each.error and each.error.diagnostic) for each in found] == [
        (("a",), 3, "E222"),
        (("b", 0), 0, "E221"),
        (("b", 1), 6, None),
        (("c",), 3, "E222"),
        (("c",), 18, "E222"),
    ]
    assert [each.whole for each in found] == [True, False, False, False, False]
    with pytest.raises(ExpressionError, match="cannot follow"):
        compile_value(source)


def test_text_has_at_most_a_mebibyte(scope_of: Scope) -> None:
    scope = scope_of(s="a" * (1 << 19))
    assert len(compile_value("${{ s }}${{ s }}").evaluate(scope)) == 1 << 20
    with pytest.raises(ExpressionError, match="over the limit"):
        compile_value("${{ s }}${{ s }}!").evaluate(scope)


@pytest.mark.parametrize(
    "text",
    [
        "{{" * 500_000,
        "${" * 500_000,
        "{{ " * 300_000 + "}}",
        "${{ " + "'" * 999_999,
        "${{ " + "\\'" * 500_000,
        "${{ '" + "\\'" * 500_000 + "}}",
        "${{ " + "{" * 1_000_000 + "}}",
        "${{ a }}" * 10_001,
        "$${" * 300_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_hostile_text_takes_little_time(text: str) -> None:
    took = []
    for _ in range(3):
        begun = time.process_time()
        with contextlib.suppress(ExpressionError):
            scan(text)
        took.append(time.process_time() - begun)
    assert min(took) < 0.1
