"""The rules of expressions, one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from engine.errors import ExpressionError
from engine.expr import (
    FILTER_NAMES,
    FUNCTION_NAMES,
    TEST_NAMES,
    compile_condition,
    compile_expression,
)

Scope = Callable[..., Any]

DATA: dict[str, Any] = {
    "input": {
        "name": "ada",
        "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
        "keys": "a key of data",
        "nothing": None,
        "count": 3,
        "price": 1.5,
        "yes": True,
        "empty": [],
    },
    "vars": {"level": 1},
    "steps": {"probe": {"output": {"ok": True}, "status": "succeeded"}},
}

VALUES = [
    # paths
    ("input.name", "ada"),
    ("input['name']", "ada"),
    ("input.items", DATA["input"]["items"]),
    ("input.keys", "a key of data"),
    ("input.items[0].sku", "a"),
    ("input.items[-1].sku", "b"),
    ("input.items.0.n", 1),
    ("input.items[vars.level].sku", "b"),
    ("input.name[0]", "a"),
    ("input.name[1:]", "da"),
    ("input.items[:1] | length", 1),
    ("input.nothing", None),
    # undefined is chainable
    ("input.nothing.deeper | default('x')", "x"),
    ("input.a.b.c.d | default(none)", None),
    ("input.name.length | default('x')", "x"),
    ("input.count.real is defined", False),
    ("nowhere.at.all is undefined", True),
    ("input.nothing | default('x')", None),
    ("input.nothing | default('x', true)", "x"),
    ("input.items[9] | default({}) ", {}),
    ("input.a | default(input.b) | default('c')", "c"),
    # literals keep their types
    ("'42'", "42"),
    ("'1e5'", "1e5"),
    ("'none'", "none"),
    ("none", None),
    ("1_000", 1000),
    ("0x10", 16),
    ("1.0", 1.0),
    ("1e2", 100.0),
    ("true and True", True),
    ("'a' 'b'", "ab"),
    (r"'it\'s\u0020\n'", "it's \n"),
    ("[1, 'a', none]", [1, "a", None]),
    ("(1, 2)", [1, 2]),
    ("{'a': {'b': []}}", {"a": {"b": []}}),
    # operators
    ("7 // 2", 3),
    ("-7 // 2", -4),
    ("7 / 2", 3.5),
    ("7 % 3", 1),
    ("2 ** 10", 1024),
    ("2 ** -1", 0.5),
    ("0 ** 0", 1),
    ("(-1) ** 1000001", -1),
    ("'-' * 80", "-" * 80),
    ("3 * 'ab'", "ababab"),
    ("'a' * -1", ""),
    ("[0] * 3", [0, 0, 0]),
    ("[1] + [2]", [1, 2]),
    ("'a' + 'b'", "ab"),
    ("'a' ~ 1 ~ true ~ 1.0", "a1true1.0"),
    ("1 == 1.0", True),
    ("input.yes == 1", False),
    ("[true] == [1]", False),
    ("{'a': 1} == {'a': 1.0}", True),
    ("1 in [true]", False),
    ("true in [1, true]", True),
    ("none in [none]", True),
    ("'a' in {'a': 1}", True),
    ("'b' not in 'abc'", False),
    ("[1] in [[1], [2]]", True),
    ("1 < 2 < 3", True),
    ("1 < 2 > 5", False),
    ("3 < 2 < nowhere", False),
    ("'a' < 'b'", True),
    ("not input.empty", True),
    ("input.empty or 'other'", "other"),
    ("input.name and input.count", 3),
    ("'a' if input.yes else 'b'", "a"),
    ("nowhere if false else 1", 1),
    ("1 if false else 2 if false else 3", 3),
    # functions
    ("now()", "2026-03-01T09:30:00.000000Z"),
    ("uuid()", "00000000-0000-4000-8000-000000000001"),
    ("random()", 0.5),
    ("0 < random() < 1", True),
    ("[uuid(), uuid()] | unique | length", 2),
    ("range(3)", [0, 1, 2]),
    ("range(1, 8, 3)", [1, 4, 7]),
    ("range(3, 0, -1)", [3, 2, 1]),
    ("range(0)", []),
    ("range(10000) | length", 10000),
    ("seconds_between('2026-03-01T09:00:00Z', now())", 1800.0),
    ("seconds_between('2026-03-01T10:00:00+01:00', '2026-03-01T09:00:00.5Z')", 0.5),
]


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "generated"])
@pytest.mark.parametrize(("source", "value"), VALUES)
def test_value(source: str, value: Any, fast: bool, scope_of: Scope) -> None:
    result = compile_expression(source, fast=fast).evaluate(scope_of(**DATA))
    assert result == value
    assert type(result) is type(value)


FAILURES = [
    # source, the text it points at, what the message says
    ("input.x", "input.x", "`input.x` is undefined"),
    ("nowhere", "nowhere", "`nowhere` is undefined"),
    ("input.x.y ~ 'a'", "input.x.y", "`input.x.y` is undefined"),
    ("1 + input.x", "input.x", "`input.x` is undefined"),
    ("input.x == 1", "input.x", "`input.x` is undefined"),
    ("not input.x", "input.x", "`input.x` is undefined"),
    ("1 if input.x else 2", "input.x", "`input.x` is undefined"),
    ("[1, input.x]", "input.x", "`input.x` is undefined"),
    ("{'a': input.x}", "input.x", "`input.x` is undefined"),
    ("input.x is none", "input.x", "`input.x` is undefined"),
    ("input.x | length", "input.x", "`input.x` is undefined"),
    ("input.items[input.x]", "input.x", "`input.x` is undefined"),
    ("input.x | default(input.y)", "input.y", "`input.y` is undefined"),
    ("input.items[5].sku", "input.items[5].sku", "is undefined"),
    ("input.empty | first", "first", "`… | first` is undefined"),
    ("input.name < 1", "input.name < 1", "does not compare a string with a number"),
    ("input.yes < 2", "input.yes < 2", "does not compare"),
    ("input.items < input.items", "input.items < input.items", "a list with a list"),
    ("input.nothing > 1", "input.nothing > 1", "does not compare null with a number"),
    ("input.name + 1", "input.name + 1", "`+` does not take a string and a number"),
    ("input.yes + 1", "input.yes + 1", "a boolean and a number"),
    ("1 / (input.count - 3)", "1 / (input.count - 3", "division by zero"),
    ("-input.name", "-input.name", "`-` does not take a string"),
    ("input.items ~ 'a'", "input.items ~ 'a'", "a list cannot stand in text"),
    ("input.nothing ~ 'a'", "input.nothing ~ 'a'", "null cannot stand in text"),
    ("{input.name: 1, input.count: 2}", None, "a mapping key must be a string"),
    ("input.name[1:'a']", "input.name[1:'a']", "a slice bound must be an integer"),
    ("input.name[::0]", "input.name[::0]", "the step of a slice cannot be 0"),
    ("input.count[1:]", "input.count[1:]", "a number cannot be sliced"),
    ("1 in input.count", "1 in input.count", "`in` does not look for a number in a number"),
    ("1 in input", "1 in input", "`in` does not look for a number in a mapping"),
    ("1 in 'a1'", "1 in 'a1'", "`in` does not look for"),
    ("range(1.5)", "range(1.5)", "`range` takes integers"),
    ("range(0, 1, 0)", "range(0, 1, 0)", "the step of `range` cannot be 0"),
    ("seconds_between(1, now())", "seconds_between(1, now())", "a time is RFC 3339 text"),
    ("seconds_between('soon', now())", None, "`soon` is not a time"),
]


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "generated"])
@pytest.mark.parametrize(("source", "place", "message"), FAILURES)
def test_failure(source: str, place: str | None, message: str, fast: bool, scope_of: Scope) -> None:
    expression = compile_expression(source, fast=fast)
    with pytest.raises(ExpressionError) as caught:
        expression.evaluate(scope_of(**DATA))
    error = caught.value
    assert message in error.message
    assert error.source == source
    assert error.error_type == "sys.expression"
    if place is not None:
        shown = source[error.offset : error.offset + error.length]
        assert shown.startswith(place)


REFUSALS = [
    # source, code, the text it points at, part of the message, part of the mend
    ("", "E222", "", "empty", "input.x"),
    ("  ", "E222", " ", "empty", "input.x"),
    ("a && b", "E222", "&&", "written `and`", "and"),
    ("a || b", "E222", "||", "written `or`", "or"),
    ("!a", "E222", "!", "written `not`", "not"),
    ("a === b", "E222", "===", "written `==`", "=="),
    ("a !== b", "E222", "!==", "written `!=`", "!="),
    ("a ? 1 : 2", "E222", "?", "written `a if c else b`", "if"),
    ("a |", "E222", "|", "ends after `|`", None),
    ("a +", "E222", "+", "ends after `+`", None),
    ("a b", "E222", "b", "`b` cannot follow `a`", None),
    ("(a", "E222", "(", "not closed", "`)`"),
    ("a]", "E222", "]", "closes nothing", None),
    ("[a)", "E222", ")", "`]` was expected", None),
    ("'a", "E222", "'", "quote is not closed", "'"),
    (r"'\d'", "E222", r"\d", "is not an escape", r"\\d"),
    ("a # b", "E222", "#", "no meaning", None),
    ("a; b", "E222", ";", "no meaning", None),
    ("é", "E222", "é", "no meaning", None),
    ("x if y", "E230", "x if y", "without `else`", "else none"),
    ("a | lenght", "E222", "lenght", "no filter `lenght`", "`length`"),
    ("a | wordcount", "E222", "wordcount", "no filter `wordcount`", None),
    ("a | defined", "E222", "defined", "no filter", "is a test"),
    ("a is lenght", "E222", "lenght", "no test", None),
    ("a | count", "E222", "count", "no filter `count`", "`length`"),
    ("a | random", "E222", "random", "no filter `random`", "`random()` is a function"),
    ("a is list", "E222", "list", "no test `list`", "`sequence`"),
    ("a is null", "E222", "null", "no test `null`", "`none`"),
    ("a is nnoe", "E222", "nnoe", "no test", "`none`"),
    ("a is True", "E222", "True", "no test `True`", "== true"),
    ("a is length", "E222", "length", "no test", "is a filter"),
    ("nwo()", "E222", "nwo()", "no function `nwo`", "`now()`"),
    ("lipsum()", "E222", "lipsum()", "no function", "`now()`"),
    ("upper('a')", "E222", "upper('a')", "no function", "is a filter"),
    ("a | map('uper')", "E222", "'uper'", "no filter `uper`", "`upper`"),
    ("a | select('nnoe')", "E222", "'nnoe'", "no test `nnoe`", "`none`"),
    ("a | rejectattr('x', 'nnoe')", "E222", "'nnoe'", "no test `nnoe`", "`none`"),
    ("a | map(b)", "E222", "b", "a literal string", None),
    ("a | map('map', 'uper')", "E222", "'uper'", "no filter `uper`", "`upper`"),
    ("a | map('replace', 'x')", "E222", "'replace'", "does not take these", "replace(old, new"),
    ("a | map(attribute='x', class=1)", "E222", "map", "takes no `class`", None),
    ("a | map('upper', class=1)", "E222", "'upper'", "does not take these", None),
    ("a | replace('x')", "E222", "replace", "does not take these", "replace(old, new, count=none)"),
    ("a | truncate(killword=true)", "E222", "truncate", "does not take", "killwords=false"),
    ("a | pick(*b)", "E223", "pick", "`*` arguments", None),
    ("a | pick(**b)", "E223", "pick", "`**` arguments", None),
    ("now(1)", "E222", "now(1)", "does not take these", "`now()`"),
    ("a.upper()", "E223", "a.upper()", "`.upper()` is a method call", "| upper"),
    ("a.items()", "E223", "a.items()", "method call", "| items"),
    ("a.get('b', 1)", "E223", "a.get('b', 1)", "method call", "| default"),
    ("a['b']()", "E223", "a['b']()", "only functions are called", None),
    ("a = 1", "E223", "=", "assigns nothing", "set:"),
    ("lambda: 1", "E223", "lambda", "not part of the language", None),
    ("a.__class__", "E223", "a.__class__", "not a key of data", None),
    ("'a' - 1", "E231", "'a' - 1", "`-` does not take a string", None),
    ("'a' + 1", "E231", "'a' + 1", "`+` does not take a string and a number", "`~`"),
    ("'%s' % a", "E231", "'%s' % a", "`%` does not take a string", "`~`"),
    ("now() == 1", "E231", "now() == 1", "never equal", None),
    ("(a | length) == '3'", "E231", "a | length) == ", "never equal", "`| int`"),
    ("[] < 1", "E231", "[] < 1", "does not compare", None),
    ("{1: 2}", "E222", "1", "key must be a string", None),
    ("a" * 5000, "E222", "a", "5000 characters", None),
    ("9" * 90, "E222", "9" * 90, "256 bits", None),
    (str(2**256), "E222", str(2**256), "256 bits", None),
    ("1e999", "E222", "1e999", "not a finite number", None),
]


@pytest.mark.parametrize(("source", "code", "place", "message", "mend"), REFUSALS)
def test_refusal(source: str, code: str, place: str, message: str, mend: str | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    error = caught.value
    assert error.diagnostic == code
    assert message in error.message
    assert error.source[error.offset : error.offset + error.length].startswith(place)
    assert mend is None or mend in (error.mend or "")


def test_near_names_are_offered_in_order() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression("a | lenght")
    assert caught.value.suggestions == ("length",)
    with pytest.raises(ExpressionError) as caught:
        compile_expression("a | rejct")
    assert caught.value.suggestions[0] == "reject"


def test_the_names_are_those_of_the_language_page() -> None:
    filters = """default, length, first, last, join, split, replace, lower, upper, title, trim,
    truncate, int, float, string, bool, round, abs, min, max, sum, sort, reverse, unique, list,
    items, keys, values, map, select, reject, selectattr, rejectattr, groupby, batch, flatten, zip,
    pick, omit, merge, index_by, tojson, fromjson, date, duration, urlencode, b64encode, b64decode,
    sha256"""
    tests = """defined, undefined, none, boolean, number, string, mapping, sequence, even, odd, in,
    eq, ne, lt, le, gt, ge, startswith, endswith, match"""
    assert list(FILTER_NAMES) == [name.strip() for name in filters.split(",")]
    assert list(TEST_NAMES) == [name.strip() for name in tests.split(",")]
    assert FUNCTION_NAMES == ("now", "uuid", "random", "seconds_between", "range")


class View(Mapping[str, Any]):
    """A mapping that is no dict, as the interpreter's scope has."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "generated"])
