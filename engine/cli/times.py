"""Times as people read them: `3 min ago` on a terminal, whole in a pipe or with `--utc`."""

from __future__ import annotations

import time

from engine.cli.output import is_terminal
from engine.values.instant import parse_instant

SECOND = 1_000_000
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def now() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def told(instant: str | None, *, utc: bool) -> str:
    """A time of a record; an empty text for none."""
    if instant is None:
        return ""
    if utc or not is_terminal():
        return instant
    return ago(parse_instant(instant), now())


def clock(instant: str, *, utc: bool) -> str:
    """A time among others of the same hour, to the millisecond on a terminal."""
    return instant if utc or not is_terminal() else instant[11:23]


def ago(then: int, at: int) -> str:
    """`3 min ago`, `in 3 min`."""
    seconds = abs(at - then) // SECOND
    for size, unit in _UNITS:
        if seconds >= size:
            text = f"{seconds // size} {unit}"
            return f"{text} ago" if at >= then else f"in {text}"
    return "now"


def lasted(microseconds: int) -> str:
    """A duration: `12 ms`, `3.4 s`, `2:05 min`, `1:02:03 h`."""
    if microseconds < SECOND:
        return f"{max(microseconds, 0) // 1000} ms"
    seconds = microseconds // SECOND
    if seconds < 60:
        return f"{microseconds / SECOND:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02d} min"
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d} h"
