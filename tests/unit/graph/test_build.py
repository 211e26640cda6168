"""What each step kind of the file becomes in the graph."""

# ruff: noqa: E501  (a file in one line is easier to compare with its neighbours)

from __future__ import annotations

import msgspec
import pytest

from engine.graph.outline import KINDS
from tests.unit.graph.compiling import graph_of_body

LOG = {"kind": "log", "id": "log", "text": "hi"}
SECOND = 1_000_000

# YAML of one step -> the step in the graph; fields at their defaults are left out.
STEPS = {
    "activity": (
        "{ activity: a.b }",
        {"kind": "activity", "id": "activity", "activity": "a.b"},
    ),
    "activity, all options": (
        """
        id: charge
        when: ${{input.ok}}
        activity: payments.charge
        with: { cents: "${{input.cents}}", note: "for ${{  input.name  }}", list: [1, 2.5, null] }
        retry: { max_attempts: 5, backoff: linear, delay: 2s, max_delay: 10s, jitter: 1, retry_on: [net.*] }
        timeout: 2m
        queue: gpu
        heartbeat: 1500ms
        continue_on_error: true
        output: ${{ result.id}}
        """,
        {
            "kind": "activity",
            "id": "charge",
            "when": "input.ok",
            "activity": "payments.charge",
            "args": {
                "cents": "${{ input.cents }}",
                "list": [1, 2.5, None],
                "note": "for ${{ input.name }}",
            },
            "retry": {
                "max_attempts": 5,
                "backoff": "linear",
                "delay": 2 * SECOND,
                "max_delay": 10 * SECOND,
                "jitter": 1.0,
                "retry_on": ["net.*"],
            },
            "timeout": 120 * SECOND,
            "queue": "gpu",
            "heartbeat": 1_500_000,
            "continue_on_error": True,
            "output": "${{ result.id }}",
        },
    ),
    "activity, arguments in one expression": (
        "{ activity: a.b, with: '${{ input }}' }",
        {"kind": "activity", "id": "activity", "activity": "a.b", "args": "${{ input }}"},
    ),
    "activity, an empty retry is the default one": (
        "{ activity: a.b, retry: {} }",
        {"kind": "activity", "id": "activity", "activity": "a.b", "retry": {}},
    ),
    "activity, undone": (
        "{ saga: [ { activity: a.b, compensate: [ { activity: a.c } ] } ] }",
        {
            "kind": "try",
            "id": "saga",
            "saga": True,
            "steps": [
                {
                    "kind": "activity",
                    "id": "activity",
                    "activity": "a.b",
                    "compensate": [{"kind": "activity", "id": "activity", "activity": "a.c"}],
                }
            ],
        },
    ),
    "workflow": (
        "{ workflow: 'etl/extract@^2.1', with: { a: 1 }, instance_id: 'e-${{ input.day }}' }",
        {
            "kind": "workflow",
            "id": "workflow",
            "workflow": "etl/extract",
            "range": "^2.1",
            "args": {"a": 1},
            "instance_id": "e-${{ input.day }}",
        },
    ),
    "workflow without a range": (
        "{ workflow: other }",
        {"kind": "workflow", "id": "workflow", "workflow": "other"},
    ),
    "start": (
        "{ start: 'other@1.x', instance_id: one }",
        {
            "kind": "start",
            "id": "start",
            "workflow": "other",
            "range": "1.x",
            "instance_id": "one",
        },
    ),
    "do": (
        "{ do: [ { log: hi } ], vars: { n: 1 }, timeout: 1s, retry: { max_attempts: 2 }, output: 3 }",
        {
            "kind": "do",
            "id": "do",
            "steps": [LOG],
            "vars": {"n": 1},
            "timeout": SECOND,
            "retry": {"max_attempts": 2},
            "output": 3,
        },
    ),
    "set": (
        "{ do: [ { set: { n: '${{ vars.n + 1}}' } } ], vars: { n: 1 } }",
        {
            "kind": "do",
            "id": "do",
            "steps": [{"kind": "set", "id": "set", "assignments": {"n": "${{ vars.n + 1 }}"}}],
            "vars": {"n": 1},
        },
    ),
    "if": (
        "{ if: '${{ input.a }}', then: [ { log: hi } ], else: [ { log: hi } ] }",
        {
            "kind": "if",
            "id": "if",
            "condition": "input.a",
            "then": [LOG],
            "otherwise": [{**LOG, "id": "log_2"}],
        },
    ),
    "switch": (
        "{ switch: [ { when: '${{ input.a }}', steps: [ { log: hi } ] }, { else: [ { log: hi } ] } ] }",
        {
            "kind": "switch",
            "id": "switch",
            "cases": [
                {"when": "input.a", "steps": [LOG]},
                {"steps": [{**LOG, "id": "log_2"}]},
            ],
        },
    ),
    "foreach": (
        "{ foreach: '${{ input.rows }}', steps: [ { log: hi } ] }",
        {"kind": "foreach", "id": "foreach", "items": "${{ input.rows }}", "steps": [LOG]},
    ),
    "foreach, all options": (
        """
        foreach: [1, 2]
        as: n
        steps: [ { log: hi } ]
        concurrency: 20
        batch: 50
        max_failures: 5%
        vars: { double: "${{ n * 2 }}" }
        output: ${{ n }}
        """,
        {
            "kind": "foreach",
            "id": "foreach",
            "items": [1, 2],
            "steps": [LOG],
            "name": "n",
            "concurrency": 20,
            "batch": 50,
            "max_failures_percent": 5.0,
            "vars": {"double": "${{ n * 2 }}"},
            "output": "${{ n }}",
        },
    ),
    "foreach, failures counted": (
        "{ foreach: [1], steps: [ { log: hi } ], max_failures: 2 }",
        {"kind": "foreach", "id": "foreach", "items": [1], "steps": [LOG], "max_failures": 2},
    ),
    "while": (
        "{ while: '${{ loop.index < 3 }}', max_iterations: 9, steps: [ { log: hi } ], vars: { n: 1 } }",
        {
            "kind": "loop",
            "id": "while",
            "mode": "while",
            "condition": "loop.index < 3",
            "steps": [LOG],
            "max_iterations": 9,
            "vars": {"n": 1},
        },
    ),
    "until": (
        "{ until: '${{ input.a }}', max_iterations: 60, every: 5s, steps: [ { log: hi } ] }",
        {
            "kind": "loop",
            "id": "until",
            "mode": "until",
            "condition": "input.a",
            "steps": [LOG],
            "max_iterations": 60,
            "every": 5 * SECOND,
        },
    ),
    "parallel keeps the order of its branches": (
        "{ parallel: { b: [ { log: hi } ], a: { steps: [ { log: hi } ], output: 1, vars: { n: 1 } } } }",
        {
            "kind": "parallel",
            "id": "parallel",
            "branches": [
                {"name": "b", "steps": [LOG]},
                {"name": "a", "steps": [{**LOG, "id": "log_2"}], "output": 1, "vars": {"n": 1}},
            ],
        },
    ),
    "parallel, all options": (
        "{ parallel: { a: [ { log: hi } ], b: [ { log: hi } ] }, join: 1, on_error: wait_all }",
        {
            "kind": "parallel",
            "id": "parallel",
            "branches": [
                {"name": "a", "steps": [LOG]},
                {"name": "b", "steps": [{**LOG, "id": "log_2"}]},
            ],
            "join": 1,
            "on_error": "wait_all",
        },
    ),
    "race": (
        "{ race: { a: [ { sleep: 1s } ], b: [ { log: hi } ] } }",
        {
            "kind": "race",
            "id": "race",
            "branches": [
                {"name": "a", "steps": [{"kind": "sleep", "id": "sleep", "duration": "1s"}]},
                {"name": "b", "steps": [LOG]},
            ],
        },
    ),
    "try": (
        """
        try: [ { log: hi } ]
        catch: [ { on: [net.*, sys.timeout], when: "${{ error.retryable }}", steps: [ { log: hi } ] } ]
        finally: [ { log: hi } ]
        timeout: 1m
        """,
        {
            "kind": "try",
            "id": "try",
            "steps": [LOG],
            "catch": [
                {
                    "on": ["net.*", "sys.timeout"],
                    "when": "error.retryable",
                    "steps": [{**LOG, "id": "log_2"}],
                }
            ],
            "finally_": [{**LOG, "id": "log_3"}],
            "timeout": 60 * SECOND,
        },
    ),
    "sleep": ("{ sleep: 90s }", {"kind": "sleep", "id": "sleep", "duration": "1m30s"}),
    "sleep for a computed time": (
        "{ sleep: '${{ input.pause }}' }",
        {"kind": "sleep", "id": "sleep", "duration": "${{ input.pause }}"},
    ),
    "sleep until": (
        "{ sleep: { until: '${{ input.due}}' } }",
        {"kind": "sleep", "id": "sleep", "until": "${{ input.due }}"},
    ),
    "wait": (
        "{ wait: go, where: '${{ event.ok }}', timeout: 120s, default: null }",
        {
            "kind": "wait",
            "id": "wait",
            "signal": "go",
            "where": "event.ok",
            "timeout": "2m",
            "default": None,
        },
    ),
    "signal": (
        "{ signal: go, to: '${{ input.other }}', with: { by: ann } }",
        {
            "kind": "signal",
            "id": "signal",
            "signal": "go",
            "to": "${{ input.other }}",
            "args": {"by": "ann"},
        },
    ),
    "raise": (
        "{ raise: { type: a.b, message: 'no ${{ input.x }}', details: { n: 1 }, retryable: true } }",
        {
            "kind": "raise",
            "id": "raise",
            "type": "a.b",
            "message": "no ${{ input.x }}",
            "details": {"n": 1},
            "retryable": True,
        },
    ),
    "raise again": (
        "{ try: [ { log: hi } ], catch: [ { steps: [ { raise: '${{ error }}' } ] } ] }",
        {
            "kind": "try",
            "id": "try",
            "steps": [LOG],
            "catch": [{"steps": [{"kind": "raise", "id": "raise", "error": "error"}]}],
        },
    ),
    "return": (
        "{ return: { ok: true } }",
        {"kind": "return", "id": "return", "value": {"ok": True}},
    ),
    "continue_as_new": (
        "{ continue_as_new: { n: 1 }, version: ^1 }",
        {"kind": "continue_as_new", "id": "continue_as_new", "input": {"n": 1}, "version": "^1"},
    ),
    "log": (
        "{ log: 'n is ${{ input.n }}', level: warning, fields: { n: '${{ input.n }}' } }",
        {
            "kind": "log",
            "id": "log",
            "text": "n is ${{ input.n }}",
            "level": "warning",
            "fields": {"n": "${{ input.n }}"},
        },
    ),
    "status": (
        "{ status: { phase: waiting } }",
        {"kind": "status", "id": "status", "value": {"phase": "waiting"}},
    ),
}


