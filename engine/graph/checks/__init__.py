"""The checks of one workflow by itself, one module per topic.

Each is a function over what `scopes` or the outline found, and writes into the report. The order
does not matter: the report sorts by place and says each thing once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.graph.checks import (
    advice,
    again,
    branches,
    fields,
    ids,
    leaving,
    loops,
    order,
    reachable,
    roots,
    signals,
    types,
    undo,
    variables,
)
from engine.graph.expressions import Expressions
from engine.graph.outline import positions
from engine.graph.scopes import scopes_of

if TYPE_CHECKING:
    from engine.graph.findings import Findings
    from engine.graph.outline import Outline
    from engine.graph.steps import StepGraph


def check(outline: Outline, graph: StepGraph, report: Findings) -> None:
    """Run all of them."""
    scopes = scopes_of(outline, Expressions(report))
    where = positions(outline)
    ids.check(where, report)
    reachable.check(scopes, report)
    variables.check(outline, scopes, report)
    signals.check(outline, where, report)
    roots.check(scopes, outline, report)
    fields.check(scopes, graph, report)
    types.check(scopes, graph, report)
    order.check(scopes, where, report)
    leaving.check(where, report)
    again.check(where, graph, report)
    undo.check(where, report)
    branches.check(where, report)
    loops.check(where, report)
    if not report:
        advice.check(outline, scopes, where, report)
