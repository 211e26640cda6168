"""Filters that convert scalars and calculate. Rubbish raises; nothing is guessed."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from engine.expr.bounds import Refusal, Work, bounded_integer, describe
from engine.expr.operators import checked_number, is_number
from engine.expr.undefined import known

_INTEGER = re.compile(r"[+-]?\d{1,80}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d{1,80}(\.\d{0,80})?|\.\d{1,80})([eE][+-]?\d{1,4})?", re.ASCII)
_ROUNDING = {"common": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}


def number(value: Any, name: str) -> Any:
    """Return the number, or refuse."""
    if not is_number(known(value)):
        raise Refusal(f"`{name}` takes a number, this is {describe(value)}", diagnostic="E231")
    return checked_number(value)


def to_int(work: Work, value: Any) -> int:
    """Read an integer from text, or cut the fraction off a number."""
    work.charge(1)
    if is_number(known(value)):
        return bounded_integer(int(checked_number(value)))
    if type(value) is str and _INTEGER.fullmatch(text := value[:200].strip()):
        return bounded_integer(int(text))
    raise Refusal(f"{_shown(value)} is not an integer")


def to_float(work: Work, value: Any) -> float:
    """Read a number from text, or widen an integer."""
    work.charge(1)
    if is_number(known(value)):
        return float(checked_number(value))
    if type(value) is str and _FLOAT.fullmatch(text := value[:200].strip()):
        return float(checked_number(float(text)))
    raise Refusal(f"{_shown(value)} is not a number")


def to_bool(work: Work, value: Any) -> bool:
    """Read a boolean: itself, the texts `true` and `false`, the numbers 1 and 0."""
    work.charge(1)
    if type(known(value)) is bool:
        return bool(value)
    if is_number(value) and value in (0, 1):
        return bool(value == 1)
    if value in ("true", "false"):
        return bool(value == "true")
    raise Refusal(f"{_shown(value)} is not a boolean", mend="`true` or `false`")


def _shown(value: Any) -> str:
    return f"`{value[:40]}`" if type(value) is str else describe(value)


def absolute(work: Work, value: Any) -> Any:
    """Drop the sign."""
    return abs(number(value, "abs"))


def round_(work: Work, value: Any, precision: Any = 0, method: Any = "common") -> Any:
    """Round: half away from zero, or `ceil`, or `floor`. To no places, the result is an integer."""
    given = number(value, "round")
    work.charge(10)
    if type(known(precision)) is not int or abs(precision) > 15:
        raise Refusal("the precision of `round` is an integer from -15 to 15")
    rounding = _ROUNDING.get(method) if type(known(method)) is str else None
    if rounding is None:
        raise Refusal("the method of `round` is common, ceil or floor")
    places = Decimal(1).scaleb(-precision)
    # repr: what the author sees is what is rounded, so 2.675 to two places is 2.68.
    exact = Decimal(repr(given))
    units = (exact / places).to_integral_value(rounding)
    if abs(units) >= 10**27:
        return given
    rounded = units * places
    return int(rounded) if precision <= 0 or type(given) is int else float(rounded)
