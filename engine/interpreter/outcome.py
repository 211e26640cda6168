"""How a frame ends. `None` where an outcome is expected means: not yet, something is open."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from engine.errors import ExpressionError
from engine.history.events import Failure

if TYPE_CHECKING:
    from engine.values.json import Json, JsonObject


PAYLOAD_LIMIT = 1024 * 1024  # bytes; DBOS and Temporal warn or refuse at 1 to 4 MiB
STATUS_LIMIT = 256 * 1024

_encode = msgspec.json.Encoder().encode


class Ok:
    """It succeeded with a value."""

    __slots__ = ("value",)

    def __init__(self, value: Json) -> None:
        self.value = value


class Err:
    """It raised; the nearest matching clause may catch it."""

    __slots__ = ("error",)

    def __init__(self, error: Failure) -> None:
        self.error = error


class Return:
    """`return`: the workflow ends with this output once every `finally` on the way out has run."""

    __slots__ = ("value",)

    def __init__(self, value: Json) -> None:
        self.value = value


class Renew:
    """`continue_as_new`: the execution ends, the next begins with this input."""

    __slots__ = ("input", "version")

    def __init__(self, input: Json, version: str) -> None:
        self.input = input
        self.version = version


class Stopped:
    """It was cancelled from outside and has cleaned up; `error` is a failure of that clean-up."""

    __slots__ = ("error",)

    def __init__(self, error: Failure | None = None) -> None:
        self.error = error


class Skipped:
    """Its `when` was false."""

    __slots__ = ()


Outcome: TypeAlias = Ok | Err | Return | Renew | Stopped | Skipped

NOTHING = Ok(None)
SKIPPED = Skipped()
STOPPED = Stopped()


class StepsExhausted(Exception):
    """More steps were executed for one fact than the limit allows; ends the execution."""


class TooLarge(ExpressionError):
    """A value is over a named limit; refused before it is decided on, so before it is stored."""

    error_type = "sys.limit"


def bounded(value: Json, what: str, limit: int = PAYLOAD_LIMIT) -> Json:
    """The value itself, if its JSON is small enough to be recorded."""
    size = len(_encode(value))
    if size > limit:
        raise TooLarge(f"{what}: {size} bytes of JSON; the limit is {limit}")
    return value


def raised(type: str, message: str, **fields: Any) -> Err:
    """An error of the engine's own."""
    return Err(Failure(type=type, message=message, **fields))


def timed_out(what: str, step: str | None = None) -> Err:
    """Its time is up. Trying again may help, so a retry around it may."""
    return raised("sys.timeout", f"{what} did not end in time", step=step, retryable=True)


def from_expression(error: ExpressionError) -> Err:
    """An expression that failed, as an error of the step that holds it."""
    return raised(error.error_type, error.message)


def failure_to_json(failure: Failure) -> JsonObject:
    """The error as expressions see it: every key is there."""
    return {
        "type": failure.type,
        "message": failure.message,
        "retryable": failure.retryable,
        "step": failure.step,
        "attempt": failure.attempt,
        "details": failure.details,
        "cause": failure_to_json(failure.cause) if failure.cause else None,
    }


def failure_from_json(value: Json) -> Failure:
    """The reverse, for `raise: ${{ error }}` and snapshots. Raises `ExpressionError` otherwise."""
    try:
        return msgspec.convert(value, Failure)
    except msgspec.ValidationError as error:
        message = f"this is not an error value: {error}"
        raise ExpressionError(message, mend="raise `error`, or `steps.<id>.error`") from error


def dump_outcome(outcome: Outcome) -> JsonObject:
    """Plain data for a snapshot."""
    match outcome:
        case Ok():
            return {"ok": outcome.value}
        case Err():
            return {"error": failure_to_json(outcome.error)}
        case Return():
            return {"return": outcome.value}
        case Renew():
            return {"renew": outcome.input, "version": outcome.version}
        case Stopped():
            return {"stopped": failure_to_json(outcome.error) if outcome.error else None}
        case Skipped():
            return {"skipped": True}


def load_outcome(data: JsonObject) -> Outcome:
    """The reverse of `dump_outcome`."""
    if "ok" in data:
        return Ok(data["ok"])
    if "error" in data:
        return Err(failure_from_json(data["error"]))
    if "return" in data:
        return Return(data["return"])
    if "renew" in data:
        # Interned, because msgspec leaves out a default by identity: `history.events`, Rule 4.
        return Renew(data["renew"], sys.intern(str(data["version"])))
    if "stopped" in data:
        stopped = data["stopped"]
        return Stopped(failure_from_json(stopped)) if stopped else STOPPED
    return SKIPPED
