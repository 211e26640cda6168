"""Instants and durations as text: what `date`, `duration` and `seconds_between` read and write.

Only text becomes time here; there is no clock and no locale. Day and month names are English.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.expr.bounds import Refusal, Work, describe
from engine.expr.operators import is_number
from engine.expr.undefined import known

if TYPE_CHECKING:
    from collections.abc import Callable

_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}"
    r"(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d{2}:\d{2})?)?",
    re.ASCII,
)
_FRACTION = re.compile(r"\.(\d{6})\d+")
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h|d|w)", re.ASCII)
_MICROSECONDS = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
}

_PERCENT = re.compile(r"%(.?)", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December",
)  # fmt: skip


def instant(value: Any) -> datetime:
    """Read RFC 3339 text, or a bare date as its midnight; without an offset it is UTC."""
    if type(known(value)) is not str:
        raise Refusal(f"a time is RFC 3339 text, this is {describe(value)}")
    if not _INSTANT.fullmatch(value):
        raise Refusal(f"`{value[:40]}` is not a time", mend="`2026-03-01T09:30:00Z`")
    text = _FRACTION.sub(r".\1", value).upper().replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(f"`{value[:40]}` is not a time", mend="`2026-03-01T09:30:00Z`") from None


def seconds_between(work: Work, start: Any, end: Any) -> float:
    """Seconds from `start` to `end`; negative when `end` is earlier."""
    work.charge(12)
    return (instant(end) - instant(start)).total_seconds()


def date(
    work: Work,
    value: Any,
    format: Any = "%Y-%m-%d",
    *,
    weeks: Any = 0,
    days: Any = 0,
    hours: Any = 0,
    minutes: Any = 0,
    seconds: Any = 0,
) -> str:
    """Shift an instant and write it in UTC."""
    work.charge(16)
    shifts = {
        "weeks": weeks,
        "days": days,
        "hours": hours,
        "minutes": minutes,
        "seconds": seconds,
    }
    for name, amount in shifts.items():
        if not is_number(known(amount)):
            raise Refusal(f"`{name}` of `date` is a number, this is {describe(amount)}")
    try:
        moment = instant(value) + timedelta(**shifts)
    except OverflowError:
        raise Refusal("the time is outside the years 1 to 9999") from None
    if type(known(format)) is not str or len(format) > 200:
        raise Refusal("the format of `date` is a text of at most 200 characters")
    work.charge(4 * format.count("%"))
    return _write(moment, format)


_DIRECTIVES: dict[str, Callable[[datetime], str]] = {
    "Y": lambda moment: f"{moment.year:04}",
    "m": lambda moment: f"{moment.month:02}",
    "d": lambda moment: f"{moment.day:02}",
    "H": lambda moment: f"{moment.hour:02}",
    "I": lambda moment: f"{(moment.hour + 11) % 12 + 1:02}",
    "M": lambda moment: f"{moment.minute:02}",
    "S": lambda moment: f"{moment.second:02}",
    "f": lambda moment: f"{moment.microsecond:06}",
    "j": lambda moment: f"{moment.timetuple().tm_yday:03}",
    "y": lambda moment: f"{moment.year % 100:02}",
    "u": lambda moment: str(moment.isoweekday()),
    "V": lambda moment: f"{moment.isocalendar().week:02}",
    "G": lambda moment: f"{moment.isocalendar().year:04}",
    "p": lambda moment: "AM" if moment.hour < 12 else "PM",
    "A": lambda moment: _DAYS[moment.weekday()],
    "a": lambda moment: _DAYS[moment.weekday()][:3],
    "B": lambda moment: _MONTHS[moment.month - 1],
    "b": lambda moment: _MONTHS[moment.month - 1][:3],
    "F": lambda moment: f"{moment.year:04}-{moment.month:02}-{moment.day:02}",
    "T": lambda moment: f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}",
    "s": lambda moment: str((moment - _EPOCH) // timedelta(seconds=1)),
    "z": lambda moment: "+0000",
    "Z": lambda moment: "UTC",
    "%": lambda moment: "%",
}


def _write(moment: datetime, format: str) -> str:
    def directive(match: re.Match[str]) -> str:
        write = _DIRECTIVES.get(match.group(1))
        if write is None:
            raise Refusal(
                f"`{match.group()}` is not a directive of `date`", mend="`%Y-%m-%dT%H:%M:%SZ`"
            )
        return write(moment)

    return _PERCENT.sub(directive, format)


def duration(work: Work, value: Any) -> Any:
    """Turn duration text (`2h30m`) into seconds, and seconds into duration text."""
    work.charge(8)
    if is_number(known(value)):
        return _written(value)
    if type(value) is not str:
        raise Refusal(f"a duration is text or seconds, this is {describe(value)}")
    text = value.strip()
    total = 0
    position = 0
    for match in _DURATION.finditer(text[:100]):
        if match.start() != position:
            break
        position = match.end()
        whole, _, fraction = match.group(1).partition(".")
        unit = _MICROSECONDS[match.group(2)]
        total += int(whole) * unit + int(fraction or 0) * unit // 10 ** len(fraction)
    if not text or position != len(text):
        raise Refusal(f"`{text[:40]}` is not a duration", mend="`500ms`, `30s`, `2h30m`, `7d`")
    return total // 1_000_000 if total % 1_000_000 == 0 else total / 1_000_000


def _written(seconds: Any) -> str:
    if seconds < 0 or seconds > 1e12:
        raise Refusal(f"{seconds} seconds are not a duration")
    left = round(seconds * 1000)
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