@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("steps.probe.output.ok", True),
        ("steps.probe", {"output": {"ok": True}}),
        ("steps", {"probe": {"output": {"ok": True}}}),
        ("[steps.probe]", [{"output": {"ok": True}}]),
        ("steps is mapping", True),
        ("steps | length", 1),
        ("steps == {'probe': {'output': {'ok': true}}}", True),
        ("'probe' in steps", True),
        ("steps.other.output | default(none)", None),
        ("steps.probe | pick('output') | tojson", '{"output": {"ok": true}}'),
        ("steps and 1", 1),
        ("steps.probe | default(1)", {"output": {"ok": True}}),
    ],
)
def test_a_view_is_a_mapping_and_becomes_a_dict(
    source: str, value: Any, fast: bool, scope_of: Scope
) -> None:
    scope = scope_of(steps=View({"probe": MappingProxyType({"output": View({"ok": True})})}))
    result = compile_expression(source, fast=fast).evaluate(scope)
    assert result == value
    assert type(result) is type(value)


def test_a_path_yields_the_recorded_object_itself(scope_of: Scope) -> None:
    scope = scope_of(input={"items": [{"a": 1}]})
    assert compile_expression("input.items").evaluate(scope) is scope["input"]["items"]


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "generated"])
@pytest.mark.parametrize("source", ["vars", "[vars][0]", "vars if true else 1", "vars or 1"])
def test_a_result_does_not_change_with_its_root(source: str, fast: bool, scope_of: Scope) -> None:
    scope = scope_of(vars={"n": 1})
    result = compile_expression(source, fast=fast).evaluate(scope)
    scope["vars"]["n"] = 2
    assert result == {"n": 1}


