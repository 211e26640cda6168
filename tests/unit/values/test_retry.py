import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.values.duration import HOUR, MINUTE, SECOND
from engine.values.retry import (
    ONCE,
    RetryPolicy,
    delay_after,
    may_retry,
    may_wait,
    type_matches,
)


def delays(policy: RetryPolicy) -> list[float]:
    """Every wait of a policy whose attempts all fail, in seconds."""
    found = []
    attempt = 1
    while may_retry(policy, attempt, "x.y", retryable=True):
        found.append(delay_after(policy, attempt) / SECOND)
        attempt += 1
    return found


def test_defaults_of_an_empty_block() -> None:
    policy = RetryPolicy()
    assert (policy.max_attempts, policy.backoff, policy.factor) == (3, "exponential", 2.0)
    assert (policy.delay, policy.max_delay, policy.jitter) == (SECOND, MINUTE, 0)
    assert (policy.attempt_timeout, policy.max_elapsed) == (None, None)


def test_no_block_is_one_attempt() -> None:
    assert delays(ONCE) == []


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        (
            RetryPolicy(max_attempts=6, backoff="linear", delay=2 * SECOND, max_delay=10 * SECOND),
            [2, 4, 6, 8, 10],
        ),
        (
            RetryPolicy(max_attempts=8, backoff="linear", delay=2 * SECOND, max_delay=10 * SECOND),
            [2, 4, 6, 8, 10, 10, 10],
        ),
        (
            RetryPolicy(max_attempts=7, delay=2 * SECOND, max_delay=30 * SECOND),
            [2, 4, 8, 16, 30, 30],
        ),
        (RetryPolicy(max_attempts=4, backoff="fixed", delay=3 * SECOND), [3, 3, 3]),
        # max_delay bounds what grows
        (RetryPolicy(max_attempts=2, backoff="fixed", delay=HOUR, max_delay=SECOND), [3600]),
        (RetryPolicy(), [1, 2]),
        (RetryPolicy(max_attempts=4, factor=1.5), [1, 1.5, 2.25]),
        (RetryPolicy(max_attempts=3, delay=0), [0, 0]),
        (RetryPolicy(max_attempts=2), [1]),
    ],
)
def test_exact_delays(policy: RetryPolicy, waits: list[float]) -> None:
    assert delays(policy) == waits


@pytest.mark.parametrize(("draw", "seconds"), [(0.0, 8.0), (0.25, 9.0), (0.5, 10.0), (0.75, 11.0)])
def test_jitter_scales(draw: float, seconds: float) -> None:
    policy = RetryPolicy(backoff="fixed", delay=10 * SECOND, jitter=0.2)
    assert delay_after(policy, 1, draw) == seconds * SECOND


@pytest.mark.parametrize("attempt", [1_000, 10_000, 10**9])
def test_a_late_attempt_does_not_overflow(attempt: int) -> None:
    assert delay_after(RetryPolicy(), attempt) == MINUTE
    assert delay_after(RetryPolicy(delay=0), attempt) == 0


@pytest.mark.parametrize(
    ("error_type", "pattern", "matches"),
    [
        ("payments.declined", "payments.declined", True),
        ("payments.declined", "payments.*", True),
        ("payments.card.declined", "payments.*", True),
        ("payments", "payments.*", False),
        ("sys.timeout", "*", True),
        ("sys.timeout", "*.timeout", True),
        ("sys.Timeout", "sys.timeout", False),
        ("sys.timeouts", "sys.timeout", False),
    ],
)
def test_type_globs(error_type: str, pattern: str, matches: bool) -> None:
    assert type_matches(error_type, (pattern,)) is matches


def test_no_pattern_matches_nothing() -> None:
    assert not type_matches("sys.timeout", ())


@pytest.mark.parametrize(
    ("options", "error_type", "retryable", "again"),
    [
        ({}, "any.error", True, True),
        ({}, "sys.timeout", True, True),
        ({}, "any.error", False, False),
        ({"retry_on": ("net.*",)}, "net.reset", True, True),
        ({"retry_on": ("net.*",)}, "db.locked", True, False),
        ({"give_up_on": ("sys.timeout",)}, "sys.timeout", True, False),
        ({"retry_on": ("net.*",), "give_up_on": ("net.dns",)}, "net.dns", True, False),
        ({"retry_on": ("net.*",)}, "net.reset", False, False),
    ],
)
def test_which_errors_are_tried_again(
    options: dict[str, tuple[str, ...]], error_type: str, retryable: bool, again: bool
) -> None:
    policy = RetryPolicy(**options)  # type: ignore[arg-type]
    assert may_retry(policy, 1, error_type, retryable=retryable) is again


def test_attempts_count_the_first_one() -> None:
    policy = RetryPolicy(max_attempts=3)
    assert [may_retry(policy, attempt, "x", retryable=True) for attempt in (1, 2, 3, 4)] == [
        True,
        True,
        False,
        False,
    ]


def test_no_wait_begins_past_max_elapsed() -> None:
    policy = RetryPolicy(max_elapsed=MINUTE)
    assert [may_wait(policy, elapsed) for elapsed in (0, MINUTE - 1, MINUTE, HOUR)] == [
        True,
        True,
        False,
        False,
    ]
    assert may_wait(RetryPolicy(), 1_000 * HOUR)


@pytest.mark.parametrize(
    "options",
    [
        {"max_attempts": 0},
        {"jitter": 1.1},
        {"jitter": -0.1},
        {"jitter": float("nan")},
        {"factor": 0},
        {"factor": float("inf")},
        {"factor": float("nan")},
        {"delay": -1},
        {"max_delay": -1},
    ],
)
def test_a_policy_that_exists_is_legal(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="is"):
        RetryPolicy(**options)  # type: ignore[arg-type]


@given(
    st.sampled_from(["linear", "exponential"]),
    st.integers(1, HOUR),
    st.integers(0, HOUR),
    st.floats(0, 1),
    st.floats(0, 1, exclude_max=True),
    st.integers(1, 100_000),
)
def test_a_delay_stays_within_its_bounds(
    backoff: str, delay: int, max_delay: int, jitter: float, draw: float, attempt: int
) -> None:
    policy = RetryPolicy(backoff=backoff, delay=delay, max_delay=max_delay, jitter=jitter)  # type: ignore[arg-type]
    waited = delay_after(policy, attempt, draw)
    assert 0 <= waited <= max_delay * (1 + jitter) + 1
