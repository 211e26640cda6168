"""Scripted activities and the stage they share with the case that uses them.

A `Stage` remembers what was called (in order), which calls were told to stop, and holds gates: an
activity waiting at one goes on when the case opens it. It lives as long as the case, across
restarts of the engine, like the outside world.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from engine import ActivityContext, ActivityError, activity


class Stage:
    """The outside world of one case."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.stopped: list[str] = []
        self.counts: Counter[str] = Counter()
        self.running = 0
        self.most_running = 0
        self._gates: dict[str, asyncio.Event] = {}
        self._news = asyncio.Condition()
        self._loop = asyncio.get_running_loop()

    def note(self, label: str) -> None:
        """Remember a call; may come from any thread."""
        self._loop.call_soon_threadsafe(self._take, label)

    def _take(self, label: str) -> None:
        self.calls.append(label)
        self._wake()

    def stop_noticed(self, label: str) -> None:
        """Remember that a call was told to stop; may come from any thread."""
        self.stopped.append(label)
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        task = self._loop.create_task(self._announce())
        task.add_done_callback(lambda done: done.exception())

    async def _announce(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return when something noted makes `holds` true."""
        async with self._news:
            await self._news.wait_for(holds)

    def gate(self, name: str) -> asyncio.Event:
        """The gate of that name, closed at first."""
        return self._gates.setdefault(name, asyncio.Event())


def plain_activities(stage: Stage) -> list[Any]:
    """Activities that answer at once."""

    @activity("test.echo", timeout="10s")
    async def echo(value: Any = None) -> Any:
        return value

    @activity("test.record", timeout="10s")
    async def record(label: str) -> str:
        stage.note(label)
        return label

    @activity("test.add", timeout="10s")
    def add(a: int, b: int) -> int:
        return a + b

    @activity("test.blob", timeout="10s")
    async def blob(kib: int) -> str:
        return "x" * (kib * 1024)

    @activity("test.count", timeout="10s")
    async def count(key: str) -> int:
        stage.counts[key] += 1
        return stage.counts[key]

    @activity("test.context", timeout="10s")
    async def context(ctx: ActivityContext) -> dict[str, Any]:
        return {
            "instance_id": ctx.instance_id,
            "execution": ctx.execution,
            "workflow": ctx.workflow,
            "version": ctx.version,
            "step_path": ctx.step_path,
            "attempt": ctx.attempt,
            "key": ctx.idempotency_key,
        }

    @activity("test.weird", timeout="10s")
    async def weird() -> Any:
        return object()

    return [echo, record, add, blob, count, context, weird]


def failing_activities(stage: Stage) -> list[Any]:
    """Activities that fail, always or for a while."""

    @activity("test.fail", timeout="10s")
    async def fail(
        message: str = "boom",
        type: str = "test.failed",
        retryable: bool = True,
        details: Any = None,
    ) -> None:
        stage.note(f"fail {message}")
        raise ActivityError(message, type=type, retryable=retryable, details=details)

    @activity("test.fail_times", timeout="10s")
    async def fail_times(times: int, ctx: ActivityContext, key: str = "it") -> int:
        stage.counts[key] += 1
        stage.note(f"{key} attempt {ctx.attempt}")
        if stage.counts[key] <= times:
            raise ActivityError(f"failure {stage.counts[key]}", type="test.failed")
        return stage.counts[key]

    @activity("test.python_error", timeout="10s")
    def python_error() -> None:
        raise KeyError("no such thing")

    @activity("test.keys", timeout="10s")
    async def keys(times: int, ctx: ActivityContext) -> list[str]:
        stage.counts["keys"] += 1
        stage.note(ctx.idempotency_key)
        if stage.counts["keys"] <= times:
            raise ActivityError("once more", type="test.failed")
        return [*stage.calls, ctx.idempotency_key]

    return [fail, fail_times, python_error, keys]


def slow_activities(stage: Stage) -> list[Any]:
    """Activities that take time or wait at a gate; each notes when it is told to stop."""

    @activity("test.slow", timeout="30s")
    async def slow(ms: int, label: str = "slow") -> str:
        stage.note(f"{label} begins")
        stage.running += 1
        stage.most_running = max(stage.most_running, stage.running)
        try:
            await asyncio.sleep(ms / 1000)
        except asyncio.CancelledError:
            stage.stop_noticed(label)
            raise
        finally:
            stage.running -= 1
        stage.note(f"{label} ends")
        return label

    @activity("test.gate", timeout="30s")
    async def gate(name: str) -> str:
        stage.note(f"{name} waits")
        try:
            await stage.gate(name).wait()
        except asyncio.CancelledError:
            stage.stop_noticed(name)
            raise
        stage.note(f"{name} passes")
        return name

    @activity("test.slow_times", timeout="30s")
    async def slow_times(times: int, ms: int, key: str = "it") -> int:
        stage.counts[key] += 1
        stage.note(f"{key} begins")
        if stage.counts[key] <= times:
            await asyncio.sleep(ms / 1000)
        return stage.counts[key]

    @activity("test.busy", timeout="30s")
    def busy(label: str, ctx: ActivityContext) -> str:
        stage.note(f"{label} begins")
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if ctx.cancelled:
                stage.stop_noticed(label)
                return "stopped"
            time.sleep(0.01)
        return "not stopped"

    return [slow, gate, slow_times, busy]


def stage_activities(stage: Stage) -> list[Any]:
    """All scripted activities, bound to the stage."""
    return [*plain_activities(stage), *failing_activities(stage), *slow_activities(stage)]