@pytest.mark.parametrize(
    "value", [object(), float("nan"), float("inf"), {1: 2}, {"a"}, b"x", lambda: 1, 2**300]
)
def test_what_is_not_json_is_no_result(value: Any, scope_of: Scope) -> None:
    with pytest.raises(ExpressionError):
        compile_expression("[input.x]").evaluate(scope_of(input={"x": value}))


def test_a_result_has_at_most_a_mebibyte(scope_of: Scope) -> None:
    scope = scope_of(input={"x": "a" * (1 << 19)})
    assert len(compile_expression("input.x ~ 'b'").evaluate(scope)) == (1 << 19) + 1
    for source in ("input.x ~ input.x ~ 'b'", "[input.x, input.x]", "{'a': input.x * 2}"):
        with pytest.raises(ExpressionError, match="over the limit"):
            compile_expression(source).evaluate(scope)


def test_integers_have_at_most_256_bits(scope_of: Scope) -> None:
    largest = 2**256 - 1
    scope = scope_of(input={"x": largest})
    assert compile_expression("input.x - 1 + 1").evaluate(scope) == largest
    for source in ("input.x + 1", "-input.x - 2", "input.x * 2", "input.x ** 2", "2 ** 256"):
        with pytest.raises(ExpressionError, match="256"):
            compile_expression(source).evaluate(scope)


