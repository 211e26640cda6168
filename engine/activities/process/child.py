"""The subprocess: takes one attempt after the other from its socket and runs it.

The main thread runs activities, a second one listens, so that a cancellation or the end of the
node is noticed while an activity is busy. A child never outlives its node: the kernel kills it
with the node where it can (Linux), and the end of the socket does everywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, NoReturn

from engine.activities.context import Line
from engine.activities.execute import Callee, failed, this_task
from engine.activities.outcome import Failed, Outcome
from engine.activities.process.locator import Locator, locate
from engine.activities.process.wire import (
    HEADER,
    Beat,
    Cancel,
    Ended,
    Ready,
    Report,
    Run,
    decode_order,
    frame,
)

if TYPE_CHECKING:
    from engine.values.json import Json

_PR_SET_PDEATHSIG: Final = 1
_GARBLED: Final = 70  # EX_SOFTWARE


def main(fd: int, parent: int, memory_limit: int | None) -> None:
    """Serve until the socket ends; `memory_limit` is bytes of address space."""
    _die_with(parent)
    _leave_shutdown_to_the_node()
    os.set_inheritable(fd, False)  # what an activity starts must not keep the line open
    if memory_limit is not None:
        _limit_memory(memory_limit)
    Child(socket.socket(fileno=fd)).serve()


class Child:
    """One subprocess, seen from inside."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._orders: SimpleQueue[tuple[Run, Line]] = SimpleQueue()
        self._callees: dict[tuple[Locator, int], Callee] = {}
        self._guard = threading.Lock()
        self._line: Line | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve(self) -> NoReturn:
        """Run attempts for ever."""
        threading.Thread(target=self._listen, name="listener", daemon=True).start()
        self._send(Ready())
        while True:
            run, line = self._orders.get()
            outcome = self._run(run, line)
            last = isinstance(outcome, Failed) and outcome.failure.type == "python.MemoryError"
            if last:  # memory in pieces serves nobody: the node kills this child, takes a fresh one
                sys.stdout.flush()
                sys.stderr.flush()
            self._send(Ended(outcome, last=last))

    def _run(self, run: Run, line: Line) -> Outcome:
        try:
            callee = self._callee(run)
            if callee.is_async:
                return asyncio.run(self._await(callee, line))
            return callee.call_blocking(line)
        except BaseException as error:  # noqa: BLE001  # the import of the activity may raise all
            return failed(error, line)
        finally:
            with self._guard:
                self._loop = None

    async def _await(self, callee: Callee, line: Line) -> Outcome:
        task = this_task()
        with self._guard:
            self._loop = asyncio.get_running_loop()
            line.task = task
            too_early = line.cancelled  # there was no loop yet to tell
        if too_early:
            task.cancel()
        return await callee.call(line, task)

    def _callee(self, run: Run) -> Callee:
        key = run.locator, run.result_limit
        callee = self._callees.get(key)
        if callee is None:
            callee = Callee(locate(run.locator), result_limit=run.result_limit)
            self._callees[key] = callee
        return callee

    def _listen(self) -> None:
        try:
            with self._connection.makefile("rb") as stream:
                while header := stream.read(HEADER.size):
                    [size] = HEADER.unpack(header)
                    self._obey(decode_order(stream.read(size)))
        except BaseException:  # noqa: BLE001  # deaf, it could be neither cancelled nor ended
            os._exit(_GARBLED)
        _end_group()

    def _obey(self, order: Run | Cancel) -> None:
        match order:
            case Run():
                line = Line(order.call, self._beat)
                self._line = line
                self._orders.put((order, line))
            case Cancel():
                self._cancel()

    def _cancel(self) -> None:
        line = self._line
        if line is None:
            return
        with self._guard:
            line.cancelled = True
            loop, task = self._loop, line.task
            if loop is not None and task is not None:
                with contextlib.suppress(RuntimeError):  # the activity ended just now
                    loop.call_soon_threadsafe(task.cancel)

    def _beat(self, line: Line, details: Json) -> None:
        if details is not None:
            line.details = details
        self._send(Beat(details))

    def _send(self, report: Report) -> None:
        data = frame(report)
        with self._sending:
            self._connection.sendall(data)


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(0)


def _leave_shutdown_to_the_node() -> None:
    """Service managers send SIGTERM to every process of a service; the node decides what it means.

    A handler and not SIG_IGN, which what an activity starts would inherit.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)


def _end_group() -> NoReturn:
    """The node is gone: end with everything an activity started here."""
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _limit_memory(size: int) -> None:
    import resource  # not there on every platform; only this needs it

    resource.setrlimit(resource.RLIMIT_AS, (size, size))
