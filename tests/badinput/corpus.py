"""The corpus: hostile files, hostile expressions, and values that are no JSON of a decent size."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

from tests.unit.definition.test_limits import alias_bomb, deep_aliases, map_bomb
from tests.unit.expr.attacks import BOMBS, ESCAPES, OUTSIDE

MIB = 1 << 20
HEAD = 'dsl: 1\nname: bad\nversion: "1.0.0"\n'
STEPS = "steps:\n  - log: hi\n"


def in_vars(text: str) -> bytes:
    """A definition that is well but for one variable."""
    return (HEAD + f"vars:\n  a: {text}\n" + STEPS).encode()


def after_head(text: str) -> bytes:
    """A definition with something before its steps."""
    return (HEAD + text + "\n" + STEPS).encode()


FILES: dict[str, bytes] = {
    "nothing": b"",
    "only a comment": b"# nothing\n",
    "a scalar": b"hello",
    "a list": b"- 1\n- 2\n",
    "binary": bytes(range(256)) * 40,
    "alias bomb of lists": after_head(alias_bomb(10)),
    "alias bomb of mappings": after_head(map_bomb(10)),
    "depth by aliases": after_head(deep_aliases(200)),
    "alias that holds itself": in_vars("&a [*a]"),
    "unknown alias": in_vars("*nobody"),
    "python tag": in_vars("!!python/object/apply:os.system ['id']"),
    "python name": in_vars("!!python/name:os.system"),
    "binary tag": in_vars("!!binary aGVsbG8="),
    "own tag": in_vars("!thing 1"),
    "merge key": after_head("x: &x { a: 1 }\nvars: { <<: *x }"),
    "duplicate key": after_head("title: a\ntitle: b"),
    "duplicate key deep down": in_vars("{ b: 1, b: 2 }"),
    "tabs": HEAD.encode() + b"steps:\n\t- log: hi\n",
    "depth 100k of lists": in_vars("[" * 100_000),
    "depth 100k of mappings": in_vars("{a: " * 100_000),
    "depth 100k closed": in_vars("[" * 100_000 + "]" * 100_000),
    "depth 100k of blocks": HEAD.encode() + b"vars:\n  a: " + b"- " * 100_000 + b"\n",
    "bad UTF-8": after_head("title: x").replace(b"x", b"\xff\xfe"),
    "half a character": after_head("title: x").replace(b"x", b"\xc3"),
    "UTF-16": after_head("title: x").decode().encode("utf-16"),
    "NUL": after_head("title: a\0b"),
    "control characters": after_head("title: a\x1b[31mb"),
    "second document": after_head("title: a") + b"---\na: 1\n",
    "ten megabytes": after_head("title: " + "x" * (10 * MIB)),
    "ten megabytes of lines": after_head("title: a") + b"# x\n" * (10 * MIB // 4),
    "integer of 5,000 digits": in_vars("9" * 5_000),
    "integer of 300 bits": in_vars(str(2**300)),
    "a float that is none": in_vars("1e999"),
    "not a number": in_vars(".nan"),
    "infinity": in_vars("-.inf"),
    "unclosed quote": in_vars('"abc'),
    "unclosed expression": in_vars("${{ input.a"),
    "unclosed list": in_vars("[1, 2"),
    "steps that are no list": (HEAD + "steps: 1\n").encode(),
    "steps of nothing": (HEAD + "steps: []\n").encode(),
    "a step of nothing": (HEAD + "steps: [ {} ]\n").encode(),
    "a step of two kinds": (HEAD + "steps: [ { log: a, sleep: 1s } ]\n").encode(),
    "unknown key": after_head("stpes: []"),
    "no name": b'dsl: 1\nversion: "1.0.0"\nsteps: [ { log: a } ]\n',
    "bad version": b'dsl: 1\nname: bad\nversion: "one"\nsteps: [ { log: a } ]\n',
    "bad name": b'dsl: 1\nname: ../../etc\nversion: "1.0.0"\nsteps: [ { log: a } ]\n',
    "future dsl": b'dsl: 99\nname: bad\nversion: "1.0.0"\nsteps: [ { log: a } ]\n',
    "reference out of the folder": after_head("input_schema: { $ref: ../../../etc/passwd }"),
    "absolute reference": after_head("input_schema: { $ref: /etc/passwd }"),
    "reference to an address": after_head("input_schema: { $ref: 'http://127.0.0.1/x' }"),
    "pattern bomb": after_head("input_schema: { type: string, pattern: '(a+)+$(' }"),
    "schema of no type": after_head("input_schema: { type: wat }"),
    "expression of 5,000 characters": in_vars(json.dumps("${{ " + "1 + " * 2_000 + "1 }}")),
    "expression of depth": in_vars(json.dumps("${{ " + "(" * 1_500 + "1" + ")" * 1_500 + " }}")),
}
EXPRESSIONS = [*ESCAPES, *OUTSIDE, *BOMBS]


def nested(depth: int, *, mapping: bool = False) -> Any:
    """A value of that depth."""
    value: Any = 1
    for _ in range(depth):
        value = {"a": value} if mapping else [value]
    return value


def endless() -> Any:
    """A list that holds itself."""
    value: list[Any] = []
    value.append(value)
    return value


NO_JSON: dict[str, Any] = {
    "NaN": float("nan"),
    "infinity": float("inf"),
    "lone surrogate": "\ud800",
    "lone surrogate in a key": {"\udfff": 1},
    "number as key": {1: "a"},
    "None as key": {None: "a"},
    "tuple as key": {(1, 2): "a"},
    "set": {1, 2},
    "bytes": b"abc",
    "date": datetime.date(2026, 1, 1),
    "decimal": Decimal("1.5"),
    "object": object(),
    "class": int,
    "function": len,
    "complex": 1j,
    "generator": (n for n in range(3)),
    "integer of 20,000 digits": 10**20_000,
    "depth 100k of lists": nested(100_000),
    "depth 100k of mappings": nested(100_000, mapping=True),
    "depth 900": nested(900),
    "itself": endless(),
    "two megabytes": "x" * (2 * MIB),
    "two megabytes of small things": list(range(400_000)),
    "64 megabytes": "x" * (64 * MIB),
}
IDS: dict[str, Any] = {
    "empty": "",
    "256 characters": "x" * 256,
    "a megabyte": "x" * MIB,
    "NUL": "a\0b",
    "line break": "a\nb",
    "escape": "\x1b[31mred",
    "lone surrogate": "a\ud800",
    "right to left mark": "a\u202eb",
    "number": 7,
    "bytes": b"a",
    "list": ["a"],
}
