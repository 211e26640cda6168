"""One attempt that runs beside the caller, and the watch over its time.

`supervise` is the only place that knows the limits: it waits for the end, the timeout or a silence,
passes a cancellation on, and lets an attempt that does not stop be abandoned. How to stop is the
business of the three kinds of attempt (task, thread, subprocess).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from engine.activities.outcome import Failed, Outcome, timed_out

if TYPE_CHECKING:
    from engine.activities.context import Line
    from engine.history.events import Failure

_SECOND = 1_000_000


class Attempt(Protocol):
    """A running attempt. `ended` is never cancelled by those who wait for it."""

    @property
    def ended(self) -> asyncio.Future[Outcome]: ...

    @property
    def waits(self) -> bool:
        """Whether a timeout is reported only after the attempt got its chance to stop."""
        ...

    def stop(self) -> None:
        """Ask it to stop."""
        ...

    def abandon(self) -> None:
        """It did not stop: get rid of it as far as that is possible."""
        ...


async def supervise(
    attempt: Attempt, line: Line, *, grace_seconds: float, time_left: int | None
) -> Outcome:
    """The outcome of the attempt; `time_left` is microseconds.

    Raises:
        CancelledError: the caller was cancelled; the attempt had its chance to stop.
    """
    try:
        failure = await _watch(attempt.ended, line, time_left)
    except asyncio.CancelledError:
        line.cancelled = True
        attempt.stop()
        await _settle(attempt, grace_seconds)
        line.closed = True
        raise
    if failure is None:
        return attempt.ended.result()
    line.cancelled = True
    attempt.stop()
    await _settle(attempt, grace_seconds if attempt.waits else 0)
    line.closed = True
    return Failed(failure, line.details)


async def _watch(
    ended: asyncio.Future[Outcome], line: Line, time_left: int | None
) -> Failure | None:
    """Wait for the end (None) or for a limit that is passed first."""
    now = asyncio.get_running_loop().time
    end = None if time_left is None else now() + time_left / _SECOND
    silence = line.call.heartbeat_timeout
    line.last_beat = now()
    while True:
        due = [] if end is None else [end]
        if silence is not None:
            due.append(line.last_beat + silence / _SECOND)
        await asyncio.wait({ended}, timeout=max(0.0, min(due) - now()) if due else None)
        if ended.done():
            return None
        if end is not None and time_left is not None and now() >= end:
            return timed_out("attempt timeout", time_left)
        if silence is not None and now() >= line.last_beat + silence / _SECOND:
            return timed_out("heartbeat timeout", silence)


async def _settle(attempt: Attempt, grace_seconds: float) -> None:
    try:
        if grace_seconds > 0:
            await asyncio.wait({attempt.ended}, timeout=grace_seconds)
    finally:  # a second cancellation ends the patience
        if not attempt.ended.done():
            attempt.abandon()
