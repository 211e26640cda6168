"""The shelf: live instances in memory, least recently used first to go.

A warm instance is never replayed. One that only waits may be put back ("parked") when memory is
short: the store has all of it, and a message or a timer brings it back by snapshot and tail.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from engine.errors import (
    LeaseLost,
    ReplayError,
    StorageBroken,
    StorageUnavailable,
    UnsupportedSemantics,
)
from engine.history.letters import read_letter
from engine.interpreter import semantics
from engine.interpreter.replay import replay
from engine.interpreter.view import calls_in_flight
from engine.runtime.endings import terminated_unread, termination
from engine.runtime.live import Live
from engine.storage.records import TERMINAL_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from engine.history.events import Terminated
    from engine.interpreter.execution import Execution
    from engine.runtime.live import Told
    from engine.runtime.node import Node
    from engine.storage.records import Delta, InstanceRecord, LoadedInstance, StoredMessage

_log = logging.getLogger("lockstep.node")
RETRY_SECONDS = 0.5
BATCH = 50  # instances read at once


class Poison(ReplayError):
    """Each node that takes the instance up dies."""

    code = "runtime.poison"

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths
        super().__init__(f"its node died {deaths} times while working on it")


class Shelf:
    """Live instances by id. `handed`: ids of inbox messages that were told and not yet consumed."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lives: OrderedDict[str, Live] = OrderedDict()
        self._fetching: dict[str, list[StoredMessage]] = {}  # in the order they were asked for
        self._fetcher_runs = False
        self._leaving: dict[str, Live] = {}  # dropped, but their calls go on until they come back
        self._bytes = 0
        self._weight: dict[str, int] = {}
        self.handed: set[int] = set()
        self._reads = 0  # of inboxes, under way
        self._consumed: set[int] = set()  # meanwhile: what those reads find is not news

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around a read of inboxes and the handing over of what it found."""
        self._reads += 1
        try:
            yield
        finally:
            self._reads -= 1
            if not self._reads:
                self._consumed.clear()

    def known(self, message_id: int) -> bool:
        """Whether a message was handed over; reads that began before its end still show it."""
        return message_id in self.handed or message_id in self._consumed

    def consumed(self, message_ids: Sequence[int]) -> None:
        """These messages have become events."""
        self.handed.difference_update(message_ids)
        if self._reads:
            self._consumed.update(message_ids)

    def __len__(self) -> int:
        return len(self._lives)

    def lives(self) -> Iterable[Live]:
        """All live instances."""
        return self._lives.values()

    def get(self, instance_id: str) -> Live | None:
        """The live instance, if it is in memory."""
        return self._lives.get(instance_id)

    def put(self, live: Live) -> None:
        """Keep an instance that the store has."""
        self._lives[live.id] = live
        self._weigh(live)

    def touch(self, live: Live) -> None:
        """It has nothing to do now; make room if memory is short."""
        if live.id in self._lives:
            self._lives.move_to_end(live.id)
            self._weigh(live)
        if self._bytes > self._node.options.cache_bytes:
            self.park()

    def _weigh(self, live: Live) -> None:
        self._bytes += live.size - self._weight.get(live.id, 0)
        self._weight[live.id] = live.size

    def park(self, *, everything: bool = False) -> int:
        """Forget idle instances until memory suffices; the number of those forgotten."""
        parked = 0
        for live in list(self._lives.values()):
            if not everything and self._bytes <= self._node.options.cache_bytes:
                break
            if not (live.busy or live.told or live.calls):
                self._forget(live)
                parked += 1
        return parked

    def _forget(self, live: Live) -> None:
        if self._lives.get(live.id) is live:
            del self._lives[live.id]
            self._bytes -= self._weight.pop(live.id, 0)

    def drop(self, live: Live) -> None:
        """It has ended, or is not ours any more: stop its calls, fail those who wait for a turn."""
        live.dropped = True
        self._forget(live)
        self._node.calls.stop_all(live)
        for one in live.told:
            if one.message is not None:
                self.handed.discard(one.message)
            if one.ack is not None and not one.ack.done():
                one.ack.set_exception(LeaseLost(f"instance `{live.id}` left this node"))
        live.told.clear()

    def renew(self, live: Live, heard: Iterable[Told] = ()) -> None:
        """The store has another state of it than we: drop ours and bring that one.

        Its calls go on: if the other state waits for them too, they are not made twice. `heard`:
        what they told in a turn that was not stored.
        """
        if live.dropped:
            now = self._lives.get(live.id)
            for one in heard:
                self.keep(live, one) if now is None else self._node.tell(now, one)
            return
        calls, live.calls = live.calls, {}
        self.drop(live)
        live.calls = calls
        self._leaving[live.id] = live
        for one in heard:
            self.keep(live, one)
        self.fetch(live.id)

    def keep(self, live: Live, one: Told) -> None:
        """A call of an instance that is on its way back has ended."""
        if self._leaving.get(live.id) is live:
            live.told.append(one)

    def _forget_calls(self, instance_id: str) -> None:
        left = self._leaving.pop(instance_id, None)
        if left is not None:
            self._node.calls.stop_all(left)

    def _take_up_calls(self, live: Live) -> None:
        """Go on with the calls it had here, begin those it has not."""
        calls = self._node.calls
        left = self._leaving.pop(live.id, None)
        heard: list[Told] = []
        if left is not None and left.execution == live.execution:
            calls.hand_over(left, live)
            heard = list(left.told)
        elif left is not None:
            calls.stop_all(left)
        told = {getattr(one.fact, "ref", None) for one in heard}
        for ref, scheduled in calls_in_flight(live.run):
            if ref not in live.calls and ref not in told:
                calls.start(live, live.execution, ref, scheduled)
        for one in heard:
            self._node.tell(live, one)

    def set_aside(self, live: Live, reason: str) -> None:
        """Suspend an instance that cannot go on; it is resumable, its neighbours do not notice."""
        self.drop(live)
        self._node.spawn(self.suspend(live.id, reason), "suspend")

    async def suspend(self, instance_id: str, reason: str) -> None:
        """Suspend in the store."""
        node = self._node
        _log.error("instance suspended", extra={"instance_id": instance_id, "reason": reason})
        try:
            await node.provider.suspend(
                node.lease, instance_id, reason=reason, now=node.clock.now()
            )
        except LeaseLost:
            _log.warning("it is not ours any more", extra={"instance_id": instance_id})

    # -- bringing back ----------------------------------------------------------------------------

    def fetching(self, instance_id: str) -> bool:
        """Whether it is being brought back now."""
        return instance_id in self._fetching

    def fetch(self, instance_id: str, message: StoredMessage | None = None) -> None:
        """Bring an instance into memory, together with others; `message` is handed to it then."""
        held = self._fetching.setdefault(instance_id, [])
        if message is not None:
            held.append(message)
        if not self._fetcher_runs:
            self._fetcher_runs = True
            self._node.spawn(self._fetch_all(), "fetch")

    async def _fetch_all(self) -> None:
        """Read in batches: one hop for many, and the first go on while others are read."""
        node = self._node
        try:
            while self._fetching and not node.closing:
                batch = list(islice(self._fetching, BATCH))
                try:
                    await self._fetch(batch)
                except StorageUnavailable as error:
                    _log.warning("instances wait for the store", extra={"error": str(error)})
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._fetcher_runs = False

    async def _fetch(self, batch: list[str]) -> None:
        node = self._node
        unclaimed = False
        with self.reading():
            for loaded in await node.provider.load(batch, now=node.clock.now()):
                record = loaded.record
                if record.status in (*TERMINAL_STATUSES, "suspended"):
                    self._forget_calls(record.instance_id)
                    continue
                if record.owner != node.name:
                    unclaimed = True  # nobody's yet: the claim brings it here
                elif record.instance_id not in self._lives:
                    await self._bring(loaded)
            for instance_id in batch:
                live = self._lives.get(instance_id)
                for message in self._fetching.pop(instance_id):
                    if live is not None:  # it came after the read, or was in it: then it is known
                        node.hand(live, message)
        if unclaimed:
            node.wakeups.scan()

    async def _bring(self, loaded: LoadedInstance) -> None:
        node, record = self._node, loaded.record
        terminated = termination(loaded.inbox)
        try:
            live = await self._restore(loaded, doomed=terminated is not None)
        except (StorageUnavailable, StorageBroken):
            raise
        except Exception as error:  # noqa: BLE001  # rows that are spoilt must harm nobody else
            self._forget_calls(record.instance_id)
            if terminated is not None:  # nothing of it is to run, so nothing need be readable
                await node.commit_alone(partial(self._ended_unread, record, terminated))
            else:
                await self.suspend(record.instance_id, f"{type(error).__name__}: {error}")
            return
        self.put(live)
        if terminated is None:
            self._take_up_calls(live)
        else:
            self._forget_calls(live.id)
        for message in (*loaded.inbox, *self._fetching.get(live.id, ())):
            node.hand(live, message)
        if live.has_work:
            node.enqueue(live)

    async def _ended_unread(self, record: InstanceRecord, fact: Terminated) -> Delta:
        """The end of an instance whose state may not be had."""
        store, name, now = self._node.provider, record.instance_id, self._node.clock.now()
        first = await store.history(name, execution=record.execution, limit=1)
        [loaded] = await store.load([name], now=now)  # nothing can have come after this
        return terminated_unread(record, loaded.inbox, fact, first, now=now)

    async def _restore(self, loaded: LoadedInstance, *, doomed: bool) -> Live:
        """Rebuild the state; raises whatever is the reason why it cannot go on."""
        node, record = self._node, loaded.record
        for message in loaded.inbox:
            read_letter(message.payload)
        idle = record.awaits_version is not None  # it does nothing, so it is not what kills nodes
        if record.attempts > node.options.poison_attempts and not (doomed or idle):
            raise Poison(record.attempts - 1)
        if record.pin.semantics not in semantics.SUPPORTED:
            raise UnsupportedSemantics(record.pin.semantics, semantics.SUPPORTED)
        program = await node.programs.fetch(record.pin.revision)
        live = Live(
            record.instance_id, record.pin, program, epoch=record.epoch, execution=record.execution
        )
        live.run = await self._replay(loaded, live)
        live.custom_status = record.custom_status
        live.upgrade_blocked = record.upgrade_blocked
        live.open_activities = len(calls_in_flight(live.run))
        live.size += sum(len(page.payload) for page in loaded.pages)
        return live

    async def _replay(self, loaded: LoadedInstance, live: Live) -> Execution:
        node, saved = self._node, loaded.snapshot
        node.counters["replays"] += 1
        pages = [page.payload for page in loaded.pages]
        if saved is None:
            return replay(live.program, pages)
        try:
            live.saved_seq = saved.seq
            run = replay(live.program, pages, saved=saved.payload)
            if run.revision != live.pin.revision:
                raise ReplayError(f"it is of revision {run.revision}")
            return run
        except Exception:  # noqa: BLE001  # whatever is wrong with it, the history is the truth
            _log.exception(
                "a snapshot does not agree with the history and is discarded",
                extra={"instance_id": live.id, "seq": saved.seq},
            )
        live.saved_seq = 0
        whole: list[bytes] = []
        after = 0
        while True:
            found = await node.provider.history(live.id, execution=live.execution, after=after)
            if not found:
                return replay(live.program, whole)
            whole += [page.payload for page in found]
            after = found[-1].last_seq
