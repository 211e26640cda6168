"""E314, the warning: a loop that may fill the history ends in `continue_as_new`.

That `max_iterations` is given, the grammar sees to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.definition.document import Scalar
from engine.graph.outline import walk

if TYPE_CHECKING:
    from engine.graph.findings import Findings
    from engine.graph.outline import Position, Site

# The engine's own limit on the events of one execution.
HISTORY_EVENTS: Final = 50_000
# What one run of a step adds: the decision and the fact that answers it.
_EVENTS: Final = {
    "activity": 2,
    "workflow": 2,
    "start": 2,
    "sleep": 2,
    "wait": 2,
    "signal": 2,
    "log": 1,
    "status": 1,
}


def check(where: tuple[Position, ...], findings: Findings) -> None:
    """Estimate what each loop adds to the history."""
    for position in where:
        site = position.site
        turns = site.option("max_iterations")
        if site.kind not in ("while", "until") or not isinstance(turns, Scalar):
            continue
        inside = tuple(walk(site.blocks))
        if any(step.kind == "continue_as_new" for step in inside) or type(turns.value) is not int:
            continue
        each = _per_turn(site, inside)
        if turns.value * each > HISTORY_EVENTS:
            findings.warning(
                "E314",
                turns.span,
                f"{turns.value} turns may add {turns.value * each} events to the history",
                why=f"a turn adds about {each}; an execution may have {HISTORY_EVENTS}",
                mend=f"max_iterations: {HISTORY_EVENTS // (2 * each)}, then `continue_as_new`",
            )


def _per_turn(site: Site, inside: tuple[Site, ...]) -> int:
    pause = 2 if site.option("every") is not None else 0
    return pause + sum(_EVENTS.get(step.kind, 0) for step in inside)