def indented(step: str) -> str:
    lines = [line.strip() for line in step.strip().splitlines()]
    return "\n    ".join(lines)


@pytest.mark.parametrize(("step", "expected"), STEPS.values(), ids=STEPS)
def test_a_step_in_the_graph(step: str, expected: object) -> None:
    graph = graph_of_body(f"signals: {{ go: {{}} }}\nsteps:\n  - {indented(step)}\n")
    assert msgspec.json.decode(msgspec.json.encode(graph.steps)) == [expected]


def test_every_kind_is_built_by_some_case() -> None:
    assert all(any(f"{kind}:" in step for step, _ in STEPS.values()) for kind in KINDS)


def test_the_workflow_itself() -> None:
    graph = graph_of_body(
        """
description: not in the graph
tags: [nor, these]
input_schema: { type: object, properties: { n: { type: integer, default: 1 } } }
output_schema: true
output: ${{vars.n}}
vars: { n: "${{ input.n }}" }
timeout: 1h30m
signals: { go: {}, stop: { schema: { type: object } } }
accepts_state_from: ">=1.0 <2"
steps: [ { log: hi } ]
catch: [ { steps: [ { log: hi } ] } ]
finally: [ { log: hi } ]
"""
    )
    assert msgspec.json.decode(msgspec.json.encode(graph)) == {
        "dsl": 1,
        "name": "case",
        "input_schema": {
            "type": "object",
            "properties": {"n": {"type": "integer", "default": 1}},
        },
        "output_schema": True,
        "output": "${{ vars.n }}",
        "vars": {"n": "${{ input.n }}"},
        "timeout": 5400 * SECOND,
        "signals": {"go": {}, "stop": {"payload_schema": {"type": "object"}}},
        "accepts_state_from": ">=1.0 <2",
        "steps": [LOG],
        "catch": [{"steps": [{**LOG, "id": "log_2"}]}],
        "finally_": [{**LOG, "id": "log_3"}],
    }


def test_defaults_are_merged_into_each_step_that_does_not_say_otherwise() -> None:
    graph = graph_of_body(
        """
retries: { patient: { max_attempts: 9 } }
defaults:
  activity: { timeout: 30s, retry: patient }
  log: { level: debug }
steps:
  - activity: a.b
  - activity: a.b
    timeout: 5s
    retry: { max_attempts: 2 }
  - log: hi
"""
    )
    first, second, third = msgspec.json.decode(msgspec.json.encode(graph.steps))
    assert (first["timeout"], first["retry"]) == (30 * SECOND, {"max_attempts": 9})
    assert (second["timeout"], second["retry"]) == (5 * SECOND, {"max_attempts": 2})
    assert third["level"] == "debug"
