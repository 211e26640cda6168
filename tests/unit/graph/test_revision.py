"""What changes a revision, and what does not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph.revision import canonical, load_graph, revision
from tests.unit.graph.compiling import graph_of

BASE = """\
dsl: 1
name: order
version: 1.0.0
input_schema: { type: object, properties: { n: { type: integer }, m: {} } }
vars: { total: 0, seen: [] }
steps:
  - id: charge
    activity: payments.charge
    with:
      cents: ${{ input.n }}
      note: for ${{ input.m }}
    timeout: 1m
    retry: { max_attempts: 5, delay: 2s }
  - parallel:
      one: [ { log: one } ]
      two: [ { log: two } ]
output: ${{ steps.charge.output }}
"""

SAME = {
    "comments": BASE.replace("  - id: charge", "  # take the money\n  - id: charge # here"),
    "key order of a step": BASE.replace(
        "    timeout: 1m\n    retry: { max_attempts: 5, delay: 2s }\n",
        "    retry: { delay: 2s, max_attempts: 5 }\n    timeout: 1m\n",
    ),
    "key order of arguments": BASE.replace(
        "      cents: ${{ input.n }}\n      note: for ${{ input.m }}\n",
        "      note: for ${{ input.m }}\n      cents: ${{ input.n }}\n",
    ),
    "key order of variables": BASE.replace("total: 0, seen: []", "seen: [], total: 0"),
    "key order at the top": BASE.replace("output: ${{ steps.charge.output }}\n", "").replace(
        "steps:\n", "output: ${{ steps.charge.output }}\nsteps:\n", 1
    ),
    "newline style": BASE.replace("\n", "\r\n"),
    "block or flow style": BASE.replace(
        "vars: { total: 0, seen: [] }", "vars:\n  total: 0\n  seen: []"
    ),
    "quotes": BASE.replace("${{ input.n }}", '"${{ input.n }}"'),
    "edges of an expression": BASE.replace("${{ input.n }}", "${{input.n   }}"),
    "title, description, tags, owner": BASE + "title: A\ndescription: B\ntags: [c]\nowner: d\n",
    "description of a step": BASE.replace("    timeout", "    description: why\n    timeout"),
    "another version": BASE.replace("1.0.0", "1.0.1"),
    "the same duration": BASE.replace("1m", "60s"),
    "a default written out": BASE.replace(
        "delay: 2s", "delay: 2s, factor: 2, backoff: exponential"
    ),
    "the queue written out": BASE.replace("timeout: 1m", "timeout: 1m\n    queue: default"),
    "a named policy": BASE.replace("retry: { max_attempts: 5, delay: 2s }", "retry: slow").replace(
        "steps:\n", "retries: { slow: { max_attempts: 5, delay: 2s } }\nsteps:\n", 1
    ),
    "an anchor": BASE.replace("[ { log: one } ]", "&same [ { log: one } ]"),
    "a name for what is generated": BASE.replace("- parallel:", "- id: parallel\n    parallel:"),
}

OTHER = {
    "a step's id": BASE.replace("charge\n", "pay\n").replace("steps.charge", "steps.pay"),
    "the name": BASE.replace("name: order", "name: other"),
    "an argument": BASE.replace("cents:", "pennies:"),
    "an expression": BASE.replace("input.n }}", "input.n + 1 }}"),
    "spaces inside an expression's text": BASE.replace("for $", "for  $"),
    "a timeout": BASE.replace("1m", "2m"),
    "a retry": BASE.replace("max_attempts: 5", "max_attempts: 6"),
    "the order of branches": BASE.replace(
        "      one: [ { log: one } ]\n      two: [ { log: two } ]\n",
        "      two: [ { log: two } ]\n      one: [ { log: one } ]\n",
    ),
    "a variable": BASE.replace("total: 0", "total: 1"),
    "the type of a number": BASE.replace("total: 0", "total: 0.0"),
    "a number or a text": BASE.replace("total: 0", "total: '0'"),
    "the schema": BASE.replace("type: integer", "type: number"),
    "a default of the schema": BASE.replace("type: integer", "type: integer, default: 3"),
    "no output": BASE.replace("output: ${{ steps.charge.output }}\n", ""),
    "null as output": BASE.replace("output: ${{ steps.charge.output }}", "output: null"),
    "the time limit": BASE + "timeout: 1h\n",
    "a signal": BASE + "signals: { go: {} }\n",
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_the_same_revision(text: str) -> None:
    assert text != BASE
    assert revision(graph_of(text)) == revision(graph_of(BASE))


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_another_revision(text: str) -> None:
    assert revision(graph_of(text)) != revision(graph_of(BASE))


def test_all_the_others_differ_among_themselves() -> None:
    assert len({revision(graph_of(text)) for text in OTHER.values()}) == len(OTHER)


def test_a_revision_never_changes() -> None:
    """Deployed revisions are compared with freshly compiled ones, for ever."""
    graph = graph_of("dsl: 1\nname: a\nversion: 1.0.0\nsteps: [ { log: hi, level: debug } ]\n")
    assert canonical(graph) == (
        b'{"dsl":1,"name":"a","steps":[{"id":"log","kind":"log","level":"debug","text":"hi"}]}'
    )
    assert revision(graph) == ("350697d5f1fff870925a2af729aac34a75824479d951b7fddaf0db56ee285fb2")


def test_bytes_and_graph_are_one_thing_down_to_the_order_of_keys() -> None:
    graph = graph_of(BASE)
    again = load_graph(canonical(graph))
    assert again == graph
    assert list(graph.vars) == list(again.vars) == sorted(graph.vars)


def test_a_compiled_graph_is_in_the_order_of_its_bytes() -> None:
    """Two files of one revision must behave alike, `vars.m | keys` included."""
    one = graph_of(
        "dsl: 1\nname: a\nversion: 1.0.0\nvars: { m: { b: 1, a: 2 } }\nsteps: [ { log: x } ]\n"
    )
    assert json.dumps(one.vars) == '{"m": {"a": 2, "b": 1}}'


def test_integers_of_any_size_survive() -> None:
    text = f"dsl: 1\nname: a\nversion: 1.0.0\nsteps: [ {{ return: {10**40} }} ]\n"
    graph = graph_of(text)
    assert load_graph(canonical(graph)).steps[0].value == 10**40


# Without braces in texts there are neither expressions nor their look-alikes.
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab $:#'\"\n-", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def revision_of(value: str, note: str = "") -> str:
    return revision(
        graph_of(f"{note}dsl: 1\nname: a\nversion: 1.0.0\nsteps:\n  - return: {value}\n")
    )


@settings(max_examples=60, deadline=None)
@given(value=json_values)
def test_formatting_never_changes_a_revision(value: object) -> None:
    plain = json.dumps(value)
    spread = json.dumps(turned(value), separators=(" , ", " : "), ensure_ascii=False)
    assert revision_of(plain) == revision_of(f"{spread} # end", note="# begin\n\n")


@settings(max_examples=60, deadline=None)
@given(one=json_values, other=json_values)
def test_revisions_are_equal_only_for_equal_values(one: object, other: object) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (revision_of(json.dumps(one)) == revision_of(json.dumps(other))) == same


def turned(value: object) -> object:
    """The same value with its keys in another order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value
