"""The meaning of every operator, on JSON values.

Rule 1: operands are checked by type first; nothing is guessed, nothing is coerced, a boolean is
not a number.
Rule 2: the size of a result is checked before it is made.
Each function takes the meter of the evaluation first.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from engine.expr.bounds import (
    INTEGER_BITS,
    Refusal,
    Work,
    bounded_integer,
    describe,
    kind_of,
    text_bytes,
)
from engine.expr.undefined import Missing, known

_NUMBERS = frozenset({int, float})
_TEXT = frozenset({str})

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}

_SPELLING = {"lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}


def is_number(value: Any) -> bool:
    """Whether it is a number; booleans are not."""
    return type(value) in _NUMBERS


def checked_number(value: Any) -> Any:
    """Return a computed number, or refuse infinity, NaN, complex and too wide integers."""
    if type(value) is int:
        return bounded_integer(value)
    if type(value) is not float or value - value != 0.0:
        raise Refusal("the result is not a finite number")
    return value


def binary(work: Work, symbol: str, left: Any, right: Any) -> Any:
    """Apply an arithmetic operator."""
    known(left)
    known(right)
    if is_number(left) and is_number(right):
        return _calculate(symbol, left, right)
    if symbol == "+" and type(left) is type(right):
        if type(left) is str:
            work.charge_text(text_bytes(left) + text_bytes(right))
            return left + right
        if type(left) is list:
            work.charge(len(left) + len(right))
            return left + right
    if symbol == "*":
        if type(left) is int and type(right) in (str, list):
            left, right = right, left
        if type(right) is int and type(left) in (str, list):
            return _repeat(work, left, right)
    if symbol == "%" and type(left) is str:
        raise Refusal("`%` does not format text", mend="join the parts with `~`")
    mend = "join text with `~`" if symbol == "+" and str in (type(left), type(right)) else None
    raise Refusal(
        f"`{symbol}` does not take {describe(left)} and {describe(right)}",
        mend=mend,
        diagnostic="E231",
    )


def _calculate(symbol: str, left: Any, right: Any) -> Any:
    for operand in (left, right):
        if type(operand) is int:
            bounded_integer(operand)
    try:
        if symbol == "**":
            return checked_number(_power(left, right))
        return checked_number(_ARITHMETIC[symbol](left, right))
    except ZeroDivisionError:
        raise Refusal("division by zero") from None
    except OverflowError:
        raise Refusal("the result is not a finite number") from None


def _power(base: Any, exponent: Any) -> Any:
    if type(base) is int and type(exponent) is int and exponent > 0:
        least_bits = (abs(base).bit_length() - 1) * exponent
        if least_bits > INTEGER_BITS:
            raise Refusal("an integer of more than 256 bits is over the limit")
    return base**exponent


def _repeat(work: Work, what: Any, times: int) -> Any:
    times = max(times, 0)
    if type(what) is str:
        work.charge_text(text_bytes(what) * times)
    else:
        work.charge(len(what) * times)
    return what * times


def unary(work: Work, symbol: str, value: Any) -> Any:
    """Apply a sign."""
    work.charge(1)
    if not is_number(known(value)):
        raise Refusal(f"`{symbol}` does not take {describe(value)}", diagnostic="E231")
    return checked_number(-value) if symbol == "-" else value


def text_of(value: Any) -> str:
    """Write a scalar as text: strings as they are, numbers and booleans as JSON spells them."""
    kind = type(known(value))
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(bounded_integer(value))
    if kind is float:
        return float.__repr__(value)
    mend = "add `| default('')`" if value is None else "add `| tojson` or `| join(', ')`"
    raise Refusal(f"{describe(value)} cannot stand in text", mend=mend, diagnostic="E232")


def concat(work: Work, *values: Any) -> str:
    """Join scalars as text: the `~` operator and text with holes."""
    texts = [text_of(value) for value in values]
    work.charge_text(sum(map(text_bytes, texts)))
    return "".join(texts)


def equal(work: Work, left: Any, right: Any) -> bool:
    """Compare as JSON: `1 == 1.0`, but `true` is not `1`. Pays for what it visits."""
    known(left)
    known(right)
    work.charge(1)
    kind = type(left)
    other = type(right)
    if left is right:
        return True
    if kind is str and other is str:
        work.charge(len(left) // 64)
        return bool(left == right)
    if kind is list and other is list:
        if len(left) != len(right):
            return False
        work.charge(len(left))
        return all(
            mine is theirs or equal(work, mine, theirs)
            for mine, theirs in zip(left, right, strict=True)
        )
    if kind in _NUMBERS and other in _NUMBERS:
        return bool(left == right)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return len(left) == len(right) and all(
            key in right and equal(work, left[key], right[key]) for key in left
        )
    return kind is other and bool(left == right)


def contains(work: Work, needle: Any, haystack: Any) -> bool:
    """Whether a list holds a value, a mapping a key, a text another text."""
    known(needle)
    known(haystack)
    if type(haystack) is list:
        kind = type(needle)
        if kind in _NUMBERS or kind is str:
            work.charge(1 + len(haystack) // 2)
            kinds = _NUMBERS if kind in _NUMBERS else _TEXT
            if kind is str:
                work.charge(len(needle) * len(haystack) // 512)
            return any(type(item) in kinds and item == needle for item in haystack)
        return any(equal(work, needle, item) for item in haystack)
    if isinstance(haystack, Mapping) and type(needle) is str:
        work.charge(1)
        return needle in haystack
    if type(haystack) is str and type(needle) is str:
        # Python's search is linear in the haystack in all but contrived cases.
        work.charge_text(len(haystack))
        work.charge_text(len(needle))
        return needle in haystack
    raise Refusal(
        f"`in` does not look for {describe(needle)} in {describe(haystack)}", diagnostic="E231"
    )


def ordered(work: Work, name: str, left: Any, right: Any) -> bool:
    """Compare two numbers or two texts."""
    known(left)
    known(right)
    work.charge(1)
    if is_number(left) and is_number(right):
        return _ORDER[name](left, right)
    if type(left) is str and type(right) is str:
        work.charge(min(len(left), len(right)) // 64)
        return _ORDER[name](left, right)
    raise Refusal(
        f"`{_SPELLING[name]}` does not compare {describe(left)} with {describe(right)}",
        diagnostic="E231",
    )


def compare_one(work: Work, name: str, left: Any, right: Any) -> bool:
    """Apply one comparison, named as the parser names it."""
    if name == "eq":
        return equal(work, left, right)
    if name == "ne":
        return not equal(work, left, right)
    if name == "in":
        return contains(work, left, right)
    if name == "notin":
        return not contains(work, left, right)
    return ordered(work, name, left, right)


def compare(work: Work, names: tuple[str, ...], left: Any, *rest: Callable[[], Any]) -> bool:
    """Compare a chain: `a < b < c` evaluates each operand once and stops at the first false."""
    for name, later in zip(names, rest, strict=True):
        right = later()
        if not compare_one(work, name, left, right):
            return False
        left = right
    return True


def make_list(work: Work, *items: Any) -> list[Any]:
    """Build a list; an undefined item is refused here, so no data ever holds one."""
    work.charge(1 + len(items))
    return [known(item) for item in items]


def make_mapping(work: Work, *pairs: Any) -> dict[str, Any]:
    """Build a mapping from keys and values in turn."""
    work.charge(1 + len(pairs))
    built: dict[str, Any] = {}
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        if type(known(key)) is not str:
            raise Refusal(f"a mapping key must be a string, this is {describe(key)}")
        built[key] = known(value)
    return built


def slice_of(work: Work, value: Any, start: Any, stop: Any, step: Any) -> Any:
    """Cut a list or a text."""
    if type(value) is Missing:
        return value
    for bound in (start, stop, step):
        if known(bound) is not None and type(bound) is not int:
            raise Refusal(f"a slice bound must be an integer, this is {describe(bound)}")
    if type(value) not in (str, list):
        raise Refusal(f"{describe(value)} cannot be sliced")
    if step == 0:
        raise Refusal("the step of a slice cannot be 0")
    work.charge(1 + len(value) // (64 if type(value) is str else 1))
    return value[start:stop:step]


def item_of(value: Any, key: Any) -> Any:
    """Look a key up in a mapping or an index in a list or text; `LookupError` when not there.

    Items only: no attribute of any object is ever read.
    """
    if type(key) is str:
        if isinstance(value, Mapping):
            return value[key]
    elif type(key) is int and type(value) in (list, str):
        return value[key]
    raise KeyError(key)


def pluck(value: Any, path: tuple[str | int, ...]) -> Any:
    """Follow a path of keys and indices from one value; `LookupError` when it leads nowhere."""
    for part in path:
        value = item_of(value, part)
    return value


def require(value: Any, wanted: str, what: str) -> Any:
    """Return the value when it is of the wanted kind, else say what it is instead."""
    if kind_of(known(value)) != wanted:
        raise Refusal(f"{what} takes a {wanted}, this is {describe(value)}")
    return value
