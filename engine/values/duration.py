"""Durations as authors write them (`500ms`, `30s`, `2h30m`, `7d`) and as microseconds.

Rule 1: a duration is a whole, non-negative number of microseconds of at most `MAX_DURATION`.
Rule 2: one spelling. Numbers are whole, units descend, none is repeated, nothing stands between.
What is refused is understood all the same where that is possible, so that the error can carry the
corrected text. Months and years have no fixed length and are never understood.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

MICROSECOND: Final = 1
MILLISECOND: Final = 1_000
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY

# Below 2**53, so that it stays exact as a JSON number in any reader.
MAX_DURATION: Final = 100_000 * DAY

_UNITS: Final = {
    "w": WEEK,
    "d": DAY,
    "h": HOUR,
    "m": MINUTE,
    "s": SECOND,
    "ms": MILLISECOND,
    "us": MICROSECOND,
}
# Weeks are read but not written: `7d` is how the language's own examples say it.
_WRITTEN: Final = tuple((unit, size) for unit, size in _UNITS.items() if unit != "w")

_NUMBER = "([0-9]{1,18})"
_DURATION = re.compile("".join(f"(?:{_NUMBER}{unit})?" for unit in _UNITS))

_SPOKEN: Final = {
    **_UNITS,
    **dict.fromkeys(("week", "weeks", "wk", "wks"), WEEK),
    **dict.fromkeys(("day", "days"), DAY),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), HOUR),
    **dict.fromkeys(("minute", "minutes", "min", "mins"), MINUTE),
    **dict.fromkeys(("second", "seconds", "sec", "secs"), SECOND),
    **dict.fromkeys(("millisecond", "milliseconds", "millis", "msec", "msecs"), MILLISECOND),
    **dict.fromkeys(("microsecond", "microseconds", "micros", "µs", "μs"), MICROSECOND),
}
_SPOKEN_PART = re.compile(r"\s*([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([a-zµμ]+)\s*(?:,|and\b)?")
_DECIMAL = "([0-9]{1,18}(?:[.,][0-9]{1,9})?)"
_ISO = re.compile(
    f"P(?:{_DECIMAL}W)?(?:{_DECIMAL}D)?(?:T(?:{_DECIMAL}H)?(?:{_DECIMAL}M)?(?:{_DECIMAL}S)?)?"
)
_ISO_SIZES: Final = (WEEK, DAY, HOUR, MINUTE, SECOND)
_EXAMPLES: Final = "write it like `500ms`, `30s`, `5m`, `2h30m` or `7d`"


class DurationError(ValueError):
    """A text is not a duration. `corrected` is what was probably meant, when that is clear."""

    def __init__(self, text: str, why: str, corrected: str | None = None) -> None:
        super().__init__(text, why, corrected)
        self.text = text
        self.why = why
        self.corrected = corrected

    def __str__(self) -> str:
        mend = f"write `{self.corrected}`" if self.corrected else _EXAMPLES
        return f"`{self.text}` is not a duration: {self.why}; {mend}"


def parse_duration(text: str) -> int:
    """Microseconds of a duration text.

    Raises:
        DurationError: the text breaks Rule 1 or Rule 2.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        raise _refusal(text)
    total = sum(
        int(number) * size
        for number, size in zip(match.groups(), _UNITS.values(), strict=True)
        if number is not None
    )
    if total > MAX_DURATION:
        raise DurationError(text, f"the longest one is {MAX_DURATION // DAY} days")
    return total


def format_duration(us: int) -> str:
    """The canonical text of a duration: descending units, the zero ones left out."""
    if us < 0:
        raise DurationError(f"{us}us", "it is negative")
    parts = []
    rest = us
    for unit, size in _WRITTEN:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _refusal(text: str) -> DurationError:
    stripped = text.strip()
    if not stripped:
        return DurationError(text, "it is empty")
    if stripped.startswith("-"):
        return DurationError(text, "it is negative")
    if re.fullmatch(r"[0-9.]+", stripped):
        return DurationError(text, "the unit is missing", None if stripped.strip("0") else "0s")
    if stripped.upper().startswith("P"):
        return DurationError(text, "ISO 8601 is not used here", _from_iso(stripped.upper()))
    return _refusal_of_parts(text, stripped.lower())


def _refusal_of_parts(text: str, lowered: str) -> DurationError:
    total = Decimal(0)
    sizes: list[int] = []
    position = 0
    while position < len(lowered):
        part = _SPOKEN_PART.match(lowered, position)
        if part is None:
            return DurationError(text, "it is not numbers with units")
        unit = part[2]
        if unit not in _SPOKEN:
            return DurationError(text, f"there is no unit `{unit}` (w, d, h, m, s, ms, us)")
        total += Decimal(part[1]) * _SPOKEN[unit]
        sizes.append(_SPOKEN[unit])
        position = part.end()
    if len(set(sizes)) < len(sizes):
        why = "a unit is repeated"
    elif sizes != sorted(sizes, reverse=True):
        why = "units go from the largest to the smallest"
    elif "." in lowered:
        why = "numbers are whole"
    else:
        why = "units are w, d, h, m, s, ms and us, with nothing between"
    return DurationError(text, why, _written(total))


def _from_iso(text: str) -> str | None:
    match = _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        return None  # years and months have no fixed length
    return _written(
        sum(
            (
                Decimal(number.replace(",", ".")) * size
                for number, size in zip(match.groups(), _ISO_SIZES, strict=True)
                if number is not None
            ),
            Decimal(0),
        )
    )


def _written(total: Decimal) -> str | None:
    """The text of a total, when it is a duration at all."""
    if total != total.to_integral_value() or total > MAX_DURATION:
        return None
    return format_duration(int(total))
