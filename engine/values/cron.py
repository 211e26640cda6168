"""Cron lines: checking one, and the next instant after another.

Five fields, as in crontab(5): minute, hour, day of month, month, day of week; lists, ranges, steps,
names, `L`, `LW` and `MON#2`. Daylight saving follows Debian's cron: a fixed time that the clocks
skip fires right after the gap; one that comes twice fires once; intervals (`*`) follow real time.

The zone database is the only thing read from outside, through `zoneinfo`, and is cached there.
"""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from engine.values.instant import from_datetime, to_datetime

_FIELDS: Final = {
    "minute": "0-59",
    "hour": "0-23",
    "day-of-month": "1-31, L or LW",
    "month": "1-12 or JAN-DEC",
    "day-of-week": "0-7 or SUN-SAT",
}
_NICKNAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class CronError(ValueError):
    """A cron line or its time zone cannot be used. `corrected` is the line that was meant."""

    def __init__(self, text: str, why: str, corrected: str | None = None) -> None:
        super().__init__(text, why, corrected)
        self.text = text
        self.why = why
        self.corrected = corrected

    def __str__(self) -> str:
        mend = f"; write `{self.corrected}`" if self.corrected else ""
        return f"`{self.text}`: {self.why}{mend}"


def check_cron(expression: str, timezone: str = "UTC") -> None:
    """Refuse a line that is malformed, never fires, or names an unknown zone.

    Raises:
        CronError: with the reason.
    """
    next_after(expression, timezone, 0)


def next_after(expression: str, timezone: str, after_us: int) -> int:
    """The first instant later than `after_us` at which the line fires.

    Raises:
        CronError: the line is malformed or never fires again, or the zone is unknown.
    """
    zone = _zone(timezone)
    try:
        moments = CronSim(_checked(expression), to_datetime(after_us).astimezone(zone))
    except CronSimError as error:
        raise _refusal(expression, str(error)) from error
    # A wall clock that is set back or forward can name an instant already past, or one twice.
    for moment in moments:
        instant = from_datetime(moment)
        if instant > after_us:
            return instant
    raise CronError(expression, "it never fires")


def _checked(expression: str) -> str:
    nickname = _NICKNAMES.get(expression.strip().lower())
    if nickname:
        raise CronError(expression, "a cron line is five fields", nickname)
    count = len(expression.split())
    if count != len(_FIELDS):
        names = ", ".join(_FIELDS)
        raise CronError(expression, f"a cron line is five fields ({names}), not {count}")
    return expression


def _refusal(expression: str, problem: str) -> CronError:
    name = problem.removeprefix("Bad ")
    if name not in _FIELDS:
        return CronError(expression, problem)
    parts = expression.split()
    part = parts[list(_FIELDS).index(name)]
    if name == "day-of-month" and _is_line([*parts[:3], "*", *parts[4:]]):
        return CronError(expression, f"it never fires: month {parts[3]} has no day {part}")
    return CronError(expression, f"the {name} field cannot be `{part}` ({_FIELDS[name]})")


def _is_line(parts: list[str]) -> bool:
    try:
        CronSim(" ".join(parts), to_datetime(0))
    except CronSimError:
        return False
    return True


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    # A path out of the database, or one of its folders, is no zone either.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CronError(timezone, "unknown time zone, write one like `Europe/Berlin`") from error
