"""`Retry`: the retry policy as authors of activities write it, durations as text or timedelta.

It holds what the author wrote; `policy` is the same in the engine's own terms. What is wrong is
refused when the object is made, so at the line that says it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from engine.errors import SettingsError
from engine.values.duration import MAX_DURATION, MICROSECOND, DurationError, parse_duration
from engine.values.retry import Backoff, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

Duration: TypeAlias = str | timedelta

_MICROSECOND = timedelta(microseconds=MICROSECOND)


@dataclass(frozen=True, kw_only=True)
class Retry:
    """When and how often a failed attempt of an activity is tried again.

    `max_attempts` counts the first one. The step's own `retry:` replaces all of this.

    Raises:
        SettingsError: a number or a duration is out of its range.
    """

    max_attempts: int = 3
    backoff: Backoff = "exponential"
    delay: Duration = "1s"
    factor: float = 2.0
    max_delay: Duration = "1m"
    jitter: float = 0.0
    attempt_timeout: Duration | None = None
    max_elapsed: Duration | None = None
    retry_on: Sequence[str] = ()
    give_up_on: Sequence[str] = ()
    policy: RetryPolicy = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.backoff not in ("fixed", "linear", "exponential"):
            raise SettingsError(
                f"there is no backoff `{self.backoff}`", hint="fixed, linear or exponential"
            )
        try:
            policy = RetryPolicy(
                max_attempts=self.max_attempts,
                backoff=self.backoff,
                delay=microseconds(self.delay),
                factor=self.factor,
                max_delay=microseconds(self.max_delay),
                jitter=self.jitter,
                attempt_timeout=optional_microseconds(self.attempt_timeout),
                max_elapsed=optional_microseconds(self.max_elapsed),
                retry_on=_globs("retry_on", self.retry_on),
                give_up_on=_globs("give_up_on", self.give_up_on),
            )
        except ValueError as error:
            raise SettingsError(f"this Retry cannot be: {error}") from error
        object.__setattr__(self, "policy", policy)


def microseconds(duration: Duration) -> int:
    """Microseconds of a duration.

    Raises:
        DurationError: it is not one, negative, or too long.
    """
    if isinstance(duration, str):
        return parse_duration(duration)
    if not isinstance(duration, timedelta):
        raise DurationError(repr(duration), "it is neither text nor a timedelta")
    whole = duration // _MICROSECOND
    if not 0 <= whole <= MAX_DURATION:
        raise DurationError(str(duration), "it is negative or too long")
    return whole


def optional_microseconds(duration: Duration | None) -> int | None:
    """As `microseconds`; None stays None."""
    return None if duration is None else microseconds(duration)


def _globs(name: str, patterns: Sequence[str]) -> tuple[str, ...]:
    if isinstance(patterns, str):
        raise ValueError(f"{name} is a list of error types, not one text")
    return tuple(patterns)