def test_errors_of_a_view_do_not_leak(scope_of: Scope) -> None:
    class Broken(View):
        def __getitem__(self, key: str) -> Any:
            raise RuntimeError("secret internals")

    with pytest.raises(ExpressionError) as caught:
        compile_expression("steps.a").evaluate(scope_of(steps=Broken({})))
    assert "internals" not in str(caught.value)


REFERENCES = [
    ("steps.conn.output.ip_dsn", [(("steps", "conn", "output", "ip_dsn"), False)]),
    ("input['a'].b[0][-1]", [(("input", "a", "b", 0, -1), False)]),
    ("input.a[vars.n].b", [(("input", "a"), False), (("vars", "n"), False)]),
    ("input.a[1:vars.n]", [(("input", "a"), False), (("vars", "n"), False)]),
    ("a.b | default(c.d)", [(("a", "b"), True), (("c", "d"), False)]),
    ("a | default(b) | default(1)", [(("a",), True), (("b",), True)]),
    ("a.b is defined and a.b == 1", [(("a", "b"), True), (("a", "b"), False)]),
    ("a.b is undefined", [(("a", "b"), True)]),
    ("a.b is not defined", [(("a", "b"), True)]),
    ("a.b is none", [(("a", "b"), False)]),
    ("(a if b else c) | default(1)", [(("a",), True), (("b",), False), (("c",), True)]),
    ("(a or b) | default(1)", [(("a",), False), (("b",), True)]),
    ("a | first | default(1)", [(("a",), False)]),
    ("a[b].c | default(1)", [(("a",), True), (("b",), False)]),
    ("{'k': a, 'l': [b, (c, d)]}", [((name,), False) for name in "abcd"]),
    ("range(a) | map('replace', b, c)", [((name,), False) for name in "abc"]),
    ("now()", []),
]


