"""E202: every step can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import ExpressionError
from engine.graph.outline import LEAVING
from engine.graph.scopes import title

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.expr import Ambient
    from engine.graph.scopes import Reading, Scopes


def check(scopes: Scopes, report: Report) -> None:
    """Find steps behind one that always leaves, and steps whose `when` is never true."""
    for site, leaving in scopes.unreached:
        named = f"`{leaving.kind}`" if leaving.kind in LEAVING else title(leaving)
        at = f" (line {leaving.line})" if "line" not in named else ""
        report.error(
            "E202",
            site.name_span,
            "this step is never reached",
            why=f"{named}{at} always leaves before it",
            mend="delete it, or guard what leaves with `when: ${{ … }}`",
        )
    for reading in scopes.readings:
        if _is_guard(reading) and _never(reading):
            source = reading.placed.expression.source
            report.error(
                "E202",
                reading.placed.span(0, len(source)),
                f"this step never runs: `{source.strip()}` is always false",
                mend="delete the step, or let `when` read something",
            )


def _is_guard(reading: Reading) -> bool:
    site = reading.site
    return site is not None and reading.placed.scalar is site.node.get("when")


def _never(reading: Reading) -> bool:
    expression = reading.placed.expression
    if not expression.constant:
        return False
    try:
        return expression.evaluate(_Nothing()) is False
    except ExpressionError:
        return False  # a constant that fails at run time is no constant false


class _Nothing:
    """The scope of a constant, which reads nothing and draws nothing."""

    @property
    def ambient(self) -> Ambient:
        raise AttributeError

    def __getitem__(self, root: str) -> object:
        raise KeyError(root)
