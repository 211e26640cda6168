"""What a running activity knows of itself, and how it talks back: heartbeats and cancellation.

The same object serves async functions, threads and subprocesses. It knows none of them: `Line` is
the one connection between an attempt and whoever runs it. It is written and read by several
threads, so every field of it is one that is replaced whole, never changed in place.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.activities.result import to_json
from engine.values.digest import digest
from engine.values.json import Json, JsonObject

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, MutableMapping

KEY_LENGTH: Final = 200  # Stripe and others take 255; what prefixes it needs room too


class ActivityCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt to run. Durations are microseconds, `deadline` is microseconds since 1970.

    `deadline` bounds all attempts, `attempt_timeout` this one, `heartbeat_timeout` the silence
    between two heartbeats; `heartbeat_details` are the last ones of the attempt before.
    """

    name: str
    args: JsonObject = {}
    instance_id: str
    execution: int = 1
    workflow: str
    version: str
    step_path: str
    attempt: int = 1
    attempt_timeout: int | None = None
    heartbeat_timeout: int | None = None
    deadline: int | None = None
    heartbeat_details: Json = None


class Line:
    """The connection of one attempt. `sink` takes its heartbeats, called from any thread.

    `details` are the last ones given, by this attempt or one before it. `task` is the task of the
    loop that runs the activity, when it has no other way to learn that it was cancelled. Once
    `closed`, the attempt has been reported and nobody listens.
    """

    __slots__ = (
        "announced",
        "call",
        "cancelled",
        "cancels",
        "closed",
        "details",
        "last_beat",
        "sink",
        "task",
    )

    def __init__(self, call: ActivityCall, sink: Callable[[Line, Json], None]) -> None:
        self.call = call
        self.sink = sink
        self.details = call.heartbeat_details
        self.cancelled = False
        self.closed = False
        self.announced = False
        self.last_beat = 0.0
        self.task: asyncio.Task[Any] | None = None
        self.cancels = 0  # requests the task had before this attempt began

    def is_cancelled(self) -> bool:
        """Whether somebody wants the attempt to stop."""
        return self.cancelled or (self.task is not None and self.task.cancelling() > self.cancels)


class ActivityContext:
    """Passed to the parameter of an activity that is annotated with it.

    `heartbeat` says "still alive" and keeps details for the next attempt; `cancelled` says that
    the result is no longer wanted: return or raise soon.
    """

    __slots__ = ("_call", "_line")

    def __init__(self, line: Line) -> None:
        self._call = line.call
        self._line = line

    @property
    def instance_id(self) -> str:
        """The instance that waits for this activity."""
        return self._call.instance_id

    @property
    def execution(self) -> int:
        """Number of the instance's execution, from 1."""
        return self._call.execution

    @property
    def workflow(self) -> str:
        """Name of the workflow."""
        return self._call.workflow

    @property
    def version(self) -> str:
        """Version of the workflow this execution is pinned to."""
        return self._call.version

    @property
    def step_path(self) -> str:
        """Address of the step, with indices."""
        return self._call.step_path

    @property
    def attempt(self) -> int:
        """Number of this attempt, from 1."""
        return self._call.attempt

    @property
    def heartbeat_details(self) -> Json:
        """The last details an earlier attempt gave to `heartbeat`, so that this one can go on."""
        return self._call.heartbeat_details

    @property
    def idempotency_key(self) -> str:
        """`<instance>/<execution>/<step path>`: one key for all attempts of this step.

        A longer one than 200 characters is replaced by its SHA-256. Keys never collide: the last
        part of all digits is the execution, as no part of a step path is a number.
        """
        call = self._call
        key = f"{call.instance_id}/{call.execution}/{call.step_path}"
        return key if len(key) <= KEY_LENGTH else digest(key.encode())

    @property
    def cancelled(self) -> bool:
        """Whether the activity should stop: it was cancelled, or its time is up."""
        return self._line.is_cancelled()

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """The logger `lockstep.activity.<name>`; its records carry the fields of this context."""
        call = self._call
        fields = {
            "activity": call.name,
            "instance_id": call.instance_id,
            "execution": call.execution,
            "workflow": call.workflow,
            "version": call.version,
            "step_path": call.step_path,
            "attempt": call.attempt,
        }
        return _Adapter(logging.getLogger(f"lockstep.activity.{call.name}"), fields)

    def heartbeat(self, details: object = None) -> None:
        """Say that the attempt is alive; `details` reach the next attempt if this one fails.

        Without details, those of the last heartbeat that had some are kept.

        Raises:
            ActivityResultError: the details are not JSON.
            ActivityLimitError: they are too large.
        """
        self._line.sink(self._line, to_json(details, what="heartbeat details"))


CURRENT: Final[ContextVar[Line]] = ContextVar("activity")


def current() -> ActivityContext:
    """The context of the activity that is running here.

    Raises:
        LookupError: no activity is.
    """
    try:
        return ActivityContext(CURRENT.get())
    except LookupError:
        raise LookupError("no activity is running here") from None


class _Adapter(logging.LoggerAdapter[logging.Logger]):
    """Adds the fields to those of the call; the stock adapter would drop the latter."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs
