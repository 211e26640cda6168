"""The subprocesses of a node: started when needed, lent to one attempt at a time, replaced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.activities.process.worker import Worker

if TYPE_CHECKING:
    from engine.activities.context import Line
    from engine.activities.outcome import Outcome
    from engine.activities.process.wire import Run


class ProcessAttempt:
    """An attempt in a subprocess, which is killed when it does not stop."""

    waits = True

    def __init__(self, worker: Worker, order: Run, line: Line) -> None:
        self.ended: asyncio.Future[Outcome] = worker.run(order, line)
        self._worker = worker

    def stop(self) -> None:
        """Let the activity know."""
        self._worker.cancel()

    def abandon(self) -> None:
        """Kill the subprocess."""
        self._worker.kill()


class ProcessPool:
    """At most `size` subprocesses, each limited to `memory_limit` bytes of address space.

    `prelude` is Python that each runs first.
    """

    def __init__(self, size: int, *, memory_limit: int | None = None, prelude: str = "") -> None:
        self._prelude = prelude
        self._memory_limit = memory_limit
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()

    async def acquire(self) -> Worker:
        """A live subprocess for one attempt; give it back with `release`.

        Raises:
            WorkerDied: it did not come up.
        """
        await self._slots.acquire()
        try:
            while self._idle:
                worker = self._idle.pop()
                if not worker.dead:
                    return worker
            return await self._start()
        except BaseException:
            self._slots.release()
            raise

    def release(self, worker: Worker) -> None:
        """Take it back; a dead one is not lent again."""
        if not worker.dead:
            self._idle.append(worker)
        self._slots.release()

    def pids(self) -> list[int]:
        """The process ids of those alive."""
        return sorted(worker.pid for worker in self._all)

    async def close(self) -> None:
        """Kill them all and wait until they are gone."""
        self._idle.clear()
        workers = list(self._all)
        for worker in workers:
            worker.kill()
        if workers:
            await asyncio.wait({worker.gone for worker in workers})

    async def _start(self) -> Worker:
        worker = await Worker.start(memory_limit=self._memory_limit, prelude=self._prelude)
        self._all.add(worker)
        worker.gone.add_done_callback(lambda _: self._all.discard(worker))
        return worker
