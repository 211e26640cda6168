"""Compile a text in one call; what is wrong with it is the assertion's message."""

from __future__ import annotations

from engine.definition.build import load_text
from engine.graph.compile import Compiled, compile_document
from engine.graph.steps import StepGraph

HEADER = "dsl: 1\nname: case\nversion: 1.0.0\n"


def compiled(text: str) -> Compiled:
    """Compile a whole file."""
    loaded = load_text(text, file="case.yaml")
    assert loaded.document is not None, loaded.diagnostics
    return compile_document(loaded.document)


def graph_of(text: str) -> StepGraph:
    """The graph of a file without errors."""
    result = compiled(text)
    assert result.graph is not None, result.diagnostics
    return result.graph


def graph_of_body(body: str) -> StepGraph:
    """The graph of a file given without its first three lines."""
    return graph_of(HEADER + body)
