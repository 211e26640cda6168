"""One subprocess as the node sees it: started, given attempts, killed.

A worker is dead from the moment it is killed or its process ends; whatever was running in it then
ends as `sys.worker_died`, which may be retried. The child leads a process group of its own, so
that what an activity started dies with it, and no Ctrl-C of the terminal reaches it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Final

import msgspec

from engine.activities.outcome import Failed, Outcome
from engine.activities.process.wire import (
    HEADER,
    Beat,
    Cancel,
    Ended,
    Order,
    Ready,
    Report,
    Run,
    decode_report,
    frame,
)
from engine.history.events import Failure

if TYPE_CHECKING:
    from engine.activities.context import Line

_START_SECONDS: Final = 60.0
_LAST_WORDS_SECONDS: Final = 1.0
_PROGRAM: Final = """
import sys
sys.path[:] = {path!r}
{prelude}
from engine.activities.process.child import main
main({fd}, {parent}, {memory_limit!r})
"""


class WorkerDied(Exception):
    """The subprocess ended. `failure` says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Worker:
    """A live subprocess; made by `start`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.pid = process.pid
        self.dead = False
        self._process = process
        self._reader = reader
        self._writer = writer
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended: asyncio.Future[Outcome] | None = None
        self._line: Line | None = None
        self._listening = asyncio.create_task(self._listen(), name=f"worker {self.pid} listener")
        self.gone = asyncio.create_task(self._await_exit(), name=f"worker {self.pid}")

    @classmethod
    async def start(cls, *, memory_limit: int | None, prelude: str = "") -> Worker:
        """Start a subprocess and wait until it takes attempts; `prelude` is what it runs first.

        Raises:
            WorkerDied: it did not come up.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            program = _program(theirs.fileno(), memory_limit, prelude)
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-c",
                    program,
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        try:
            reader, writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            process.kill()
            raise
        worker = cls(process, reader, writer)
        try:
            await worker._come_up()
        except BaseException:
            worker.kill()
            await asyncio.wait({worker.gone})
            raise
        return worker

    def run(self, order: Run, line: Line) -> asyncio.Future[Outcome]:
        """Give it an attempt; it must have none."""
        self._line = line
        self._ended = asyncio.get_running_loop().create_future()
        self._send(order)
        return self._ended

    def cancel(self) -> None:
        """Tell the activity that its result is not wanted."""
        self._send(Cancel())

    def kill(self) -> None:
        """End the subprocess and all that it started, now."""
        self.dead = True
        if self._process.returncode is None:
            self._kill_group()

    def _kill_group(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # all of them are gone already

    async def _come_up(self) -> None:
        await asyncio.wait(
            {self._ready, self.gone}, timeout=_START_SECONDS, return_when="FIRST_COMPLETED"
        )
        if self.gone.done():
            raise WorkerDied(self._obituary("while it started"))
        if not self._ready.done():
            raise WorkerDied(_died(f"it did not start within {_START_SECONDS:g} s"))

    def _send(self, order: Order) -> None:
        if not self.dead:
            self._writer.write(frame(order))  # one attempt at a time: nothing piles up

    async def _listen(self) -> None:
        try:
            while True:
                [size] = HEADER.unpack(await self._reader.readexactly(HEADER.size))
                self._hear(decode_report(await self._reader.readexactly(size)))
        except (asyncio.IncompleteReadError, ConnectionError, msgspec.DecodeError):
            self.kill()  # a child that closed its side is of no use; `_await_exit` tells the rest

    def _hear(self, report: Report) -> None:
        match report:
            case Ready():
                if not self._ready.done():
                    self._ready.set_result(None)
            case Beat(details=details):
                if self._line is not None:
                    self._line.sink(self._line, details)
            case Ended(outcome=outcome, last=last):
                self._end(outcome)
                if last:
                    self.kill()

    async def _await_exit(self) -> None:
        await self._process.wait()
        self.dead = True
        self._kill_group()  # what the activity started and left behind
        await asyncio.wait({self._listening}, timeout=_LAST_WORDS_SECONDS)
        self._listening.cancel()
        self._writer.close()
        with contextlib.suppress(ConnectionError):  # the other side is gone, as it should be
            await self._writer.wait_closed()
        details = None if self._line is None else self._line.details
        self._end(Failed(self._obituary("while the activity ran"), details))

    def _end(self, outcome: Outcome) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(outcome)
        self._ended = self._line = None

    def _obituary(self, when: str) -> Failure:
        code = self._process.returncode
        if code is None or code >= 0:
            return _died(f"it exited with code {code} {when}", exit_code=code)
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return _died(f"it was killed by {name} {when}", signal=name)


def _program(fd: int, memory_limit: int | None, prelude: str) -> str:
    """The child imports from where this process does, `""` and relative entries included."""
    path = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100  # `""` is no Path
    return _PROGRAM.format(
        path=path, prelude=prelude, fd=fd, parent=os.getpid(), memory_limit=memory_limit
    )


def _died(how: str, **details: str | int | None) -> Failure:
    return Failure(
        type="sys.worker_died",
        message=f"the subprocess of the activity died: {how}",
        retryable=True,
        details={**details},
    )
