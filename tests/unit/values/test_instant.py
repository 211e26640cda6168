from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.values.instant import (
    MAX_INSTANT,
    MIN_INSTANT,
    format_instant,
    from_datetime,
    parse_instant,
    to_datetime,
)

instants = st.integers(MIN_INSTANT, MAX_INSTANT)


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_767_323_045_000_006, "2026-01-02T03:04:05.000006Z"),
        (MIN_INSTANT, "0001-01-01T00:00:00.000000Z"),
        (MAX_INSTANT, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_writes(us: int, text: str) -> None:
    assert format_instant(us) == text


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02t03:04:05.5z", "2026-01-02T03:04:05.500000Z"),
        ("2026-01-02 03:04:05+01:00", "2026-01-02T02:04:05.000000Z"),
        ("2026-01-02T03:04:05.123456789-05:30", "2026-01-02T08:34:05.123456Z"),
        ("2026-01-02T03:04:05-00:00", "2026-01-02T03:04:05.000000Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000000Z"),
    ],
)
def test_reads(text: str, utc: str) -> None:
    assert format_instant(parse_instant(text)) == utc


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-01-02T03:04:05", "does not say its offset"),
        ("2026-02-30", "day is out of range"),
        ("2026-01-02T25:00:00Z", "hour must be"),
        ("2026-01-02T03:04:05+24:00", "write it like"),
        ("20260102", "write it like"),
        ("2026-W01-1", "write it like"),
        ("2026-01-02T03:04Z", "write it like"),
        ("2026-01-02\n", "write it like"),
        ("tomorrow", "write it like"),
        ("", "write it like"),
        ("0001-01-01T00:00:00+01:00", "years 1 to 9999"),
        ("9999-12-31T23:59:59-01:00", "years 1 to 9999"),
    ],
)
def test_refuses_and_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_instant(text)


@pytest.mark.parametrize("us", [MIN_INSTANT - 1, MAX_INSTANT + 1, 10**30])
def test_an_instant_out_of_the_calendar_is_refused(us: int) -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        format_instant(us)


@given(instants)
def test_reads_back_what_it_wrote(us: int) -> None:
    assert parse_instant(format_instant(us)) == us
    assert from_datetime(to_datetime(us)) == us


@given(instants, instants)
def test_texts_sort_as_instants_do(one: int, other: int) -> None:
    assert (format_instant(one) < format_instant(other)) == (one < other)


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)),  # noqa: DTZ001 (the zone is added below)
    st.integers(-23 * 60, 23 * 60),
)
def test_an_offset_is_only_another_spelling(wall: datetime, minutes: int) -> None:
    moment = wall.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_instant(moment.isoformat()) == from_datetime(moment)
    assert to_datetime(from_datetime(moment)) == moment.astimezone(UTC)
