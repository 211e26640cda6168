"""The transport inside the node's process: requests go to the instance in memory.

A start is one commit (creation and first turn together), a signal to a live instance too.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from engine.client.models import Ending
from engine.client.transport import StoreTransport
from engine.errors import InstanceNotFound, LeaseLost, LimitExceeded
from engine.history.events import SignalReceived
from engine.runtime.live import Live, Told
from engine.runtime.node import DuplicateStart
from engine.storage.records import TERMINAL_STATUSES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from engine.history.events import Fact, Started
    from engine.interpreter.execution import Execution
    from engine.interpreter.program import Program
    from engine.runtime.node import Node
    from engine.storage.records import Creation, Rebase


class NodeTransport(StoreTransport):
    """Through memory where the instance is in memory, through the store otherwise."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.provider, node.programs, node.clock)
        self._node = node

    async def begin(self, creation: Creation, program: Program, started: Started) -> str | None:
        """Create it and take its first turn in one commit."""
        if self._node.closing:
            return await super().begin(creation, program, started)
        live = Live(creation.instance_id, creation.pin, program, execution=creation.execution)
        live.create = creation
        ack: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._node.tell(live, Told(started, ack=ack))
        try:
            await ack
        except DuplicateStart as taken:
            return taken.existing
        return None

    async def program(self, instance_id: str) -> Program:
        """The live instance knows."""
        live = self._node.shelf.get(instance_id)
        return live.program if live is not None else await super().program(instance_id)

    async def post(self, instance_id: str, fact: Fact) -> None:
        """Tell the live instance; one that is not in memory finds it in its inbox."""
        live = self._node.shelf.get(instance_id)
        waits = live is not None and live.awaits is not None and isinstance(fact, SignalReceived)
        if live is not None and not waits and not self._node.closing:
            waiting, limit = len(live.told), self._node.options.signal_backlog
            if isinstance(fact, SignalReceived):
                waiting += len(live.run.mailbox.get(fact.name, ()))
                if waiting >= limit:
                    raise LimitExceeded("signals that wait", waiting, limit)
            ack: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._node.tell(live, Told(fact, ack=ack))
            try:
                await ack
            except LeaseLost:
                pass  # it left this node before it took this up
            else:
                return
        await super().post(instance_id, fact)
        self._node.wakeups.scan()
        shelf = self._node.shelf
        if shelf.get(instance_id) is not None or shelf.fetching(instance_id):
            await self._node.wakeups.looked()  # else what is told it next would overtake this

    async def resume(self, instance_id: str) -> bool:
        """Look for it at once."""
        resumed = await super().resume(instance_id)
        self._node.wakeups.scan()
        return resumed

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """Turns are taken, and stored afterwards."""
        async with self._node.committing:
            yield

    async def rebase(self, move: Rebase) -> bool:
        """The live instance is brought back on its new program at once."""
        moved = await super().rebase(move)
        live = self._node.shelf.get(move.instance_id)
        if moved and live is not None:
            self._node.shelf.renew(live)
        return moved

    async def ending(self, instance_id: str) -> Ending:
        """The commit that ends it wakes us."""
        self._check_stopped()
        future: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        waiting = self._node.endings.setdefault(instance_id, [])
        waiting.append(future)
        try:
            if self._node.shelf.get(instance_id) is None:
                record = await self.provider.get(instance_id)
                if record is None:
                    raise InstanceNotFound(instance_id)
                if record.status in TERMINAL_STATUSES:
                    return Ending(record.status, record.output, record.error)
            return await future
        finally:
            if future in waiting:
                waiting.remove(future)
            if not waiting and self._node.endings.get(instance_id) is waiting:
                del self._node.endings[instance_id]

    def _check_stopped(self) -> None:
        """Nothing wakes anybody any more: say so instead of waiting for ever."""
        if self._node.stopped is not None:
            raise self._node.stopped

    @asynccontextmanager
    async def watch(self, instance_id: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Every commit of the instance wakes us."""
        self._check_stopped()
        event = asyncio.Event()
        self._node.watchers.setdefault(instance_id, []).append(event)

        async def wait() -> None:
            await event.wait()
            event.clear()
            self._check_stopped()

        try:
            yield wait
        finally:
            self._node.watchers[instance_id].remove(event)
            if not self._node.watchers[instance_id]:
                del self._node.watchers[instance_id]

    async def state(self, instance_id: str) -> Execution | None:
        """The live state, without any replay if it is in memory."""
        live = self._node.shelf.get(instance_id)
        return live.run if live is not None else await super().state(instance_id)
