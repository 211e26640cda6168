"""Did you mean: up to two known names near a mistyped one."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def suggest(wrong: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the nearest names, best first; none when nothing is near."""
    wrong = wrong[:60]
    ranked = []
    for name in known:
        distance = _distance(wrong.lower(), name.lower())
        likeness = SequenceMatcher(None, wrong.lower(), name.lower()).ratio()
        if distance <= max(1, len(name) // 3) or likeness >= 0.75:
            ranked.append((distance, -likeness, name))
    return tuple(name for _, _, name in sorted(ranked)[:2])


def _distance(left: str, right: str) -> int:
    """Count insertions, deletions, replacements and swaps of neighbours between two words."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, mine in enumerate(left, 1):
        earlier, before, row = before, row, [i]
        for j, theirs in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (mine != theirs))
            if i > 1 and j > 1 and mine == right[j - 2] and left[i - 2] == theirs:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