@pytest.mark.parametrize(("source", "references"), REFERENCES)
def test_references(source: str, references: list[tuple[tuple[Any, ...], bool]]) -> None:
    found = compile_expression(source).references
    assert [(reference.path, reference.guarded) for reference in found] == references
    for reference in found:
        shown = source[reference.offset : reference.offset + reference.length]
        assert re.match(re.escape(str(reference.path[0])), shown)
        assert len(re.findall(r"\w+", shown)) == len(reference.path)
        root = source[reference.offset : reference.offset + reference.root_length]
        assert root == reference.path[0]


def test_calls_have_their_place() -> None:
    source = "seconds_between(a, now()) < 3"
    calls = compile_expression(source).calls
    assert [source[call.offset : call.offset + call.length] for call in calls] == [
        "seconds_between(a, now())",
        "now()",
    ]
    assert [call.name for call in calls] == ["seconds_between", "now"]


TYPES = [
    ("1", "number"), ("'a'", "string"), ("none", "null"), ("true", "boolean"), ("[a]", "list"),
    ("{}", "mapping"), ("a == b", "boolean"), ("not a", "boolean"), ("a is none", "boolean"),
    ("a and b", None), ("a < 1 and b > 2", "boolean"), ("a - b", "number"), ("a + 1", "number"),
    ("a + 'x'", "string"), ("a + b", None), ("a * b", None), ("2 * 3", "number"), ("a ~ b",
    "string"), ("a | length", "number"), ("a | first", None), ("a | default('x')", None),
    ("a | tojson", "string"), ("a | map('upper')", "list"), ("now()", "string"), ("-a", "number"),
    ("1 if a else 2", "number"), ("1 if a else 'b'", None), ("a.b", None), ("[1][0]", None),
    ("range(a)", "list"), ("a | pick('b')", "mapping"), ("(a < 1) | default(true)", "boolean"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "kind"), TYPES)
