"""The five functions an expression may call.

Time and randomness come from the ambient of the scope, so they are recorded or derived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine.expr.bounds import RANGE_ITEMS, Refusal, Work, describe
from engine.expr.dates import seconds_between
from engine.expr.undefined import known

if TYPE_CHECKING:
    from collections.abc import Callable


class Operation(NamedTuple):
    """A named operation of the language and the type of its result, where that is certain."""

    run: Callable[..., Any]
    result: str | None = None


def now(work: Work) -> str:
    """Return the recorded time of the event being handled."""
    moment: str = work.ambient.now()
    return moment


def uuid(work: Work) -> str:
    """Return an identifier derived from the place in the execution."""
    identifier: str = work.ambient.uuid()
    return identifier


def random(work: Work) -> float:
    """Return a number in [0, 1) derived from the place in the execution."""
    drawn: float = work.ambient.random()
    return drawn


def range_(work: Work, start: Any, stop: Any = None, step: Any = 1) -> list[int]:
    """Count from `start` (0 when only one number is given) to before `stop`."""
    if stop is None:
        start, stop = 0, start
    for bound in (start, stop, step):
        if type(known(bound)) is not int:
            raise Refusal(f"`range` takes integers, this is {describe(bound)}")
    if step == 0:
        raise Refusal("the step of `range` cannot be 0")
    # Not len(): it raises for ranges wider than a machine word.
    items = max(0, (stop - start + (step - (1 if step > 0 else -1))) // step)
    if items > RANGE_ITEMS:
        raise Refusal(f"a range of {items} items is over the limit of {RANGE_ITEMS}")
    work.charge(items)
    return list(range(start, stop, step))


FUNCTIONS: dict[str, Operation] = {
    "now": Operation(now, "string"),
    "uuid": Operation(uuid, "string"),
    "random": Operation(random, "number"),
    "seconds_between": Operation(seconds_between, "number"),
    "range": Operation(range_, "list"),
}

DRAWING = frozenset({"now", "uuid", "random"})
"""The functions whose result is not a function of their arguments."""
