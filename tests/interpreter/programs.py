"""Programs and first events for tests that drive the interpreter by hand."""

from __future__ import annotations

from typing import Any

from engine.definition.build import load_text
from engine.graph.compile import compile_document
from engine.graph.steps import StepGraph
from engine.history.events import Started
from engine.interpreter import semantics
from engine.interpreter.program import Program

EPOCH = 1_700_000_000_000_000


def graph_of(body: str, *, name: str = "main", version: str = "1.0.0") -> StepGraph:
    """Compile a workflow whose `dsl`, `name` and `version` are written above `body`."""
    loaded = load_text(f'dsl: 1\nname: {name}\nversion: "{version}"\n{body}')
    assert loaded.document is not None, [found.what for found in loaded.diagnostics]
    compiled = compile_document(loaded.document)
    found = [(one.code, one.what) for one in compiled.diagnostics if one.severity == "error"]
    assert compiled.graph is not None, found
    return compiled.graph


def program_of(body: str) -> Program:
    """The program of a workflow given as text."""
    return Program(graph_of(body))


def started(input: Any = None, **fields: Any) -> Started:
    """The first event of an execution of `main`."""
    given = {
        "at": EPOCH,
        "instance_id": "main-1",
        "execution": 1,
        "workflow": "main",
        "version": "1.0.0",
        "revision": "r1",
        "semantics": semantics.CURRENT,
        "input": input,
    }
    return Started(**{**given, **fields})
