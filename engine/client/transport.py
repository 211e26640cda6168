"""Transports: how a client reaches the instances.

`StoreTransport` needs nothing but the store: it writes requests that the node, whichever process
that is, will find. The node brings a transport of its own that hands requests over in memory.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

import msgspec

from engine.client.models import Ending
from engine.errors import InstanceFinished, InstanceNotFound, VersionWithdrawn
from engine.history.events import Terminated
from engine.history.letters import write_letter
from engine.interpreter.replay import replay
from engine.storage.records import TERMINAL_STATUSES, Message, Send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from engine.client.programs import Programs
    from engine.history.events import Fact, Started
    from engine.interpreter.execution import Execution
    from engine.interpreter.program import Program
    from engine.storage.provider import Provider
    from engine.storage.records import Creation, Rebase
    from engine.values.clock import Clock

POLL_FIRST, POLL_MOST = 0.02, 0.25  # seconds; another process's commits cannot wake us


class Transport(Protocol):
    """What a client needs."""

    provider: Provider
    programs: Programs
    clock: Clock

    async def begin(self, creation: Creation, program: Program, started: Started) -> str | None:
        """Create and start an instance; the status of the one that has the id, if one has.

        `pruned`: the version has no content any more, and nothing was created.
        """

    async def program(self, instance_id: str) -> Program:
        """What an instance runs on. Raises `InstanceNotFound`, `InstanceFinished`."""

    async def post(self, instance_id: str, fact: Fact) -> None:
        """Tell an instance something; returns when it is durable.

        Raises `InstanceNotFound`, `InstanceFinished`.
        """

    async def resume(self, instance_id: str) -> bool:
        """Let a suspended instance go on; False when it was not suspended."""

    async def rebase(self, move: Rebase) -> bool:
        """Move an instance to another revision; False when it has gone on meanwhile."""

    def quiet(self) -> AbstractAsyncContextManager[None]:
        """A context in which no turn is stored, as far as this process can see to that."""

    async def ending(self, instance_id: str) -> Ending:
        """Wait for the end. Raises `InstanceNotFound`."""

    def watch(self, instance_id: str) -> AbstractWatch:
        """A context whose value waits until something may have changed."""

    async def state(self, instance_id: str) -> Execution | None:
        """The live state of an instance that has not ended."""


if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager as AbstractWatchManager

    AbstractWatch = AbstractWatchManager[Callable[[], Awaitable[None]]]


class StoreTransport:
    """Requests through the store alone."""

    def __init__(self, provider: Provider, programs: Programs, clock: Clock) -> None:
        self.provider = provider
        self.programs = programs
        self.clock = clock

    async def begin(self, creation: Creation, program: Program, started: Started) -> str | None:
        """Leave it in the store for the node."""
        asked = msgspec.structs.replace(creation, start=write_letter(started), claimed=False)
        try:
            [taken] = await self.provider.create([asked])
        except VersionWithdrawn as error:
            return error.state
        return taken.status if taken is not None else None

    async def program(self, instance_id: str) -> Program:
        """By the pin in the store."""
        record = await self.provider.get(instance_id)
        if record is None:
            raise InstanceNotFound(instance_id)
        if record.status in TERMINAL_STATUSES:
            raise InstanceFinished(instance_id, record.status)
        return await self.programs.fetch(record.pin.revision)

    async def post(self, instance_id: str, fact: Fact) -> None:
        """Put it into the inbox."""
        [found] = await self.provider.send([Send(message=Message(instance_id, write_letter(fact)))])
        if found is None:
            raise InstanceNotFound(instance_id)
        if found.status in TERMINAL_STATUSES:
            raise InstanceFinished(instance_id, found.status)
        if found.status == "suspended" and isinstance(fact, Terminated):
            await self.resume(instance_id)  # it is to end, and a node has to see to that

    async def resume(self, instance_id: str) -> bool:
        """The node will find it."""
        return await self.provider.resume(instance_id, now=self.clock.now())

    def quiet(self) -> AbstractAsyncContextManager[None]:
        """The node is another process: whoever asks must be ready to try again."""
        return nullcontext()

    async def rebase(self, move: Rebase) -> bool:
        """The node learns of it when it looks, or when its next turn is refused."""
        return await self.provider.rebase(move)

    async def ending(self, instance_id: str) -> Ending:
        """Look until it has ended."""
        pause = POLL_FIRST
        while True:
            record = await self.provider.get(instance_id)
            if record is None:
                raise InstanceNotFound(instance_id)
            if record.status in TERMINAL_STATUSES:
                return Ending(record.status, record.output, record.error)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, POLL_MOST)

    @asynccontextmanager
    async def watch(self, instance_id: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Nothing wakes us across processes: look again after a moment."""

        async def wait() -> None:
            await asyncio.sleep(POLL_FIRST)

        yield wait

    async def state(self, instance_id: str) -> Execution | None:
        """Rebuilt from snapshot and history."""
        found = await self.provider.load([instance_id], now=0)
        if not found or (not found[0].pages and found[0].snapshot is None):
            return None
        loaded = found[0]
        program = await self.programs.fetch(loaded.record.pin.revision)
        saved = loaded.snapshot.payload if loaded.snapshot else None
        return replay(program, [page.payload for page in loaded.pages], saved=saved)
