"""Instants: microseconds since 1970-01-01T00:00:00Z, and their RFC 3339 text.

Rule 1: an instant lies in the years 1 to 9999, the ones RFC 3339 can write.
Rule 2: the text we write is always UTC with six digits, so that texts sort as instants do.
There is no clock here; the arithmetic is that of the proleptic Gregorian calendar.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

SECOND: Final = 1_000_000
_MINUTE: Final = 60 * SECOND

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
MIN_INSTANT: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _TICK
MAX_INSTANT: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _TICK

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?"
    r"(?:([Zz])|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?"
)


def format_instant(us: int) -> str:
    """RFC 3339 text: `2026-01-02T03:04:05.000006Z`."""
    minutes, rest = divmod(us, _MINUTE)
    seconds, fraction = divmod(rest, SECOND)
    return f"{_to_the_minute(minutes)}:{seconds:02d}.{fraction:06d}Z"


def parse_instant(text: str) -> int:
    """Read RFC 3339 with any offset; a date alone is its midnight in UTC.

    Digits below the microsecond are dropped.

    Raises:
        ValueError: it is neither, or no such day or time exists.
    """
    match = _INSTANT.fullmatch(text)
    if match is None and _DATE.fullmatch(text) is None:
        raise ValueError(
            f"`{text}` is not an instant: write it like `2026-01-02T03:04:05Z`, "
            "`2026-01-02T03:04:05+01:00` or `2026-01-02`"
        )
    if match is not None and match[4] is None and match[5] is None:
        raise ValueError(
            f"`{text}` does not say its offset from UTC: write `{text}Z` or `{text}+01:00`"
        )
    try:
        if match is None:
            return from_datetime(
                datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            )
        wall = datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00")
    except ValueError as error:
        raise ValueError(f"`{text}` is not an instant: {error}") from error
    us = from_datetime(wall) + int((match[3] or "")[:6].ljust(6, "0"))
    if match[5] is not None:
        offset = (int(match[6]) * 3600 + int(match[7]) * 60) * SECOND
        us += offset if match[5] == "-" else -offset
    if not MIN_INSTANT <= us <= MAX_INSTANT:
        raise ValueError(f"`{text}` is not within the years 1 to 9999 in UTC")
    return us


def to_datetime(us: int) -> datetime:
    """The aware datetime in UTC."""
    try:
        return _EPOCH + timedelta(microseconds=us)
    except OverflowError as error:
        raise ValueError(f"instant {us} is not within the years 1 to 9999") from error


def from_datetime(moment: datetime) -> int:
    """The instant of an aware datetime; its offset is heeded."""
    return (moment - _EPOCH) // _TICK


# Events of one turn, and of turns committed together, nearly always share their minute: a small
# cache makes the common case a third of the cost.
@lru_cache(maxsize=1024)
def _to_the_minute(minutes: int) -> str:
    return to_datetime(minutes * _MINUTE).isoformat()[:16]
