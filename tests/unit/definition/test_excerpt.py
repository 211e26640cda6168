"""How a diagnostic looks on a terminal."""

from __future__ import annotations

import re

import pytest

from engine.definition.build import load_text
from engine.definition.diagnostic import Diagnostic
from engine.definition.document import Span
from engine.definition.excerpt import render, render_all


def diagnostic(line: int, start: int, end: int, **more: object) -> Diagnostic:
    fields = {"code": "E228", "file": "a.yaml", "what": "it is wrong", **more}
    return Diagnostic(span=Span(line, start, line, end), **fields)  # type: ignore[arg-type]


def test_the_whole_form() -> None:
    source = "\n" * 60 + "  dsn: ${{ steps.conn.output.ip_dsn }}\n"
    found = diagnostic(
        61,
        12,
        22,
        file="workflows/create-instance.yaml",
        what="`steps.conn` may not have run when it is read here",
        why="`conn` (line 39) is inside the `try` of `provision`",
        mend="end that clause with `return:`",
    )
    assert render(found, source) == (
        "workflows/create-instance.yaml:61:12: error E228: "
        "`steps.conn` may not have run when it is read here\n"
        "   61 |   dsn: ${{ steps.conn.output.ip_dsn }}\n"
        "      |            ^^^^^^^^^^\n"
        "   why:  `conn` (line 39) is inside the `try` of `provision`\n"
        "   mend: end that clause with `return:`"
    )


def test_suggestions() -> None:
    text = render(diagnostic(1, 3, 7, suggestions=("race", "raise")), "- rase: {}")
    assert text.endswith("    1 | - rase: {}\n      |   ^^^^\n   did you mean `race` or `raise`?")


@pytest.mark.parametrize(
    ("line", "start", "end", "shown", "carets"),
    [
        ("\tab", 2, 3, "    ab", "    ^"),
        ("a\tbc", 3, 5, "a   bc", "    ^^"),
        ("日本: x", 1, 3, "日本: x", "^^^^"),
        ("日本: x", 5, 6, "日本: x", "      ^"),
        ("é: x", 4, 5, "é: x", "   ^"),
        ("e\u0301: x", 5, 6, "e\u0301: x", "   ^"),
        ("a", 2, 3, "a", " ^"),
        ("", 1, 2, "", "^"),
        ("a\x1b[31mb", 1, 2, "a�[31mb", "^"),
    ],
)
def test_carets_stand_under_what_is_meant(
    line: str, start: int, end: int, shown: str, carets: str
) -> None:
    rows = render(diagnostic(1, start, end), line + "\n").split("\n")
    assert rows[1:] == [f"    1 | {shown}".rstrip(), f"      | {carets}"]


def test_a_span_of_several_lines_is_marked_to_the_end_of_the_first() -> None:
    found = Diagnostic(code="E101", file="a", span=Span(1, 3, 2, 5), what="x")
    assert render(found, "a: bcd\n   efg").endswith("|   ^^^^")


def test_a_long_line_is_shown_around_the_place() -> None:
    line = "x" * 5_000 + "HERE" + "y" * 5_000
    rows = render(diagnostic(1, 5_001, 5_005), line).split("\n")
    assert len(rows[1]) < 120
    marked = rows[2].index("^")
    assert rows[1][marked : marked + 4] == "HERE"
    assert rows[2].count("^") == 4


def test_a_place_outside_of_the_text_has_no_excerpt() -> None:
    assert render(diagnostic(9, 1, 2), "a: 1\n") == "a.yaml:9:1: error E228: it is wrong"
    assert render(diagnostic(1, 1, 2), "") == "a.yaml:1:1: error E228: it is wrong"


def test_colour_changes_nothing_but_the_colour() -> None:
    found = diagnostic(1, 1, 2, why="w", mend="m", suggestions=("s",))
    coloured = render(found, "a: 1", colour=True)
    assert "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == render(found, "a: 1")


def test_several_are_set_apart_by_an_empty_line() -> None:
    text = "stpes: []\n"
    loaded = load_text(text, file="a.yaml")
    shown = render_all(loaded.diagnostics, {"a.yaml": text})
    assert shown.count("\n\n") == len(loaded.diagnostics) - 1
