"""Bindings: the versions that a graph names by their whole number.

Steps that start a child, detached or not, and steps that continue as a certain version. While an
instance of the graph runs, it may yet come to such a step, so those versions have to stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.graph.steps import ContinueAsNewStep, StartStep, WorkflowStep
from engine.values.version import VersionError, VersionRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.graph.steps import StepGraph


def exact_bindings(graph: StepGraph) -> list[tuple[str, str]]:
    """(name, version) of each, sorted; `continue_as_new` names versions of the graph's own name."""
    found: set[tuple[str, str]] = set()
    for step in _steps(graph):
        match step:
            case WorkflowStep() | StartStep():
                name, wanted = step.workflow, step.range
            case ContinueAsNewStep():
                name, wanted = graph.name, step.version
            case _:
                continue
        version = exact_version(wanted) if wanted is not None else None
        if version is not None:
            found.add((name, version))
    return sorted(found)


def exact_version(wanted: str) -> str | None:
    """The version that a text names by its whole number, or None."""
    try:
        if VersionRange.parse(wanted).exact is None:
            return None
    except VersionError:
        return None
    return wanted.strip().removeprefix("=").strip()


def _steps(value: object) -> Iterator[object]:
    """Every struct inside a graph, at any depth."""
    if isinstance(value, msgspec.Struct):
        yield value
        for field in value.__struct_fields__:
            yield from _steps(getattr(value, field))
    elif isinstance(value, tuple):
        for one in value:
            yield from _steps(one)
