"""Reads texts for the tests of this folder."""

from __future__ import annotations

from engine.definition.diagnostic import Diagnostic, Report
from engine.definition.document import Mapping, Node
from engine.definition.parse import parse
from engine.definition.source import decode

WORKFLOW = "dsl: 1\nname: a\nversion: 1.0.0\nsteps:\n  - log: hi\n"


def read(text: str | bytes) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    """The tree of a text and what was found."""
    report = Report("test.yaml")
    source = decode(text, report)
    tree = parse(source, report) if source is not None else None
    return tree, report.sorted()


def value_of(text: str) -> Node:
    """The value of the one key of a text in which nothing was found."""
    tree, found = read(text)
    assert not found, found
    assert isinstance(tree, Mapping)
    return tree.entries[0].value
