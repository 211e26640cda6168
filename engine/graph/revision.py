"""The revision: a digest over the canonical bytes of a graph.

Rule 1: a graph and its bytes are one thing: `load_graph(canonical(graph))` is the graph, down to
the order of its mappings. `compile` hands out only graphs that came through here.
Rule 2: mappings are sorted by their keys, so the order of `with`, `set`, `vars`, `output` is
nothing a workflow can notice, and so none that changes the revision. What has an order (steps,
branches of `parallel` and `race`, clauses, cases) is a list.
Rule 3: what is left at its default is left out. Hence a field that is new in a later release, with
the old behaviour as its default, changes no revision.
"""

from __future__ import annotations

import json

import msgspec

from engine.graph.steps import StepGraph
from engine.values.digest import canonical_json, digest


def canonical(graph: StepGraph) -> bytes:
    """The canonical JSON of a graph."""
    return canonical_json(msgspec.to_builtins(graph))


def revision(graph: StepGraph) -> str:
    """The digest that names what the graph means."""
    return digest(canonical(graph))


def load_graph(data: bytes) -> StepGraph:
    """The graph of its canonical bytes, which are trusted.

    Raises:
        msgspec.ValidationError: the bytes are not those of a graph.
    """
    # The standard library reads integers of any size, as authors may write them.
    return msgspec.convert(json.loads(data), StepGraph)
