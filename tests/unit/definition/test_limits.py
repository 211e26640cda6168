"""What an attacker may write: refused with a code and a place, before it costs anything."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from engine.definition.build import load_text
from engine.definition.source import MAX_BYTES

MIB = 1 << 20


def alias_bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]"]
    return "\n".join(lines)


def map_bomb(levels: int) -> str:
    lines = ["a0: &a0 {k: v}"]
    for level in range(1, levels):
        inner = ", ".join([f"k{i}: *a{level - 1}" for i in range(9)])
        lines += [f"a{level}: &a{level} {{{inner}}}"]
    return "\n".join(lines)


def deep_aliases(levels: int) -> str:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{level}: &a{level} [*a{level - 1}]" for level in range(1, levels)]
    return "\n".join(lines)


# Name, text, code, milliseconds.
HOSTILE = [
    ("alias bomb of lists", alias_bomb(10), "E109", 50),
    ("alias bomb of mappings", map_bomb(10), "E109", 50),
    ("depth by aliases", deep_aliases(200), "E109", 50),
    ("alias that holds itself", "a: &a [*a]", "E109", 50),
    ("alias that holds itself further in", "a: &a {b: [1, {c: *a}]}", "E109", 50),
    ("depth of flow lists", "[" * 100_000, "E109", 100),
    ("depth of flow mappings", "{a: " * 100_000, "E109", 100),
    ("depth of both", "[{a: " * 50_000, "E109", 100),
    ("depth of flow lists over lines", "a: " + "[\n" * 100_000, "E109", 100),
    ("depth of block lists", "- " * 100_000, "E109", 100),
    ("depth of explicit keys", "? " * 100_000, "E109", 100),
    ("depth by indentation", "\n".join(" " * i + "a:" for i in range(1_400)), "E109", 100),
    ("integer of 5,000 digits", "a: " + "9" * 5_000, "E109", 250),
    ("integer of 200,000 digits", "a: " + "9" * 200_000, "E109", 1_000),
    ("not a number", "a: .nan", "E109", 250),
    ("NUL", "a: b\0", "E101", 250),
    ("bad UTF-8", b"a: \xff\xfe", "E101", 250),
    ("second document", "a: 1\n---\nb: 1", "E108", 250),
    ("ten megabytes", b"a: " + b"x" * (10 * MIB), "E109", 250),
    ("tag of a megabyte", "a: !" + "x" * 900_000, "E107", 250),
    ("colons", ":" * 100_000, "E101", 250),
]


@pytest.mark.parametrize(
    ("text", "code", "milliseconds"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_hostile_text_is_refused_at_once(text: str | bytes, code: str, milliseconds: int) -> None:
    load_text("a: 1")  # what is imported and compiled on first use is not the text's fault
    best = float("inf")
    for _ in range(3):  # the shortest of three: other work on the machine is not either
        start = time.perf_counter()
        loaded = load_text(text)
        best = min(best, (time.perf_counter() - start) * 1000)
    assert loaded.document is None
    assert code in [one.code for one in loaded.diagnostics]
    assert best <= milliseconds


@pytest.mark.parametrize("text", [alias_bomb(10), map_bomb(10), "[" * 100_000, "- " * 100_000])
def test_hostile_text_takes_little_memory(text: str) -> None:
    tracemalloc.start()
    load_text(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * MIB


def test_places_of_a_bomb() -> None:
    found = load_text(alias_bomb(10)).diagnostics
    assert [(one.code, one.span.line) for one in found] == [("E109", 5)]


def test_shared_parts_within_the_limit_are_fine() -> None:
    text = "dsl: 1\nname: a\nversion: 1.0.0\nvars:\n"
    text += "".join(f"  {line}\n" for line in alias_bomb(3).split("\n"))
    assert load_text(text + "steps: [ { log: hi } ]").document is not None


def test_the_byte_cap_counts_bytes_not_characters() -> None:
    text = "a: " + "é" * (MAX_BYTES // 2)
    assert [one.code for one in load_text(text).diagnostics] == ["E109"]


@pytest.mark.parametrize(("depth", "refused"), [(96, False), (99, True)])
def test_the_depth_cap_counts_values_inside_values(depth: int, refused: bool) -> None:
    # The mapping, `vars` and the scalar are three levels of their own.
    text = f"vars: {{ a: {'[' * depth}x{']' * depth} }}"
    assert ("E109" in [one.code for one in load_text(text).diagnostics]) is refused


HEAD = "dsl: 1\nname: a\nversion: 1.0.0\nsteps: [ { log: hi } ]\ninput_schema:\n"


def doubling(levels: int) -> str:
    """Each definition leads to the next one twice."""
    twice = '{{ anyOf: [ {{ $ref: "#/$defs/a{0}" }}, {{ $ref: "#/$defs/a{0}" }} ] }}'
    steps = "".join(f"    a{i}: {twice.format(i + 1)}\n" for i in range(levels))
    return f'  $ref: "#/$defs/a0"\n  default: 1\n  $defs:\n{steps}    a{levels}: true\n'


def tree_of(default: str) -> str:
    """A schema that looks at each part of a value twice as often as at the whole."""
    branch = '{ properties: { c: { $ref: "#" } }, required: [x] }'
    return f"  anyOf: [ {branch}, {branch}, true ]\n  default: {default}\n"


@pytest.mark.parametrize(
    "schema",
    [doubling(40), tree_of("{ c: " * 40 + "1" + " }" * 40), tree_of(str([1] * 1_000))],
    ids=["doubling", "deep default", "wide default"],
)
def test_a_schema_cannot_make_reading_slow(schema: str) -> None:
    start = time.perf_counter()
    codes = [one.code for one in load_text(HEAD + schema).diagnostics]
    assert codes in (["E109"], [])
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    "text",
    [
        "a:\t" * 200_000,
        "a: [" + '"\t",' * 40_000 + "]",
        "a: 1 #" + "\t" * 500_000,
        "a: '" + "\t" * 500_000 + "'",
        "a:\n" + "  - &a\n" * 10_000,
        "a: [" + "{{ x }}," * 2_500 + "]",
        "steps:\n" + "  - rase: 1\n" * 6_000,
        "? " + "x" * 900_000 + "\n: 1\n? " + "x" * 900_000,
        "a: { b: ${{" + " x" * 200_000,
    ],
    ids=lambda text: text[:12],
)
def test_work_grows_with_the_text_only(text: str) -> None:
    start = time.perf_counter()
    loaded = load_text(text)
    # The slowest takes a second alone; a quadratic one would take minutes.
    assert time.perf_counter() - start < 8
    assert all(len(str(one) + str(one.mend)) < 2_000 for one in loaded.diagnostics)


def test_very_many_findings_end_with_saying_so() -> None:
    steps = "dsl: 1\nname: a\nversion: 1.0.0\nsteps:\n" + "  - rase: 1\n" * 2_000
    found = load_text(steps)
    assert len(found.diagnostics) == 500
    assert (found.diagnostics[-1].code, found.diagnostics[-1].span.line) == ("E109", 504)
