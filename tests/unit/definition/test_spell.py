"""Did you mean."""

from __future__ import annotations

import pytest

from engine.definition.grammar_steps import STEP_KINDS
from engine.definition.grammar_workflow import WORKFLOW
from engine.definition.spell import distance, suggest


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("rase", ("race", "raise")),
        ("actvity", ("activity",)),
        ("Activity", ("activity",)),
        ("for_each", ("foreach",)),
        ("continue-as-new", ("continue_as_new",)),
        ("paralel", ("parallel",)),
        ("slep", ("sleep",)),
        ("wiat", ("wait",)),
        ("dp", ("do",)),
        ("colour", ()),
        ("x", ()),
        ("", ()),
        ("a" * 10_000, ()),
    ],
)
def test_step_kinds(word: str, meant: tuple[str, ...]) -> None:
    assert suggest(word, STEP_KINDS)[: len(meant) or 1] == meant


def test_never_more_than_two() -> None:
    assert suggest("aaaa", ["aaab", "aaba", "abaa", "baaa"]) == ("aaab", "aaba")


@pytest.mark.parametrize("word", [field.name for field in WORKFLOW])
def test_a_top_level_key_with_two_letters_swapped_is_found(word: str) -> None:
    swapped = word[1] + word[0] + word[2:]
    assert word in suggest(swapped, [field.name for field in WORKFLOW])


@pytest.mark.parametrize(
    ("one", "other", "steps"),
    [
        ("", "abc", 3),
        ("ab", "ba", 1),
        ("abc", "abc", 0),
        ("kitten", "sitting", 3),
        ("ca", "abc", 3),
    ],
)
def test_distance(one: str, other: str, steps: int) -> None:
    assert distance(one, other) == distance(other, one) == steps
