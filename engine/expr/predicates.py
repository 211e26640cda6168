"""The tests after `is`. `defined` and `undefined` alone take an undefined value."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Any

from engine.expr.bounds import Refusal, Work, describe, kind_of
from engine.expr.functions import Operation
from engine.expr.operators import contains, equal, ordered, require
from engine.expr.undefined import Missing, known

if TYPE_CHECKING:
    from collections.abc import Callable


def _defined(work: Work, value: Any) -> bool:
    return type(value) is not Missing


def _undefined(work: Work, value: Any) -> bool:
    return type(value) is Missing


def _none(work: Work, value: Any) -> bool:
    return known(value) is None


def _boolean(work: Work, value: Any) -> bool:
    return kind_of(known(value)) == "boolean"


def _number(work: Work, value: Any) -> bool:
    return kind_of(known(value)) == "number"


def _string(work: Work, value: Any) -> bool:
    return kind_of(known(value)) == "string"


def _mapping(work: Work, value: Any) -> bool:
    return kind_of(known(value)) == "mapping"


def _sequence(work: Work, value: Any) -> bool:
    """Whether it is a list; a text is a string, not a sequence."""
    return kind_of(known(value)) == "list"


def _integer(value: Any, name: str) -> int:
    if type(known(value)) is not int:
        raise Refusal(f"`{name}` takes an integer, this is {describe(value)}")
    integer: int = value
    return integer


def _even(work: Work, value: Any) -> bool:
    return _integer(value, "even") % 2 == 0


def _odd(work: Work, value: Any) -> bool:
    return _integer(value, "odd") % 2 == 1


def _in(work: Work, value: Any, container: Any) -> bool:
    return contains(work, value, container)


def _eq(work: Work, value: Any, other: Any) -> bool:
    return equal(work, value, other)


def _ne(work: Work, value: Any, other: Any) -> bool:
    return not equal(work, value, other)


def _lt(work: Work, value: Any, other: Any) -> bool:
    return ordered(work, "lt", value, other)


def _le(work: Work, value: Any, other: Any) -> bool:
    return ordered(work, "lteq", value, other)


def _gt(work: Work, value: Any, other: Any) -> bool:
    return ordered(work, "gt", value, other)


def _ge(work: Work, value: Any, other: Any) -> bool:
    return ordered(work, "gteq", value, other)


def _startswith(work: Work, value: Any, prefix: Any) -> bool:
    require(value, "string", "`startswith`")
    return bool(value.startswith(require(prefix, "string", "`startswith`")))


def _endswith(work: Work, value: Any, suffix: Any) -> bool:
    require(value, "string", "`endswith`")
    return bool(value.endswith(require(suffix, "string", "`endswith`")))


def _match(work: Work, value: Any, pattern: Any) -> bool:
    """Whether the whole text fits a glob: `*`, `?`, `[a-z]`, `[!a-z]`; case counts."""
    require(value, "string", "`match`")
    require(pattern, "string", "`match`")
    if len(pattern) > 200:
        raise Refusal("a glob of more than 200 characters is over the limit")
    # After each star the rest is tried at every position: the product bounds the work.
    work.charge(5 + len(value) * len(pattern) // 32)
    # Not fnmatchcase: it keeps tens of thousands of compiled patterns.
    return re.compile(fnmatch.translate(pattern)).match(value) is not None


_TESTS: dict[str, Callable[..., bool]] = {
    "defined": _defined,
    "undefined": _undefined,
    "none": _none,
    "boolean": _boolean,
    "number": _number,
    "string": _string,
    "mapping": _mapping,
    "sequence": _sequence,
    "even": _even,
    "odd": _odd,
    "in": _in,
    "eq": _eq,
    "ne": _ne,
    "lt": _lt,
    "le": _le,
    "gt": _gt,
    "ge": _ge,
    "startswith": _startswith,
    "endswith": _endswith,
    "match": _match,
}

PREDICATES: dict[str, Operation] = {
    name: Operation(test, "boolean") for name, test in _TESTS.items()
}
