"""Calls: the activities in flight on this node, and the slots they run in.

A call begins after the commit that scheduled it and ends with one fact for its instance. It has no
row of its own: after a crash it is derived again from the instance's state. A call whose activity
this node does not have waits, visibly, until a node that has it takes the instance.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from engine.activities.context import ActivityCall
from engine.activities.outcome import Succeeded
from engine.history.events import ActivityCompleted, ActivityFailed, Failure
from engine.interpreter.view import calls_in_flight
from engine.runtime.live import Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.activities.registry import ActivityRegistry
    from engine.activities.runner import ActivityRunner
    from engine.history.events import ActivityScheduled, Fact
    from engine.runtime.live import Live

_log = logging.getLogger("lockstep.node")


class Call:
    """One attempt in flight, waiting for a slot, or waiting for somebody who can run it."""

    __slots__ = ("execution", "live", "ref", "scheduled", "task")

    def __init__(self, live: Live, execution: int, ref: int, scheduled: ActivityScheduled) -> None:
        self.live = live
        self.execution = execution
        self.ref = ref
        self.scheduled = scheduled
        self.task: asyncio.Task[None] | None = None


class Calls:
    """All calls of a node. `tell` takes the fact that a call ended with, on the loop."""

    def __init__(
        self,
        registry: ActivityRegistry,
        runner: ActivityRunner,
        *,
        slots: int,
        queues: tuple[str, ...],
        now: Callable[[], int],
        tell: Callable[[Live, Told], None],
    ) -> None:
        self._registry = registry
        self._runner = runner
        self._free = slots
        self._queues = frozenset(queues)
        self._now = now
        self._tell = tell
        self._waiting: deque[Call] = deque()
        self._unserved: dict[tuple[str, int, int], Call] = {}
        self._told_unserved: set[tuple[str, str]] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def running(self) -> int:
        """Calls that have a slot."""
        return len(self._running)

    def unserved(self) -> list[ActivityScheduled]:
        """Calls that this node cannot run: no such activity, or a queue it does not serve."""
        return [call.scheduled for call in self._unserved.values()]

    def start(self, live: Live, execution: int, ref: int, scheduled: ActivityScheduled) -> None:
        """Run an attempt as soon as there is a slot."""
        call = Call(live, execution, ref, scheduled)
        live.calls[ref] = call
        if self._closing:
            return
        name = scheduled.activity
        if name not in self._registry or scheduled.queue not in self._queues:
            self._unserved[live.id, execution, ref] = call
            if (name, scheduled.queue) not in self._told_unserved:
                self._told_unserved.add((name, scheduled.queue))
                _log.warning(  # once per name and queue
                    "waiting for capability: no activity of that name on that queue here",
                    extra={"activity": name, "queue": scheduled.queue, "instance_id": live.id},
                )
            if scheduled.deadline is not None:
                call.task = asyncio.create_task(self._expire(call, scheduled.deadline))
            return
        if self._free > 0:
            self._begin(call)
        else:
            self._waiting.append(call)

    def look_again(self) -> None:
        """The registry has changed: begin what waited for an activity that is there now."""
        for key, call in list(self._unserved.items()):
            scheduled = call.scheduled
            if scheduled.activity in self._registry and scheduled.queue in self._queues:
                del self._unserved[key]
                if call.task is not None:
                    call.task.cancel("it is served now")
                del call.live.calls[call.ref]
                self.start(call.live, call.execution, call.ref, scheduled)

    def stop(self, live: Live, ref: int) -> None:
        """The outcome is no longer wanted: tell the activity to stop, ignore what it says."""
        call = live.calls.pop(ref, None)
        if call is None:
            return
        self._unserved.pop((live.id, call.execution, ref), None)
        if call.task is not None:
            call.task.cancel("the workflow no longer waits for it")

    def hand_over(self, before: Live, after: Live) -> None:
        """The instance has a new state: what it still waits for goes on, the rest is stopped."""
        for ref, _ in calls_in_flight(after.run):
            call = before.calls.pop(ref, None)
            if call is not None:
                call.live = after
                after.calls[ref] = call
        self.stop_all(before)

    def stop_all(self, live: Live) -> None:
        """The execution is over, or the instance is no longer ours."""
        for ref in list(live.calls):
            self.stop(live, ref)

    def _begin(self, call: Call) -> None:
        self._free -= 1
        call.task = task = asyncio.create_task(self._run(call))
        self._running.add(task)

    def _next(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free += 1
        while self._waiting and self._free > 0 and not self._closing:
            call = self._waiting.popleft()
            if call.live.calls.get(call.ref) is call:
                self._begin(call)

    async def _run(self, call: Call) -> None:
        task = call.task
        assert task is not None
        try:
            fact = await self._outcome(call)
        except asyncio.CancelledError:
            return  # stopped on purpose; whoever stopped it waits for nothing
        finally:
            self._next(task)
        live = call.live
        if live.calls.get(call.ref) is call:
            del live.calls[call.ref]
            self._tell(live, Told(fact, execution=call.execution))

    async def _expire(self, call: Call, deadline: int) -> None:
        """Nobody here can run it; its time runs out all the same."""
        await asyncio.sleep(max(0.0, (deadline - self._now()) / 1_000_000))
        if call.live.calls.get(call.ref) is not call:
            return
        self._unserved.pop((call.live.id, call.execution, call.ref), None)
        del call.live.calls[call.ref]
        message = f"no worker had `{call.scheduled.activity}` in time"
        failure = Failure(type="sys.timeout", message=message, retryable=True)
        fact = ActivityFailed(at=self._now(), ref=call.ref, error=failure)
        self._tell(call.live, Told(fact, execution=call.execution))

    async def _outcome(self, call: Call) -> Fact:
        scheduled, live = call.scheduled, call.live
        definition = self._registry.get(scheduled.activity)
        assert definition is not None
        args: Any = scheduled.input if scheduled.input is not None else {}
        try:
            outcome = await self._runner.run(
                ActivityCall(
                    name=scheduled.activity,
                    args=args,
                    instance_id=live.id,
                    execution=call.execution,
                    workflow=live.pin.workflow,
                    version=live.pin.version,
                    step_path=scheduled.path,
                    attempt=scheduled.attempt,
                    attempt_timeout=scheduled.attempt_timeout or definition.timeout,
                    heartbeat_timeout=scheduled.heartbeat or definition.heartbeat,
                    deadline=scheduled.deadline,
                    heartbeat_details=scheduled.heartbeat_details,
                )
            )
        except Exception as error:  # noqa: BLE001  # activities never raise here: a defect of ours
            _log.exception("the activity runner failed", extra={"activity": scheduled.activity})
            failure = Failure(type="sys.internal", message=repr(error), retryable=True)
            return ActivityFailed(at=self._now(), ref=call.ref, error=failure)
        if isinstance(outcome, Succeeded):
            return ActivityCompleted(at=self._now(), ref=call.ref, result=outcome.result)
        return ActivityFailed(
            at=self._now(),
            ref=call.ref,
            error=outcome.failure,
            policy=definition.retry,
            heartbeat=outcome.heartbeat,
        )

    async def close(self, grace_seconds: float) -> None:
        """Begin nothing more, let what runs finish for a while, cancel the rest."""
        self._closing = True
        if self._running:
            await asyncio.wait(self._running, timeout=grace_seconds)
        for task in list(self._running):
            task.cancel("the node shuts down")
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)
