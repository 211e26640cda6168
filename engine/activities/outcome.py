"""What became of one attempt, and how an exception turns into a `Failure`.

Rule 1: whatever an activity raises is a failure of that attempt and of nothing else; an exit or
an interrupt raised inside it included.
Rule 2: a failure is bounded in depth and length, and is JSON, whatever the exception held.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from engine.activities.result import to_json
from engine.errors import ActivityError
from engine.history.events import Failure
from engine.values.json import Json

MESSAGE_LENGTH: Final = 4_000
CAUSES: Final = 8
DETAILS_LIMIT: Final = 64 * 1024


class Succeeded(msgspec.Struct, frozen=True, tag="succeeded"):
    """The activity returned; `result` is JSON within the limit."""

    result: Json = None


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The attempt failed. `heartbeat` are the last details, for the next attempt."""

    failure: Failure
    heartbeat: Json = None


Outcome: TypeAlias = Succeeded | Failed


def failure_of(error: BaseException, *, depth: int = CAUSES) -> Failure:
    """The failure that an exception is, its chain of causes included."""
    cause = error.__cause__
    told = None if cause is None or depth <= 1 else failure_of(cause, depth=depth - 1)
    if isinstance(error, ActivityError):
        return Failure(
            type=_bounded(str(error.type)),
            message=_text(error),
            retryable=bool(error.retryable),
            details=_details(error.details),
            cause=told,
        )
    return Failure(
        type=f"python.{type(error).__name__}",
        message=_text(error),
        retryable=True,
        details=_parts(error),
        cause=told,
    )


def timed_out(what: str, microseconds: int) -> Failure:
    """The failure of an attempt whose time is up. It may be retried."""
    return Failure(
        type="sys.timeout",
        message=f"{what} ran out after {microseconds / 1_000_000:g} s",
        retryable=True,
        details={"limit": what, "microseconds": microseconds},
    )


def _text(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"exit with {error.code!r}"
    try:
        return _bounded(str(error)) or type(error).__name__
    except Exception as broken:  # noqa: BLE001  # the author's __str__ may raise anything
        return f"({type(error).__name__} without text: its __str__ raised {type(broken).__name__})"


def _parts(error: BaseException) -> Json:
    """The members of a group, whose own message tells nothing."""
    if not isinstance(error, BaseExceptionGroup):
        return None
    return {
        "exceptions": [
            {"type": f"python.{type(part).__name__}", "message": _text(part)}
            for part in error.exceptions[:CAUSES]
        ]
    }


def _details(details: object) -> Json:
    try:
        return to_json(details, limit=DETAILS_LIMIT, what="error details")
    except ActivityError as refusal:
        return {"refused": refusal.message}


def _bounded(text: str) -> str:
    if len(text) > MESSAGE_LENGTH:
        text = text[: MESSAGE_LENGTH - 1] + "…"
    # File names that are no UTF-8 come with lone surrogates, which no store takes.
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()
