"""The node: owns instances, takes their turns, commits them in groups, runs their activities.

Everything here runs on one event loop; nothing locks. The way of a fact:

    tell ─► ready ─► turn (advance, delta) ─► group commit ─► effects: calls, timers, answers

Turns that are ready in one pass are committed together. While a commit is under way further turns
are computed and gathered for the next one, so the group grows under load by itself, and nothing
waits when there is none. An instance has at most one turn in flight; what it is told meanwhile
waits for the next. A caller is answered after the commit, never before.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Self

import msgspec

from engine.activities.runner import ActivityRunner, RunnerOptions
from engine.client.models import Ending
from engine.client.programs import Programs
from engine.errors import InstanceFinished, LeaseLost, StorageError, StorageUnavailable
from engine.history.letters import read_letter
from engine.interpreter import semantics
from engine.runtime.calls import Calls
from engine.runtime.effects import EFFECTS
from engine.runtime.endings import execution_ended
from engine.runtime.live import Live, Told
from engine.runtime.options import SECOND, NodeOptions
from engine.runtime.probation import Probation
from engine.runtime.shelf import Shelf
from engine.runtime.succession import is_deployed
from engine.runtime.turn import Turn, take_turn
from engine.runtime.wakeups import Wakeups

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from engine.activities.registry import ActivityRegistry
    from engine.storage.provider import Provider
    from engine.storage.records import (
        CommitResult,
        Delta,
        DeltaOutcome,
        Lease,
        StoredMessage,
        Summary,
    )
    from engine.values.clock import Clock

_log = logging.getLogger("lockstep.node")
_workflow_log = logging.getLogger("lockstep.workflow")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
RETRY_FIRST, RETRY_MOST = 0.01, 1.0  # seconds between tries of a commit while the store is away


class Node:
    """A working process. Use as `async with`; `failed` is set when it had to stop by itself."""

    def __init__(
        self,
        provider: Provider,
        registry: ActivityRegistry,
        *,
        name: str,
        clock: Clock,
        options: NodeOptions | None = None,
        runner: ActivityRunner | None = None,
    ) -> None:
        self.provider = provider
        self.registry = registry
        self.name = name
        self.clock = clock
        self.options = options or NodeOptions()
        self.programs = Programs(provider)
        self.programs.moved.append(self._versions_moved)
        self.levels = self.options.semantics or semantics.SUPPORTED
        self.awaited: dict[str, tuple[str, str]] = {}  # versions that instances wait for, by id
        self.shelf = Shelf(self)
        self.wakeups = Wakeups(self)
        self.probation = Probation(self)
        self.counters = {"commits": 0, "turns": 0, "replays": 0, "events": 0}
        self.failed: BaseException | None = None
        self.ended = asyncio.Event()  # set when the node had to stop by itself
        self.stopped: BaseException | None = None  # what is told to those who wait
        self.endings: dict[str, list[asyncio.Future[Ending]]] = {}
        self.watchers: dict[str, list[asyncio.Event]] = {}
        self._lease: Lease | None = None
        self._ready: deque[Live] = deque()
        self._group: list[tuple[Turn, Delta]] = []
        self._in_flight: list[tuple[Turn, Delta]] = []
        self._pumping = False
        # Who is sent a signal by the commit under way: a last turn of theirs, taken now, would not
        # know of it, and nobody would answer the sender.
        self._addressed: set[str] = set()
        self._deferred: list[Live] = []
        self._token = 0
        self.committing = asyncio.Lock()  # one commit at a time; who holds it stops them all
        self._work = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._committer: asyncio.Task[None] | None = None
        self._closing = False
        self._idle = asyncio.Event()
        self._idle.set()
        runner_options = RunnerOptions(
            threads=self.options.threads,
            processes=self.options.processes,
            memory_limit=self.options.memory_limit,
            result_limit=self.options.payload_limit,
        )
        self._runner = runner or ActivityRunner(registry, clock=clock, options=runner_options)
        self.calls = Calls(
            registry,
            self._runner,
            slots=self.options.activity_slots,
            queues=self.options.queues,
            now=clock.now,
            tell=self.tell,
        )

    # -- life -----------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._lease = await self.provider.acquire(self.name, now=self.clock.now())
        try:
            await self._runner.__aenter__()
            await self.programs.refresh()
        except BaseException:
            await self.provider.release(self._lease)
            raise
        self._committer = asyncio.create_task(self._commit_forever(), name="lockstep commits")
        self._committer.add_done_callback(self._spawned)
        gc.freeze()  # what is loaded by now stays: 20 ms less for every full collection
        self.wakeups.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop claiming, let activities finish for the grace period, give the rest back."""
        self._closing = True
        gc.unfreeze()
        self.wakeups.close()
        if self.failed is None:
            grace = self.options.shutdown_grace / SECOND
            await self.calls.close(grace)
            try:
                await asyncio.wait_for(self._flush(), grace)
            except TimeoutError:
                _log.warning("the store is away: what ended last will be done again")
        else:
            await self.calls.close(0)
        for task in list(self._tasks):
            task.cancel()
        if self._committer is not None:
            self._committer.cancel()
        await asyncio.gather(*self._tasks, *filter(None, [self._committer]), return_exceptions=True)
        await self._runner.__aexit__(None, None, None)
        if self.failed is None:
            try:
                await self.provider.release(self.lease)
            except StorageUnavailable as error:
                _log.warning("the store is away: attempts count", extra={"error": str(error)})
        self._give_up(self.failed or StorageUnavailable("the node has stopped"))

    @property
    def lease(self) -> Lease:
        """The right to work on the store."""
        if self._lease is None:
            raise RuntimeError("the node is not running")
        return self._lease

    @property
    def closing(self) -> bool:
        """Whether nothing new is begun."""
        return self._closing or self.failed is not None

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Run something beside the turns; what it cannot handle stops the node."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._spawned)

    def _spawned(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.fail(task.exception())

    def fail(self, error: BaseException | None) -> None:
        """The node cannot go on: everybody who waits hears it, and nothing more is committed."""
        if error is None:
            return
        if self.failed is None:
            self.failed = error
            self.ended.set()
            _log.error("the node stops", exc_info=error)
            self.wakeups.close()
            self._work.set()
            self._idle.set()
        self._give_up(self.failed)

    def _give_up(self, error: BaseException) -> None:
        self.stopped = error
        waiting: list[asyncio.Future[Any]] = [
            future for futures in self.endings.values() for future in futures
        ]
        turns = [turn for turn, _ in (*self._in_flight, *self._group)]
        for turn in turns:
            waiting += turn.acks
        lives = [*self._ready, *self.shelf.lives(), *(turn.live for turn in turns)]
        waiting += [one.ack for live in lives for one in live.told if one.ack is not None]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
        self.endings.clear()
        for events in self.watchers.values():
            for event in events:
                event.set()

    # -- telling --------------------------------------------------------------------------------

    def tell(self, live: Live, one: Told) -> None:
        """Give an instance something to take up in its next turn."""
        if live.dropped:
            self.shelf.keep(live, one)  # what else there is the store has, or its sender asks again
            return
        live.told.append(one)
        self.enqueue(live)

    def enqueue(self, live: Live) -> None:
        """Take a turn of it as soon as none is in flight."""
        if live.queued or live.busy:
            return
        live.queued = True
        self._idle.clear()
        self._ready.append(live)
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def receive(self, message: StoredMessage) -> None:
        """Take a message from the store; each is handed over once until it is consumed."""
        if self.shelf.known(message.id):
            return
        live = self.shelf.get(message.instance_id)
        if live is not None:
            self.hand(live, message)
        elif not self.probation.holds(message.instance_id):  # it will find it in its inbox
            self.shelf.fetch(message.instance_id, message)

    def hand(self, live: Live, message: StoredMessage) -> None:
        """Tell a live instance a message of its inbox."""
        if self.shelf.known(message.id):
            return
        try:
            letter = read_letter(message.payload)
        except msgspec.MsgspecError as error:
            self.shelf.set_aside(live, f"message {message.id} cannot be read: {error}")
            return
        self.shelf.handed.add(message.id)
        told = Told(
            letter.fact, execution=message.execution, message=message.id, reply=letter.reply
        )
        self.tell(live, told)

    # -- turns ----------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Take the turns that are ready."""
        self._pumping = False
        if self.failed is not None:
            return
        now = self.clock.now()
        while self._ready and len(self._group) < self.options.group_limit:
            live = self._ready.popleft()
            if live.id in self._addressed:
                self._deferred.append(live)
                continue
            live.queued = False
            if live.dropped or not live.has_work:
                continue
            self._take(live, now)
        self._work.set()

    def _take(self, live: Live, now: int) -> None:
        try:
            turn, delta = take_turn(
                live,
                now,
                self.programs,
                self.options,
                effects=EFFECTS,
                ended=execution_ended,
            )
        except Exception as error:  # noqa: BLE001  # a defect must not reach the neighbours
            _log.exception("a turn failed", extra={"instance_id": live.id})
            self.shelf.set_aside(live, f"the turn failed: {error!r}")
            return
        live.busy = True
        self.counters["turns"] += 1
        self._group.append((turn, delta))

    async def _commit_forever(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._group and self.failed is None:
                group, self._group = self._group, []
                self._in_flight = group
                self._addressed = {
                    send.message.instance_id
                    for _, delta in group
                    for send in delta.sends
                    if send.finished is not None
                }
                try:
                    result = await self._commit([delta for _, delta in group])
                except Exception as error:  # noqa: BLE001  # whatever it is, acknowledge nothing
                    self._group = group + self._group
                    self.fail(error)
                    return
                for (turn, _), outcome in zip(group, result.outcomes, strict=True):
                    self._committed(turn, outcome)
                for message in result.delivered:
                    self._delivered(message, group)
                self._in_flight = []
                if self._addressed:
                    self._addressed = set()
                    self._ready.extend(self._deferred)
                    self._deferred.clear()
                self._pump()
            if not self._ready and not self._group:
                self._idle.set()

    async def commit_alone(self, make: Callable[[], Awaitable[Delta]]) -> None:
        """Commit the end of an instance that is not live; no other commit comes between."""
        async with self.committing:
            delta = await make()
            result = await self._commit_until_known([delta])
        if result.outcomes[0].result == "applied":
            self._settle(delta.instance_id, delta.summary)
        for message in result.delivered:
            self.receive(message)

    async def _commit(self, deltas: list[Delta]) -> CommitResult:
        """One transaction; trouble that passes is waited out, so it never fails a workflow.

        One at a time: the store remembers only the token of the last.
        """
        async with self.committing:
            return await self._commit_until_known(deltas)

    async def _commit_until_known(self, deltas: list[Delta]) -> CommitResult:
        self._token += 1
        pause = RETRY_FIRST
        while True:
            try:
                result = await self.provider.commit(self.lease, self._token, deltas)
            except StorageUnavailable as error:
                _log.warning("commit waits for the store", extra={"error": str(error)})
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_MOST)
            else:
                self.counters["commits"] += 1
                return result

    # -- after the commit -----------------------------------------------------------------------

    def _committed(self, turn: Turn, outcome: DeltaOutcome) -> None:
        live = turn.live
        live.busy = False
        if outcome.result != "applied":
            self._refused(turn, outcome)
            return
        self.counters["events"] += sum(p.last_seq - p.first_seq + 1 for p in turn.pages)
        if live.create is not None:
            live.create = None
            self.shelf.put(live)
        if turn.consumed:
            self.shelf.consumed(turn.consumed)
        self._carry_out(turn)
        self._acknowledge(turn)
        if turn.logs:
            self._emit_logs(turn)
        for event in self.watchers.get(live.id, ()):
            event.set()
        if self.awaited or live.awaits is not None:
            self._note_waiting(live)
        if turn.summary is not None:
            self._finished(live, turn.summary)
        elif live.has_work:
            self.enqueue(live)
        else:
            self.shelf.touch(live)

    def _note_waiting(self, live: Live) -> None:
        """Remember who waits for which version, unless it has been deployed meanwhile."""
        self.awaited.pop(live.id, None)
        if live.awaits is not None:
            self.awaited[live.id] = (live.pin.workflow, live.awaits)
            self._versions_moved()

    def _versions_moved(self) -> None:
        """Instances whose version is there now go on."""
        for instance_id, (workflow, version) in list(self.awaited.items()):
            if not is_deployed(self.programs, workflow, version):
                continue
            del self.awaited[instance_id]
            live = self.shelf.get(instance_id)
            if live is None:
                self.shelf.fetch(instance_id)
                continue
            live.awaits = None
            self.enqueue(live)

    def _carry_out(self, turn: Turn) -> None:
        """What was decided is durable now: begin and stop calls, set the alarm."""
        live = turn.live
        if turn.over:
            self.calls.stop_all(live)
        for ref in turn.stops:
            self.calls.stop(live, ref)
        live.execution = turn.running
        for ref, scheduled in turn.starts.items():
            self.calls.start(live, live.execution, ref, scheduled)
        if turn.timers:
            self.wakeups.due(min(turn.timers.values()))
        if live.run.seq > self.options.history_warning and not live.warned:
            live.warned = True
            _log.warning(
                "a long history: continue_as_new keeps it short",
                extra={"instance_id": live.id, "events": live.run.seq},
            )

    def _acknowledge(self, turn: Turn) -> None:
        """Callers hear that what they asked for is durable."""
        for ack in turn.acks:
            if not ack.done():
                ack.set_result(None)
        status = turn.summary.status if turn.summary else "completed"
        for ack in turn.late:
            if not ack.done():
                ack.set_exception(InstanceFinished(turn.live.id, status))

    def _refused(self, turn: Turn, outcome: DeltaOutcome) -> None:
        """Fenced off, or the id was taken: nothing of the turn has happened."""
        live = turn.live
        error: Exception = LeaseLost(f"instance `{live.id}` is not this node's any more")
        if outcome.result == "duplicate":
            error = DuplicateStart(outcome.existing or "running")
            self.shelf.drop(live)
        else:
            self.shelf.handed.difference_update(turn.consumed)
            self.shelf.renew(live, turn.heard)
            self.wakeups.scan()
        for ack in turn.acks:
            if not ack.done():
                ack.set_exception(error)

    def _finished(self, live: Live, summary: Summary) -> None:
        self.shelf.drop(live)
        self._settle(live.id, summary)

    def _settle(self, instance_id: str, summary: Summary) -> None:
        """Those who wait for the end hear of it."""
        ending = Ending(summary.status, summary.output, summary.error)
        for event in self.watchers.get(instance_id, ()):
            event.set()
        for future in self.endings.pop(instance_id, ()):
            if not future.done():
                future.set_result(ending)

    def _delivered(self, message: StoredMessage, group: list[tuple[Turn, Delta]]) -> None:
        live = self.shelf.get(message.instance_id)
        if live is None:
            for turn, _ in group:
                born = turn.born.pop(message.instance_id, None)
                if born is not None:
                    live = Live(message.instance_id, born[0], born[1])
                    self.shelf.put(live)
                    break
        if live is not None:
            self.hand(live, message)
        else:
            self.receive(message)

    def _emit_logs(self, turn: Turn) -> None:
        live = turn.live
        for line in turn.logs:
            _workflow_log.log(
                _LEVELS[line.level],
                "[v%s] %s",
                live.pin.version,
                line.text,
                extra={
                    "instance_id": live.id,
                    "execution": turn.running,
                    "workflow": live.pin.workflow,
                    "version": live.pin.version,
                    "step_path": line.path,
                    "fields": line.fields,
                },
            )

    async def _flush(self) -> None:
        """Commit what the last activities have told."""
        while self.failed is None and not self._idle.is_set():
            await self._idle.wait()


class DuplicateStart(StorageError):
    """Internal: the id of a start is taken; the client turns it into an answer."""

    code = "runtime.duplicate_start"

    def __init__(self, existing: str) -> None:
        self.existing = existing
        super().__init__(f"the id is taken ({existing})")
