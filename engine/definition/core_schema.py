"""What a plain scalar means: the core schema of YAML 1.2.2, section 10.3.2, and nothing more.

`yes`, `on`, `2024-01-01`, `1_000`, `0b1` and `12:30` are text. Values that JSON cannot hold
(infinities, not-a-number) and integers over 256 bits are refused.
"""

from __future__ import annotations

import math
import re
from typing import Final

MAX_INTEGER_BITS: Final = 256
_MAX_INTEGER_DIGITS: Final = 80  # 2**256 has 78

_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class NotJson(ValueError):
    """A number that has no place in JSON data; the message says why."""


def resolve(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar.

    Raises:
        NotJson: it is a number we refuse.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise NotJson("the number is too large for a 64-bit float")
        return number
    if _NOT_FINITE.fullmatch(text):
        raise NotJson("infinity and not-a-number are not JSON values")
    return text


def _integer(text: str) -> int:
    if len(text.lstrip("+-")) > _MAX_INTEGER_DIGITS:
        raise NotJson(
            f"the integer has {len(text):,} characters; it may have {MAX_INTEGER_BITS} bits"
        )
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    number = int(text[2:], base) if base != 10 else int(text)
    if number.bit_length() > MAX_INTEGER_BITS:
        raise NotJson(f"the integer has {number.bit_length()} bits; it may have {MAX_INTEGER_BITS}")
    return number
