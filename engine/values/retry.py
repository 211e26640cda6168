"""Retry arithmetic: how long to wait before the next attempt, and whether there is one.

Durations are microseconds. ``attempt`` counts from 1, the first try included. Jitter takes its
randomness as an argument, so that replay agrees with the run.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

import msgspec

Backoff = Literal["fixed", "linear", "exponential"]

SECOND = 1_000_000
MINUTE = 60 * SECOND


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When and how often a failed attempt is tried again (LANGUAGE.md sections 1 and 10)."""

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


ONCE = RetryPolicy(max_attempts=1)


def type_matches(error_type: str, patterns: tuple[str, ...]) -> bool:
    """True when a dotted error type fits one of the globs; ``*`` matches dots too."""
    return any(pattern in ("*", error_type) or fnmatchcase(error_type, pattern) for pattern in patterns)


def delay_after(policy: RetryPolicy, attempt: int, draw: float = 0.5) -> int:
    """Microseconds between failed ``attempt`` and the next one; ``draw`` is uniform in [0, 1)."""
    if policy.backoff == "fixed":
        delay = float(policy.delay)
    elif policy.backoff == "linear":
        delay = min(policy.delay * attempt, policy.max_delay)
    else:
        exponent = min(attempt - 1, 1000)
        try:
            delay = min(policy.delay * policy.factor**exponent, policy.max_delay)
        except OverflowError:
            delay = float(policy.max_delay)
    if policy.jitter:
        delay *= 1 - policy.jitter + 2 * policy.jitter * draw
    return int(delay)


def may_retry(policy: RetryPolicy, attempt: int, error_type: str, *, retryable: bool) -> bool:
    """Whether failed ``attempt`` may be followed by another, time aside.

    ``give_up_on`` beats ``retry_on``; ``retryable: false`` beats both.
    """
    if attempt >= policy.max_attempts or not retryable:
        return False
    if type_matches(error_type, policy.give_up_on):
        return False
    return not policy.retry_on or type_matches(error_type, policy.retry_on)
