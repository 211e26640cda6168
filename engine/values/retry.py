"""Retry arithmetic: whether a failed attempt is followed by another, and after how long.

Durations are microseconds. `attempt` is the number of the attempt that failed; it counts from 1,
the first try included, so `max_attempts=3` means two waits at most. Jitter takes its randomness as
an argument, so that replay agrees with the run; for the same reason a delay is rounded to whole
microseconds, which hides the last bit in which the power functions of two machines may differ.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from engine.values.duration import MINUTE, SECOND

Backoff = Literal["fixed", "linear", "exponential"]


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When and how often a failed attempt is tried again; the defaults are those of `retry: {}`.

    `delay`, `max_delay`, `attempt_timeout` and `max_elapsed` are microseconds. An empty `retry_on`
    means every type. `max_delay` bounds what grows, so not a fixed delay, and is applied before
    the jitter.
    """

    max_attempts: int = 3
    backoff: Backoff = "exponential"
    delay: int = SECOND
    factor: float = 2.0
    max_delay: int = MINUTE
    jitter: float = 0.0
    attempt_timeout: int | None = None
    max_elapsed: int | None = None
    retry_on: tuple[str, ...] = ()
    give_up_on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ValueError(f"max_attempts counts the first one: {self.max_attempts} is below 1")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter is a share from 0 to 1, not {self.jitter}")
        if not 0 < self.factor < float("inf"):
            raise ValueError(f"factor is a number above 0, not {self.factor}")
        if self.delay < 0 or self.max_delay < 0:
            raise ValueError("a delay is never negative")


ONCE = RetryPolicy(max_attempts=1)


def type_matches(error_type: str, patterns: tuple[str, ...]) -> bool:
    """Whether a dotted error type fits one of the globs; `*` matches any rest, dots included."""
    return any(fnmatchcase(error_type, pattern) for pattern in patterns)


def delay_after(policy: RetryPolicy, attempt: int, draw: float = 0.5) -> int:
    """Microseconds between failed `attempt` and the next one; `draw` is uniform in [0, 1)."""
    match policy.backoff:
        case "fixed":
            delay = float(policy.delay)
        case "linear":
            delay = float(min(policy.delay * attempt, policy.max_delay))
        case "exponential":
            delay = min(_grown(policy, attempt), float(policy.max_delay))
    if policy.jitter:
        delay *= 1 - policy.jitter + 2 * policy.jitter * draw
    return round(delay)


def may_retry(policy: RetryPolicy, attempt: int, error_type: str, *, retryable: bool) -> bool:
    """Whether failed `attempt` may be followed by another, time aside.

    `give_up_on` beats `retry_on`; `retryable: false` beats both.
    """
    if attempt >= policy.max_attempts or not retryable:
        return False
    if type_matches(error_type, policy.give_up_on):
        return False
    return not policy.retry_on or type_matches(error_type, policy.retry_on)


def may_wait(policy: RetryPolicy, elapsed: int) -> bool:
    """Whether a wait may begin `elapsed` microseconds after the first attempt began."""
    return policy.max_elapsed is None or elapsed < policy.max_elapsed


def _grown(policy: RetryPolicy, attempt: int) -> float:
    if policy.delay == 0:
        return 0.0
    try:
        return float(policy.delay * policy.factor ** (attempt - 1))
    except OverflowError:
        return float(policy.max_delay)
