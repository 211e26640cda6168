"""Filters that apply another filter or test to each item, by its name.

The names are checked when the expression is compiled; here they are looked up in the same tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.expr.bounds import Refusal, Work
from engine.expr.filters_text import attribute_path
from engine.expr.operators import pluck, require
from engine.expr.predicates import PREDICATES
from engine.expr.undefined import NOWHERE, Missing, known

if TYPE_CHECKING:
    from engine.expr.functions import Operation

_DEEPEST = 8


class Applying:
    """`map`, `select`, `reject`, `selectattr`, `rejectattr` over one table of filters."""

    def __init__(self, filters: dict[str, Operation]) -> None:
        self._filters = filters

    def map(
        self,
        work: Work,
        value: Any,
        filter: Any = None,
        /,
        *arguments: Any,
        attribute: Any = None,
        default: Any = None,
        **named: Any,
    ) -> list[Any]:
        """Replace each item by an attribute of it, or by what a filter makes of it."""
        given = require(value, "list", "`map`")
        work.charge(1 + len(given))
        if attribute is not None:
            if filter is not None or arguments or named:
                raise Refusal("`map` takes a filter or an attribute, not both")
            return [_attribute(item, attribute, default) for item in given]
        if type(known(filter)) is not str or filter not in self._filters:
            raise Refusal("`map` takes the name of a filter or `attribute=`")
        if default is not None:
            named["default"] = default
        run = self._filters[filter].run
        work.depth += 1
        if work.depth > _DEEPEST:
            raise Refusal("`map` is nested too deeply")
        mapped = []
        for item in given:
            work.charge(2)
            mapped.append(known(run(work, item, *arguments, **named)))
        work.depth -= 1
        return mapped

    def select(self, work: Work, value: Any, test: Any = None, /, *arguments: Any) -> list[Any]:
        """Keep the items for which a test holds; without one, those that are truthy."""
        return _chosen(work, value, "select", None, test, arguments, wanted=True)

    def reject(self, work: Work, value: Any, test: Any = None, /, *arguments: Any) -> list[Any]:
        """Drop the items for which a test holds; without one, those that are truthy."""
        return _chosen(work, value, "reject", None, test, arguments, wanted=False)

    def selectattr(
        self, work: Work, value: Any, attribute: Any, test: Any = None, /, *arguments: Any
    ) -> list[Any]:
        """Keep the items for whose attribute a test holds; without one, a truthy attribute."""
        return _chosen(work, value, "selectattr", attribute, test, arguments, wanted=True)

    def rejectattr(
        self, work: Work, value: Any, attribute: Any, test: Any = None, /, *arguments: Any
    ) -> list[Any]:
        """Drop the items for whose attribute a test holds; without one, a truthy attribute."""
        return _chosen(work, value, "rejectattr", attribute, test, arguments, wanted=False)


def _attribute(item: Any, attribute: Any, default: Any) -> Any:
    try:
        return pluck(item, attribute_path(attribute, "map"))
    except LookupError:
        if default is None:
            raise Refusal(
                f"an item of `map` has no `{attribute}`",
                mend=f"`map(attribute='{attribute}', default=…)`",
            ) from None
        return known(default)


def _chosen(
    work: Work,
    value: Any,
    name: str,
    attribute: Any,
    test: Any,
    arguments: tuple[Any, ...],
    *,
    wanted: bool,
) -> list[Any]:
    given = require(value, "list", f"`{name}`")
    work.charge(1 + len(given))
    if test is not None and (type(known(test)) is not str or test not in PREDICATES):
        raise Refusal(f"`{name}` takes the name of a test")
    path = None if attribute is None else attribute_path(attribute, name)
    chosen = []
    for item in given:
        work.charge(2)
        subject = item
        if path is not None:
            try:
                subject = pluck(item, path)
            except LookupError:
                subject = Missing(f"{name}('{attribute}')", NOWHERE)
        if test is None:
            holds = type(subject) is not Missing and bool(subject)
        else:
            holds = PREDICATES[test].run(work, subject, *arguments)
        if holds is wanted:
            chosen.append(item)
    return chosen
