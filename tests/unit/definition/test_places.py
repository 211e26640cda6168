"""Every character of a scalar knows where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definition.diagnostic import Report
from engine.definition.document import Scalar
from engine.definition.parse import parse
from engine.definition.source import decode
from tests.unit.definition.trees import value_of

# The scalar holds `@`, and the place of that character in the text is what locate must give.
PLACED = [
    "key: x@",
    "key: '@'",
    'key: "x @"',
    "key: 'it''s @'",
    'key: "a\\n@"',
    'key: "\\u0041\\x42\\U00000043@"',
    'key: "a\\\\@"',
    'key: "one\n  two @"',
    'key: "one\n\n\n  two @"',
    'key: "one \\\n  two @"',
    'key: "one\\\n\n  two @"',
    "key: 'one\n\n  two @'",
    "key: one\n  two @",
    "key: one\n\n  two\n  three @",
    "key: |\n  @",
    "key: |\n  one\n    two @\n  three",
    "key: |\n\n\n  one\n\n  two @\n",
    "key: |-\n  one @\n\n\n",
    "key: |+\n  one\n\n  @\n\n",
    "key: |2\n    one @",
    "key: |  # comment\n  one @",
    "key: >\n  one\n  two @",
    "key: >\n  one\n\n  two @",
    "key: >\n  one\n    more @\n  back",
    "key: >-\n\n  one\n    more\n\n    @\n  back",
    "key: >\n  aa\n  aa\n  aa@",
    "key: &anchor one @",
    "key: &anchor\n  one @",
    "key: &anchor # comment\n  |\n  one @",
    "key: 日本 @",
    "key: |\n  日本\n  😀 @",
    "- |\n one\n two @".replace("- ", "key: ", 1),
]


def place_of_mark(text: str) -> tuple[int, int]:
    index = text.index("@")
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


@pytest.mark.parametrize("text", PLACED)
def test_the_mark_is_located(text: str) -> None:
    node = value_of(text)
    assert isinstance(node, Scalar)
    found = node.locate(node.text.index("@"))
    assert (found.line, found.column) == place_of_mark(text)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_newlines_of_other_systems_do_not_move_places(newline: str) -> None:
    text = "key: |\n  one\n  two @\n"
    node = value_of(text.replace("\n", newline))
    assert isinstance(node, Scalar)
    assert node.text == "one\ntwo @\n"
    found = node.locate(node.text.index("@"))
    assert (found.line, found.column) == place_of_mark(text)


def test_a_stretch_over_two_lines() -> None:
    node = value_of("key: |\n  ${{ a\n   + b }}\n")
    assert isinstance(node, Scalar)
    span = node.locate(0, len(node.text) - 1)
    assert (span.line, span.column, span.end_line, span.end_column) == (2, 3, 3, 10)


def test_the_span_of_a_block_scalar_ends_with_its_last_line() -> None:
    node = value_of("key: |\n  one\n  two\n\n\n")
    assert isinstance(node, Scalar)
    assert (node.span.end_line, node.span.end_column) == (3, 6)


LINES = st.lists(
    st.text(alphabet="ab {}$:'\"\\é", max_size=8).map(str.rstrip), min_size=1, max_size=6
)


@given(LINES, st.sampled_from(["|", "|-", "|+", ">", ">-", ">+"]), st.integers(1, 4))
def test_block_scalars_stand_where_they_say(lines: list[str], header: str, indent: int) -> None:
    body = "\n".join((" " * indent + line) if line else "" for line in ["x", *lines])
    check_every_character(f"key: {header}\n{body}\nnext: 1\n")


@given(st.text(alphabet="ab \n'\"\\", max_size=20))
def test_quoted_scalars_stand_where_they_say(inner: str) -> None:
    single = inner.replace("'", "''").replace("\n", "\n ")
    check_every_character(f"key: '{single}'\n")
    double = inner.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\n ")
    check_every_character(f'key: "{double}"\n')


def check_every_character(text: str) -> None:
    report = Report("test.yaml")
    source = decode(text, report)
    assert source is not None
    tree = parse(source, report)
    assert tree is not None, report.sorted()
    node = tree.entries[0].value  # type: ignore[union-attr]
    assert isinstance(node, Scalar)
    rows = text.split("\n")
    for index, char in enumerate(node.text):
        if char in " \n":
            continue  # folds stand for a newline in the file
        span = node.locate(index)
        row = rows[span.line - 1]
        seen = row[span.column - 1 : span.column + 1]
        assert seen[0] == char or seen == f"\\{char}", (text, index, char, span)
