"""E201: an id stands for one step in the whole file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.graph.outline import Position, Site


def check(where: tuple[Position, ...], report: Report) -> None:
    """Find ids written twice."""
    first: dict[str, Site] = {}
    for position in where:
        site = position.site
        if not site.written:
            continue
        earlier = first.setdefault(site.id, site)
        if earlier is not site:
            report.error(
                "E201",
                site.name_span,
                f"the id `{site.id}` is taken",
                why=f"the `{earlier.kind}` step at line {earlier.line} has it",
                mend=f"id: {_free(site.id, where)}",
            )


def _free(step_id: str, where: tuple[Position, ...]) -> str:
    taken = {position.site.id for position in where}
    return next(name for n in range(2, len(taken) + 3) if (name := f"{step_id}_{n}") not in taken)
