"""E313: there are as many branches as are waited for, and more than one to race."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.definition.document import Scalar

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.graph.outline import Position


def check(where: tuple[Position, ...], report: Report) -> None:
    """Count branches."""
    for position in where:
        site = position.site
        count = len(site.blocks_of("branch"))
        join = site.option("join")
        if isinstance(join, Scalar) and type(join.value) is int and join.value > count:
            report.error(
                "E313",
                join.span,
                f"`join: {join.value}` waits for more branches than there are",
                why=f"`parallel` (line {site.key.key.span.line}) has {count}",
                mend="join: all",
            )
        if site.kind == "race" and count == 1:
            report.error(
                "E313",
                site.key.key.span,
                "a race of one branch is no race",
                why=f"`{site.blocks[0].name}` has nobody to lose to",
                mend="add a branch, for example `timeout: [ { sleep: 5m } ]`, or use `do:`",
            )
