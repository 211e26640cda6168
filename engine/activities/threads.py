"""Threads for activities that are plain functions.

Why not the standard executor: it joins its threads when the interpreter exits, so one activity
that never returns would keep the process alive. These are daemons. A thread cannot be killed; one
that is given up is *lost* until it returns, and its slot is handed on so that lost ones do not
starve the node, as long as there are no more lost threads than slots.

All bookkeeping happens on the loop; a thread only takes a job from its own queue and posts back.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.activities.outcome import Outcome

    Job: TypeAlias = Callable[[], Outcome]


class ThreadAttempt:
    """An attempt in a thread. `stop` has nothing to do: the line says `cancelled`."""

    waits = False

    def __init__(self, pool: ThreadPool, thread: _Thread, ended: asyncio.Future[Outcome]) -> None:
        self.ended = ended
        self._pool = pool
        self.thread = thread
        self.lost = False
        self.handed_on = False

    def stop(self) -> None:
        """Leave it to the activity, which reads `cancelled`."""

    def abandon(self) -> None:
        """Count the thread as lost; what it returns later is dropped."""
        self._pool.lose(self)


class ThreadPool:
    """At most `size` running attempts, and as many lost ones beside them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._slots = asyncio.Semaphore(size)
        self._idle: list[_Thread] = []
        self._closed = False
        self.lost = 0

    async def acquire(self) -> None:
        """Wait for a slot; `start` gives it back when the attempt ends."""
        await self._slots.acquire()

    def release(self) -> None:
        """Give back a slot that was not used."""
        self._slots.release()

    def start(self, job: Job) -> ThreadAttempt:
        """Run the job, which never raises, in a thread that sees the caller's context variables."""
        loop = asyncio.get_running_loop()
        thread = self._idle.pop() if self._idle else _Thread()
        attempt = ThreadAttempt(self, thread, loop.create_future())
        context = contextvars.copy_context()

        def work() -> None:
            outcome = context.run(job)
            try:
                loop.call_soon_threadsafe(self._finish, attempt, outcome)
            except RuntimeError:  # the loop is closed: nobody waits for a lost thread any more
                thread.jobs.put(None)

        thread.jobs.put(work)
        return attempt

    def lose(self, attempt: ThreadAttempt) -> None:
        """The attempt does not stop."""
        self.lost += 1
        attempt.lost = True
        if self.lost <= self._size:
            attempt.handed_on = True
            self._slots.release()

    def close(self) -> None:
        """Let idle threads end now, and busy ones when they return."""
        self._closed = True
        for thread in self._idle:
            thread.jobs.put(None)
        self._idle.clear()

    def _finish(self, attempt: ThreadAttempt, outcome: Outcome) -> None:
        if attempt.lost:
            self.lost -= 1
        if not attempt.handed_on:
            self._slots.release()
        if self._closed or len(self._idle) >= self._size:
            attempt.thread.jobs.put(None)
        else:
            self._idle.append(attempt.thread)
        if not attempt.ended.done():
            attempt.ended.set_result(outcome)


class _Thread:
    """A daemon that runs the jobs of its queue until it meets None."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._run, name="activity", daemon=True).start()

    def _run(self) -> None:
        while (job := self.jobs.get()) is not None:
            job()
            del job  # or the last result would live until the next job
