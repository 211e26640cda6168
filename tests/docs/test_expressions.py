"""The page of expressions: its lists are complete, its examples give what it says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from engine.expr import FILTER_NAMES, FUNCTION_NAMES, TEST_NAMES, bounds, compile_expression
from engine.graph.scopes import ROOTS
from tests.docs.pages import DOCS, rows, section

PAGE = DOCS / "expressions.md"
LISTS = {"Functions": FUNCTION_NAMES, "Filters": FILTER_NAMES, "Tests": TEST_NAMES}


class Drawn:
    """An ambient that always says the same."""

    def now(self) -> str:
        return "2026-03-01T09:30:00.000000Z"

    def uuid(self) -> str:
        return "0a1b2c3d-0000-4000-8000-000000000000"

    def random(self) -> float:
        return 0.5


class Given(dict[str, Any]):
    """The scope of the examples."""

    ambient = Drawn()


SCOPE = Given(
    input={},
    rows=[
        {"id": "b", "n": 2, "tag": "x"},
        {"id": "a", "n": 1, "tag": "y"},
        {"id": "c", "n": 3, "tag": "x"},
    ],
)
EXAMPLES = [(title, *row) for title in LISTS for row in rows(section(PAGE, title))[1:]]


def test_the_rows_of_the_page_are_those_of_the_examples() -> None:
    assert json.dumps(SCOPE["rows"]) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("title", LISTS)
def test_every_name_is_listed_in_the_order_of_the_engine(title: str) -> None:
    listed = [
        match[0]
        for kind, name, *_ in EXAMPLES
        if kind == title and (match := re.search(r"\w+", name))
    ]
    assert listed == list(LISTS[title])


@pytest.mark.parametrize(
    ("title", "name", "meaning", "example", "gives"),
    EXAMPLES,
    ids=[f"{e[0]}-{e[1]}" for e in EXAMPLES],
)
def test_example_gives_what_the_page_says(
    title: str, name: str, meaning: str, example: str, gives: str
) -> None:
    found = re.search(r"\w+", name)
    assert found is not None
    assert re.search(rf"\b{found[0]}\b", example), "the example shows another thing"
    assert compile_expression(example.strip("`")).evaluate(SCOPE) == json.loads(gives.strip("`"))


def test_every_root_is_listed() -> None:
    listed = {row[0].strip("`") for row in rows(section(PAGE, "Roots"))[1:]}
    assert set(ROOTS) <= listed


def test_every_operator_is_one() -> None:
    text = section(PAGE, "Operators")
    for name in ("+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">="):
        assert name in text
        compile_expression(f"1 {name} 1")


def test_bounds_are_those_of_the_engine() -> None:
    stated = rows(section(PAGE, "Bounds"))[1:]
    for what, most in stated:
        name = what.split("`")[1]
        number = int(most.split()[0].replace(",", ""))
        factor = {"MiB": 1 << 20}.get(most.split()[-1], 1)
        assert getattr(bounds, name) == number * factor, what
