"""What every provider must do: public cases, one for each promise of the provider protocol.

A provider's own tests give a factory of empty stores and run them all::

    results = await run(factory)
    assert not [result for result in results if result.error]

or parametrise over `CASES`, with `play(case, factory)` for each.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.testing.conformance import (
    atomicity,
    catalogue,
    claims,
    creation,
    development,
    ending,
    executions,
    fencing,
    idempotence,
    inbox,
    levels,
    nodes,
    pruning,
    reads,
    rebasing,
    references,
    sends,
    sequence,
    versions,
    visibility,
    withdrawal,
)
from engine.testing.conformance.scene import NOW, Scene, Subject

if TYPE_CHECKING:
    from types import ModuleType

# Makes an empty store, and closes it.
Factory = Callable[[], AbstractAsyncContextManager[Subject]]

__all__ = ["CASES", "Case", "Factory", "Result", "Scene", "Subject", "play", "run"]

_TOPICS: Final = (
    atomicity,
    fencing,
    sequence,
    idempotence,
    inbox,
    visibility,
    withdrawal,
    creation,
    sends,
    claims,
    nodes,
    executions,
    ending,
    versions,
    pruning,
    reads,
    rebasing,
    development,
    catalogue,
    references,
    levels,
)
_GUARANTEE: Final = re.compile(r"G\d+")


class Case(NamedTuple):
    """One promise: `guarantees` are its numbers in the provider's docstring."""

    topic: str
    name: str
    guarantees: tuple[str, ...]
    function: Callable[[Scene], Awaitable[None]]

    @property
    def id(self) -> str:
        """Name for reports."""
        return f"{self.topic}-{self.name}"


class Result(NamedTuple):
    """How a case went."""

    case: Case
    error: Exception | None


def _cases_of(topic: ModuleType) -> list[Case]:
    return [
        Case(
            topic.__name__.rpartition(".")[2],
            name,
            tuple(_GUARANTEE.findall(function.__doc__ or "")),
            function,
        )
        for name, function in vars(topic).items()
        if inspect.iscoroutinefunction(function)
        and function.__module__ == topic.__name__
        and not name.startswith("_")
    ]


CASES: Final[tuple[Case, ...]] = tuple(case for topic in _TOPICS for case in _cases_of(topic))


async def play(case: Case, factory: Factory) -> None:
    """Run one case on a fresh store; it raises when the promise is not kept."""
    if not __debug__:
        raise RuntimeError("the cases are assertions; run without -O")
    async with factory() as subject:
        lease = await subject.store.acquire("node-1", now=NOW)
        await case.function(Scene(subject, lease))


async def run(factory: Factory, cases: Sequence[Case] = CASES) -> list[Result]:
    """Run cases, each on a fresh store; never stops at a failure."""
    results = []
    for case in cases:
        try:
            await play(case, factory)
        except Exception as error:  # noqa: BLE001 (a wrong provider may raise anything)
            results.append(Result(case, error))
        else:
            results.append(Result(case, None))
    return results
