"""Did you mean …? Damerau-Levenshtein distance with thresholds that fit short names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST: Final = 2
_LONGEST: Final = 64  # nobody mistypes a word of that length into another


def suggest(word: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Up to two candidates that `word` may have been meant to be, the nearest first.

    A third of the letters may differ, so `rase` gives `race` and `raise`, and `x` gives nothing.
    """
    if len(word) > _LONGEST:
        return ()
    found: list[tuple[int, str]] = []
    for candidate in dict.fromkeys(candidates):
        allowed = max(1, min(3, max(len(word), len(candidate)) // 3))
        if min(len(word), len(candidate)) < 2 or abs(len(word) - len(candidate)) > allowed:
            continue
        away = distance(_plain(word), _plain(candidate))
        if away <= allowed and away < min(len(word), len(candidate)):
            found.append((away, candidate))
    return tuple(name for _, name in sorted(found)[:MOST])


def distance(one: str, other: str) -> int:
    """How many letters must be inserted, dropped, changed or swapped with their neighbour."""
    before: list[int] = []
    previous = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        current = [i]
        for j, b in enumerate(other, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        before, previous = previous, current
    return previous[-1]


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
