"""Broken YAML is told in our words, at the place where it broke."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definition.build import load_text
from tests.unit.definition.trees import WORKFLOW, read

BROKEN = [
    ("a: { b: ${{ x }} }", 1, 9, 'quote the value: "${{ x }}"'),
    ('a: [ p/${{ x["a"] }}/q, r ]', 1, 6, "quote the value: 'p/${{ x[\"a\"] }}/q'"),
    ('a: { b: "${{ x }}", c: ${{ y }} }', 1, 24, 'quote the value: "${{ y }}"'),
    ("a: ${{ {'b': 1} }}  # why", 1, 4, "quote the value: \"${{ {'b': 1} }}\""),
    ("a: ${{ x | f #1 }}", 1, 4, "quote the value"),
    ("a: b: c", 1, 5, 'quote the value: a: "b: c"'),
    ("a:\n\tb: 1", 2, 1, "write spaces"),
    ("- a\n\t- b", 2, 1, "write spaces"),
    ('a: "x', 1, 4, 'close it with `"`'),
    ("a: 1\nb\nc: 2", 2, 1, "write `key: value`"),
    ("a:\n  b: 1\n c: 2", 3, 2, "indent it like that one"),
    ("a: `b`", 1, 4, 'quote the value: "`b`"'),
    ("a: %b", 1, 4, 'quote the value: "%b"'),
    ("a: *.txt", 1, 4, 'quote the value if it is text: "*.txt"'),
    ("a: [*]", 1, 5, 'quote the value: "*"'),
    ('a: "x" y', 1, 8, "put the quotes around everything"),
    ("a: [1, 2", 1, 9, "add it"),
    ("a: [1, 2}", 1, 9, "add it"),
    ("a: |x\n  b", 1, 5, "write `|` or `>` alone"),
    ("a: | x\n  b", 1, 6, "move the text to the next line"),
    (" a: 1\nb: 2", 2, 1, "align it with the first key"),
    ('a: "\\q"', 1, 5, "backslash"),
    ('a: "\\x1"', 1, 5, "`\\x` takes 2"),
    ("a: - b", 1, 4, "on the next line"),
    ("%YAML 1.1\n---\na: 1", 1, 1, "delete this line"),
    ("%TAG ! x\n---\na: 1", 1, 1, "delete this line"),
]
# Words of ruamel's messages, which a reader of ours must never meet.
FOREIGN = (
    "block end",
    "<scalar>",
    "token",
    "could not find",
    "while scanning",
    "ruamel",
    "simple key",
)


@pytest.mark.parametrize(("text", "line", "column", "mend"), BROKEN)
def test_told_with_place_and_mend(text: str, line: int, column: int, mend: str) -> None:
    _, (found,) = read(text)
    assert (found.span.line, found.span.column) == (line, column)
    assert found.mend is not None
    assert mend in found.mend


@given(st.text(alphabet="ab01 \n\t-:?[]{},#&*!|>'\"%@`\\$~<", max_size=40))
def test_no_text_is_beyond_words(text: str) -> None:
    """Whatever is written: no exception, a place inside the text, and none of ruamel's words."""
    check(text)


@given(
    st.integers(0, len(WORKFLOW)),
    st.integers(0, 3),
    st.text(alphabet="a \n\t-:[]{},#&*!|>'\"%$\\", max_size=4),
)
def test_no_edit_of_a_good_file_is_beyond_words(at: int, gone: int, typed: str) -> None:
    check(WORKFLOW[:at] + typed + WORKFLOW[at + gone :])


def check(text: str) -> None:
    loaded = load_text(text)
    assert (loaded.document is None) == bool(loaded.diagnostics)
    rows = text.split("\n")
    for one in loaded.diagnostics:
        assert 1 <= one.span.line <= len(rows)
        assert 1 <= one.span.column <= len(rows[one.span.line - 1]) + 1
        words = f"{one.what} {one.why} {one.mend}"
        assert not any(foreign in words for foreign in FOREIGN), words
