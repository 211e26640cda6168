from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.values.cron import CronError, check_cron, next_after
from engine.values.instant import format_instant, parse_instant, to_datetime


def firings(expression: str, zone: str, after: str, count: int) -> list[str]:
    """The next ones in local time, with the offset."""
    instant = parse_instant(after)
    found = []
    for _ in range(count):
        instant = next_after(expression, zone, instant)
        found.append(to_datetime(instant).astimezone(ZoneInfo(zone)).isoformat(timespec="minutes"))
    return found


@pytest.mark.parametrize(
    ("expression", "after", "then"),
    [
        ("15 2 * * *", "2026-01-02T02:15:00Z", "2026-01-03T02:15:00.000000Z"),
        ("15 2 * * *", "2026-01-02T02:14:59.999999Z", "2026-01-02T02:15:00.000000Z"),
        ("*/5 * * * *", "2026-01-02T03:04:05Z", "2026-01-02T03:05:00.000000Z"),
        ("0 9 * * MON-FRI", "2026-01-02T10:00:00Z", "2026-01-05T09:00:00.000000Z"),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00.000000Z"),
        ("0 0 L * *", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00.000000Z"),
        ("0 0 * * 1#2", "2026-01-01T00:00:00Z", "2026-01-12T00:00:00.000000Z"),
    ],
)
def test_next_in_utc(expression: str, after: str, then: str) -> None:
    assert format_instant(next_after(expression, "UTC", parse_instant(after))) == then


@pytest.mark.parametrize(
    ("expression", "zone", "after", "then"),
    [
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"],
            id="a skipped time fires right after the gap",
        ),
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"],
            id="a time that comes twice fires once",
        ),
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-25T01:10:00Z",
            ["2026-10-26T02:30+01:00"],
            id="nor does it fire when asked between the two",
        ),
        pytest.param(
            "0 * * * *",
            "Europe/Berlin",
            "2026-10-24T23:30:00Z",
            ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"],
            id="an interval follows real time",
        ),
        pytest.param(
            "0 0 * * *",
            "America/Sao_Paulo",
            "2018-11-03T12:00:00Z",
            ["2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"],
            id="a skipped midnight",
        ),
        pytest.param(
            "0,30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"],
            id="two skipped times fire once",
        ),
    ],
)
def test_daylight_saving(expression: str, zone: str, after: str, then: list[str]) -> None:
    assert firings(expression, zone, after, len(then)) == then


@pytest.mark.parametrize(
    ("expression", "zone", "why"),
    [
        ("61 * * * *", "UTC", r"the minute field cannot be `61` \(0-59\)"),
        ("* 24 * * *", "UTC", "the hour field cannot be `24`"),
        ("* * * * FOO", "UTC", "the day-of-week field cannot be `FOO`"),
        ("* * * 13 *", "UTC", "the month field"),
        ("*/0 * * * *", "UTC", "the minute field"),
        ("* * *", "UTC", "five fields .*, not 3"),
        ("0 * * * * *", "UTC", "five fields .*, not 6"),
        ("", "UTC", "not 0"),
        ("0 0 31 2 *", "UTC", "never fires: month 2 has no day 31"),
        ("0 0 * * *", "Europe/Atlantis", "`Europe/Atlantis`: unknown time zone"),
        ("0 0 * * *", "Europe", "unknown time zone"),
        ("0 0 * * *", "../etc/passwd", "unknown time zone"),
        ("0 0 * * *", "", "unknown time zone"),
    ],
)
def test_refuses_and_says_why(expression: str, zone: str, why: str) -> None:
    with pytest.raises(CronError, match=why):
        check_cron(expression, zone)


def test_a_nickname_is_corrected() -> None:
    with pytest.raises(CronError, match="write `0 0") as caught:
        check_cron("@daily")
    assert caught.value.corrected == "0 0 * * *"


@given(
    st.lists(st.text("0123456789*/,-#LWMON²", min_size=1, max_size=4), min_size=5, max_size=5),
)
def test_any_text_is_a_line_or_a_cron_error(parts: list[str]) -> None:
    try:
        check_cron(" ".join(parts))
    except CronError as error:
        assert str(error).startswith("`")


@given(
    st.integers(1_700_000_000_000_000, 1_900_000_000_000_000),
    st.sampled_from(["*/20 * * * *", "30 2 * * *", "0 0 1 * *", "*/30 0 * * *", "5 */2 * * SUN"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_the_next_is_later_and_there_is_none_between(
    after: int, expression: str, zone: str
) -> None:
    then = next_after(expression, zone, after)
    assert then > after
    assert next_after(expression, zone, (after + then) // 2) == then
