import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.values.duration import (
    DAY,
    HOUR,
    MAX_DURATION,
    MINUTE,
    SECOND,
    WEEK,
    DurationError,
    format_duration,
    parse_duration,
)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("500ms", 500_000),
        ("30s", 30 * SECOND),
        ("5m", 5 * MINUTE),
        ("2h30m", 2 * HOUR + 30 * MINUTE),
        ("1h30m", HOUR + 30 * MINUTE),
        ("7d", 7 * DAY),
        ("2w", 2 * WEEK),
        ("10us", 10),
        ("0s", 0),
        ("90m", 90 * MINUTE),
        ("1w2d3h4m5s6ms7us", WEEK + 2 * DAY + 3 * HOUR + 4 * MINUTE + 5 * SECOND + 6_007),
    ],
)
def test_reads(text: str, us: int) -> None:
    assert parse_duration(text) == us


@pytest.mark.parametrize(
    ("text", "why", "corrected"),
    [
        ("PT5M", "ISO 8601", "5m"),
        ("P1DT2H", "ISO 8601", "1d2h"),
        ("P2W", "ISO 8601", "14d"),
        ("pt0.5s", "ISO 8601", "500ms"),
        ("P1M", "ISO 8601", None),  # months have no length
        ("P", "ISO 8601", None),
        ("5 min", "nothing between", "5m"),
        ("1 hour and 30 minutes", "nothing between", "1h30m"),
        ("2 days, 3 hours", "nothing between", "2d3h"),
        (" 5m", "nothing between", "5m"),
        ("30S", "nothing between", "30s"),
        ("20µs", "nothing between", "20us"),
        ("1.5h", "whole", "1h30m"),
        ("0.0000001s", "whole", None),
        ("30m1h", "largest to the smallest", "1h30m"),
        ("1m1m", "repeated", "2m"),
        ("5 fortnights", "no unit `fortnights`", None),
        ("5", "unit is missing", None),
        ("0", "unit is missing", "0s"),
        ("-5m", "negative", None),
        ("", "empty", None),
        ("  ", "empty", None),
        ("soon", "not numbers with units", None),
        ("5m!", "not numbers with units", None),
        ("5m\n", "nothing between", "5m"),
        ("٥m", "not numbers with units", None),
        ("100001d", "longest", None),
        ("9" * 5000 + "s", "not numbers with units", None),
    ],
)
def test_refuses_and_says_why(text: str, why: str, corrected: str | None) -> None:
    with pytest.raises(DurationError, match=why) as caught:
        parse_duration(text)
    assert caught.value.corrected == corrected
    if corrected:
        assert f"write `{corrected}`" in str(caught.value)


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0s"),
        (1, "1us"),
        (1_500, "1ms500us"),
        (90 * SECOND, "1m30s"),
        (150 * MINUTE, "2h30m"),
        (7 * DAY, "7d"),
        (DAY + 1, "1d1us"),
    ],
)
def test_writes(us: int, text: str) -> None:
    assert format_duration(us) == text


def test_writes_no_negative_one() -> None:
    with pytest.raises(DurationError, match="negative"):
        format_duration(-1)


@given(st.integers(0, MAX_DURATION))
def test_reads_back_what_it_wrote(us: int) -> None:
    assert parse_duration(format_duration(us)) == us


@given(st.text(alphabet="0123456789.PTpt wdhmsu-+,µ", max_size=12))
def test_a_correction_is_a_duration(text: str) -> None:
    try:
        parse_duration(text)
    except DurationError as error:
        if error.corrected is not None:
            parse_duration(error.corrected)


def test_the_error_travels_between_processes() -> None:
    error = pickle.loads(pickle.dumps(DurationError("PT5M", "why", "5m")))
    assert (error.text, error.why, error.corrected) == ("PT5M", "why", "5m")
