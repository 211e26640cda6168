"""Calling the function itself: arguments in, outcome out, nothing escapes.

Used by the runner and, unchanged, in a subprocess. The only exceptions that leave are a
cancellation that somebody asked for and the closing of the coroutine.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from engine.activities.context import CURRENT, ActivityContext
from engine.activities.outcome import Failed, Outcome, Succeeded, failure_of
from engine.activities.result import to_json
from engine.errors import ActivityError

if TYPE_CHECKING:
    from engine.activities.context import Line
    from engine.activities.decorator import ActivityDefinition

logger = logging.getLogger("lockstep.activity")


class Callee:
    """A definition made ready to be called many times."""

    __slots__ = (
        "_bind",
        "_context_parameter",
        "_function",
        "_result_limit",
        "definition",
        "is_async",
    )

    def __init__(self, definition: ActivityDefinition, *, result_limit: int) -> None:
        self.definition = definition
        self.is_async = definition.is_async
        self._function = definition.function
        self._bind = definition.signature.bind
        self._context_parameter = definition.signature.context_parameter
        self._result_limit = result_limit

    async def call_here(self, line: Line) -> Outcome:
        """As `call`, for whatever task this turns out to run in."""
        return await self.call(line, this_task())

    async def call(self, line: Line, task: asyncio.Task[Any]) -> Outcome:
        """Await the coroutine function in the current task, which is `task`.

        Raises:
            CancelledError: the task was asked to stop, whether the activity obeyed or not.
        """
        line.task = task
        line.cancels = task.cancelling()
        try:
            arguments = self._arguments(line)
        except ActivityError as refusal:
            return Failed(failure_of(refusal), line.details)
        token = CURRENT.set(line)
        try:
            outcome: Outcome = self._succeeded(await self._function(**arguments))
        except GeneratorExit:  # the coroutine is being closed, in whatever context
            raise
        except BaseException as error:  # noqa: BLE001  # Rule 1 of outcome.py
            outcome = failed(error, line)
        CURRENT.reset(token)
        if task.cancelling() > line.cancels:
            raise asyncio.CancelledError
        return outcome

    def call_blocking(self, line: Line) -> Outcome:
        """Call the plain function in this thread."""
        try:
            arguments = self._arguments(line)
        except ActivityError as refusal:
            return Failed(failure_of(refusal), line.details)
        token = CURRENT.set(line)
        try:
            return self._succeeded(self._function(**arguments))
        except BaseException as error:  # noqa: BLE001  # Rule 1 of outcome.py
            return failed(error, line)
        finally:
            CURRENT.reset(token)

    def _arguments(self, line: Line) -> dict[str, Any]:
        arguments = self._bind(line.call.args)
        if self._context_parameter is not None:
            arguments[self._context_parameter] = ActivityContext(line)
        return arguments

    def _succeeded(self, result: object) -> Succeeded:
        return Succeeded(to_json(result, limit=self._result_limit))


def this_task() -> asyncio.Task[Any]:
    """The current task."""
    task = asyncio.current_task()
    assert task is not None  # there is no await outside a task
    return task


def failed(error: BaseException, line: Line) -> Failed:
    """The outcome of an attempt that raised; what was not raised on purpose is logged."""
    call = line.call
    if not isinstance(error, ActivityError) and not line.is_cancelled():
        logger.warning(
            "activity attempt failed",
            exc_info=error,
            extra={
                "activity": call.name,
                "instance_id": call.instance_id,
                "step_path": call.step_path,
                "attempt": call.attempt,
            },
        )
    return Failed(failure_of(error), line.details)
