"""What one expression may cost, and the meter that counts it.

Rule 1: the size of a result is known before the work is done.
Rule 2: every walk over data pays for what it visits, so the whole evaluation is bounded by
`WORK`, whatever the expression nests.
Rule 3: a bound depends on data alone, never on time or on the machine, so replay agrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SOURCE_CHARACTERS = 4096
NODES = 500
DEPTH = 40
NESTING = 20
PREFIXES = 20
CHOICES = 40
RESULT_BYTES = 1 << 20
RANGE_ITEMS = 10_000
INTEGER_BITS = 256
JSON_DEPTH = 120
WORK = 150_000
_BYTES_PER_UNIT = 64


class Refusal(Exception):
    """An operation refuses its operands; whoever knows the place turns it into the public error."""

    def __init__(
        self,
        message: str,
        *,
        mend: str | None = None,
        diagnostic: str = "E222",
        place: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.diagnostic = diagnostic
        self.place = place


class Work:
    """The meter of one evaluation. A unit is about one visited item or 64 bytes of text."""

    __slots__ = ("ambient", "depth", "left")

    def __init__(self, ambient: Any = None) -> None:
        self.left = WORK
        self.ambient = ambient
        self.depth = 0

    def charge(self, units: int) -> None:
        """Pay for what is about to be done."""
        self.left -= units
        if self.left < 0:
            raise Refusal(
                "the expression does too much work",
                mend="do it in an activity, or on fewer items",
            )

    def charge_text(self, size: int) -> None:
        """Pay for reading or writing `size` bytes of text, which may not pass the result bound."""
        if size > RESULT_BYTES:
            raise Refusal(
                f"a text of {size} bytes is over the limit of {RESULT_BYTES}",
                mend="keep large data outside and pass a reference",
            )
        self.charge(1 + size // _BYTES_PER_UNIT)


def text_bytes(text: str) -> int:
    """The bytes of a text, near enough: four for each character when any is outside ASCII."""
    return len(text) if text.isascii() else 4 * len(text)


def bounded_integer(value: int) -> int:
    """Return it, or refuse what is wider than 256 bits."""
    if value.bit_length() > INTEGER_BITS:
        raise Refusal(f"an integer of {value.bit_length()} bits is over the limit of 256")
    return value


class _Settling:
    """One walk that turns a result into JSON and counts its bytes."""

    __slots__ = ("size", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self.size = 0

    def add(self, size: int) -> None:
        self.size += size
        if self.size > RESULT_BYTES:
            raise Refusal(
                f"the result is over the limit of {RESULT_BYTES} bytes",
                mend="keep large data outside and pass a reference",
            )

    def settle(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            self.add(text_bytes(value) + 3)
            return value
        if value is None or kind is bool:
            self.add(5)
            return value
        if kind is int:
            self.add(2 + bounded_integer(value).bit_length() // 3)
            return value
        if kind is float:
            if value - value != 0.0:
                raise Refusal(f"{value} is not a JSON number")
            self.add(10)
            return value
        if depth > JSON_DEPTH:
            raise Refusal("the result is nested too deeply")
        if kind is list or kind is tuple:
            return self._settle_list(value, depth)
        if isinstance(value, Mapping):
            return self._settle_mapping(value, depth)
        raise Refusal(f"the result holds {describe(value)}, which is not JSON")

    def _settle_list(self, value: Any, depth: int) -> Any:
        self.work.charge(1 + len(value))
        settled = [self.settle(item, depth + 1) for item in value]
        self.add(2)
        if type(value) is list and all(map(_same, settled, value)):
            return value
        return settled

    def _settle_mapping(self, value: Mapping[Any, Any], depth: int) -> Any:
        self.work.charge(1 + len(value))
        settled: dict[str, Any] = {}
        changed = type(value) is not dict
        for key in value:
            if type(key) is not str:
                raise Refusal("a mapping key must be a string")
            item = value[key]
            self.add(text_bytes(key) + 4)
            settled[key] = self.settle(item, depth + 1)
            changed = changed or settled[key] is not item
        self.add(2)
        return settled if changed else value


def _same(left: Any, right: Any) -> bool:
    return left is right


def settle(value: Any, work: Work) -> Any:
    """Check deeply that a result is JSON of bounded size; views become dicts, tuples lists.

    What is JSON already comes back as the same object.
    """
    return _Settling(work).settle(value, 0)


_KINDS: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "list",
    dict: "mapping",
    type(None): "null",
}


def kind_of(value: Any) -> str:
    """The language's name for the type of a JSON value."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    return "mapping" if isinstance(value, Mapping) else "object"


def describe(value: Any) -> str:
    """The type with its article, for messages."""
    kind = kind_of(value)
    if kind == "null":
        return "null"
    return f"an {kind}" if kind == "object" else f"a {kind}"