def test_static_type(source: str, kind: str | None) -> None:
    assert compile_expression(source).static_type == kind


def test_types_follow_from_what_paths_hold() -> None:
    kinds = {("input", "n"): "number", ("input", "s"): "string"}.get
    kind, errors = compile_expression("input.n == '3'").check_types(kinds)
    assert kind == "boolean"
    assert [(error.diagnostic, error.offset, error.mend) for error in errors] == [
        ("E231", 0, "`| int`")
    ]
    assert compile_expression("input.n").check_types(kinds) == ("number", ())
    assert compile_expression("input.n == none").check_types(kinds) == ("boolean", ())
    _, errors = compile_expression("input.s - 1 if input.n > 1 else 0").check_types(kinds)
    assert [error.diagnostic for error in errors] == ["E231"]


@pytest.mark.parametrize(
    ("source", "constant"),
    [
        ("1 + 1", True),
        ("false", True),
        ("range(3) | sum", True),
        ("a", False),
        ("now()", False),
        ("[uuid()]", False),
        ("1 if a else 2", False),
    ],
)
def test_constant(source: str, constant: bool) -> None:
    assert compile_expression(source).constant is constant


CONDITIONS = [("input.yes", True), ("input.count > 3", False), ("not input.items", False)]


@pytest.mark.parametrize(("source", "value"), CONDITIONS)
def test_condition(source: str, value: bool, scope_of: Scope) -> None:
    assert compile_condition(source).evaluate(scope_of(**DATA)) is value


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("input.name", "string"),
        ("input.items", "list"),
        ("input.nothing", "null"),
        ("input.count", "number"),
        ("steps", "mapping"),
    ],
)
def test_a_condition_is_a_boolean_when_it_runs(source: str, found: str, scope_of: Scope) -> None:
    with pytest.raises(ExpressionError, match=f"a {found}") as caught:
        compile_condition(source).evaluate(scope_of(**DATA))
    assert caught.value.diagnostic == "E220"


@pytest.mark.parametrize("source", ["'a'", "a | length", "[a]", "none", "a ~ b", "1 if a else 2"])
def test_a_condition_is_no_other_type_when_that_is_provable(source: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_condition(source)
    assert caught.value.diagnostic == "E220"


def test_the_sandbox_is_imported_by_this_package_alone() -> None:
    engine = Path(__file__).parents[3] / "engine"
    importers = {
        path.relative_to(engine).parts[0]
        for path in engine.rglob("*.py")
        if re.search(r"^\s*(from|import) jinja2", path.read_text("utf-8"), re.MULTILINE)
    }
    assert importers == {"expr"}
