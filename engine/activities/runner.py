"""The runner: executes one attempt of an activity and says what became of it.

Three ways, chosen by the function: a coroutine function is awaited in the caller's own task (in a
task beside it when there is a limit to watch), a plain one runs in a thread, and
`isolation="process"` in a subprocess. The runner knows neither queues nor history: it counts no
attempts and retries nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import msgspec

from engine.activities.attempt import Attempt, supervise
from engine.activities.context import ActivityCall, Line
from engine.activities.execute import Callee, this_task
from engine.activities.outcome import Failed, Outcome
from engine.activities.process.locator import locator_of
from engine.activities.process.pool import ProcessAttempt, ProcessPool
from engine.activities.process.wire import Run
from engine.activities.process.worker import WorkerDied
from engine.activities.result import RESULT_LIMIT
from engine.activities.threads import ThreadPool
from engine.history.events import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from engine.activities.registry import ActivityRegistry
    from engine.values.clock import Clock
    from engine.values.json import Json

_SECOND: Final = 1_000_000


class RunnerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes and limits of a runner.

    `grace` is what a cancelled attempt gets before it is given up, `shutdown_grace` what running
    ones get to finish when the runner closes; both in microseconds. `memory_limit` is bytes of
    address space per subprocess, `prelude` Python that each subprocess runs first.
    """

    threads: int = 32
    processes: int = os.cpu_count() or 1
    grace: int = 5 * _SECOND
    shutdown_grace: int = 10 * _SECOND
    memory_limit: int | None = None
    result_limit: int = RESULT_LIMIT
    prelude: str = ""


class ActivityRunner:
    """Runs attempts between `async with` and its end; threads and subprocesses start on demand.

    `on_heartbeat` is called on the loop with the call and its latest details; heartbeats that come
    faster than the loop turns are told as one.
    """

    def __init__(
        self,
        registry: ActivityRegistry,
        *,
        clock: Clock,
        options: RunnerOptions | None = None,
        on_heartbeat: Callable[[ActivityCall, Json], None] | None = None,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._options = options or RunnerOptions()
        self._on_heartbeat = on_heartbeat
        self._grace_seconds = self._options.grace / _SECOND
        self._threads = ThreadPool(self._options.threads)
        self._processes = ProcessPool(
            self._options.processes,
            memory_limit=self._options.memory_limit,
            prelude=self._options.prelude,
        )
        self._callees: dict[str, Callee] = {}
        self._running: set[asyncio.Task[object]] = set()
        self._left_behind: set[asyncio.Task[Outcome]] = set()
        self._idle = asyncio.Event()
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let running attempts finish, then cancel, then kill."""
        self._closing = True
        try:
            await self._drain(self._options.shutdown_grace)
            for task in self._running:
                task.cancel("the runner shuts down")
            await self._drain(self._options.grace)
        finally:
            self._threads.close()
            await self._processes.close()
            self._loop = None

    @property
    def lost_threads(self) -> int:
        """Threads whose attempt was given up and that have not returned yet."""
        return self._threads.lost

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the live subprocesses."""
        return self._processes.pids()

    async def run(self, call: ActivityCall) -> Outcome:
        """Run one attempt; whatever the activity does, an outcome comes back.

        Cancel the calling task to cancel the attempt. The caller runs one attempt per task.

        Raises:
            CancelledError: the caller was cancelled; the attempt had its chance to stop.
            LookupError: the registry has no activity of this name.
            RuntimeError: the runner is not open.
        """
        if self._loop is None or self._closing:
            raise RuntimeError("the runner is not open")
        callee = self._callees.get(call.name) or self._callee(call.name)
        task = this_task()
        self._running.add(task)
        try:
            line = Line(call, self._heard)
            if callee.definition.isolation == "process":
                return await self._run_in_process(callee, line)
            if not callee.is_async:
                return await self._run_in_thread(callee, line)
            if (
                call.attempt_timeout is None
                and call.heartbeat_timeout is None
                and call.deadline is None
            ):
                return await callee.call(line, task)
            return await self._run_beside(callee, line)
        finally:
            self._leave(task)

    def _leave(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if self._closing and not self._running:
            self._idle.set()

    async def _run_beside(self, callee: Callee, line: Line) -> Outcome:
        time_left = self._time_left(line.call)
        if time_left is not None and time_left <= 0:
            return _too_late(line)
        task = asyncio.create_task(callee.call_here(line), name=line.call.name)
        attempt = TaskAttempt(task, self._left_behind)
        return await self._supervise(attempt, line, time_left)

    async def _run_in_thread(self, callee: Callee, line: Line) -> Outcome:
        try:
            async with self._before_deadline(line.call):
                await self._threads.acquire()
        except TimeoutError:
            return _too_late(line)
        time_left = self._time_left(line.call)
        if time_left is not None and time_left <= 0:
            self._threads.release()
            return _too_late(line)
        attempt = self._threads.start(partial(callee.call_blocking, line))
        return await self._supervise(attempt, line, time_left)

    async def _run_in_process(self, callee: Callee, line: Line) -> Outcome:
        locator = locator_of(callee.definition)
        try:
            async with self._before_deadline(line.call):
                worker = await self._processes.acquire()
        except TimeoutError:
            return _too_late(line)
        except WorkerDied as death:
            return Failed(death.failure, line.details)
        try:
            time_left = self._time_left(line.call)
            if time_left is not None and time_left <= 0:
                return _too_late(line)
            order = Run(line.call, locator, self._options.result_limit)
            attempt = ProcessAttempt(worker, order, line)
            return await self._supervise(attempt, line, time_left)
        finally:
            self._processes.release(worker)

    async def _supervise(self, attempt: Attempt, line: Line, time_left: int | None) -> Outcome:
        return await supervise(
            attempt, line, grace_seconds=self._grace_seconds, time_left=time_left
        )

    def _callee(self, name: str) -> Callee:
        definition = self._registry.get(name)
        if definition is None:
            raise LookupError(f"no activity `{name}` is registered here")
        callee = Callee(definition, result_limit=self._options.result_limit)
        self._callees[name] = callee
        return callee

    def _time_left(self, call: ActivityCall) -> int | None:
        if call.deadline is None:
            return call.attempt_timeout
        left = call.deadline - self._clock.now()
        return left if call.attempt_timeout is None else min(left, call.attempt_timeout)

    def _before_deadline(self, call: ActivityCall) -> AbstractAsyncContextManager[object]:
        """Bound the wait for a slot; the attempt's own timeout begins with the attempt."""
        if call.deadline is None:
            return asyncio.timeout(None)
        return asyncio.timeout((call.deadline - self._clock.now()) / _SECOND)

    def _heard(self, line: Line, details: Json) -> None:
        """Take a heartbeat, from whatever thread."""
        loop = self._loop
        if loop is None or line.closed:
            return  # the attempt has been reported; another one may be running
        if details is not None:
            line.details = details
        line.last_beat = loop.time()
        if self._on_heartbeat is not None and not line.announced:
            line.announced = True  # one call stands for all heartbeats until it is made
            loop.call_soon_threadsafe(self._announce, line, self._on_heartbeat)

    def _announce(self, line: Line, listener: Callable[[ActivityCall, Json], None]) -> None:
        line.announced = False
        listener(line.call, line.details)

    async def _drain(self, microseconds: int) -> None:
        if self._running:
            with contextlib.suppress(TimeoutError):  # what did not finish meets the next measure
                await asyncio.wait_for(self._idle.wait(), microseconds / _SECOND)


class TaskAttempt:
    """An attempt in a task of its own, so that one that ignores its cancellation can be left."""

    waits = True

    def __init__(
        self, task: asyncio.Task[Outcome], left_behind: set[asyncio.Task[Outcome]]
    ) -> None:
        self.ended: asyncio.Future[Outcome] = task
        self._task = task
        self._left_behind = left_behind

    def stop(self) -> None:
        """Cancel it."""
        self._task.cancel()

    def abandon(self) -> None:
        """Leave it running; what it returns is dropped."""
        self._left_behind.add(self._task)  # the loop itself keeps no hold of it
        self._task.add_done_callback(self._left_behind.discard)


def _too_late(line: Line) -> Failed:
    failure = Failure(
        type="sys.timeout",
        message="the deadline passed before the attempt began",
        retryable=True,
        details={"limit": "deadline"},
    )
    return Failed(failure, line.details)
