"""A live instance: the state of an instance that this node owns, and what it is yet to be told."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from engine.history.events import CancelRequested, ContinuedAsNew, Terminated
from engine.interpreter.execution import Execution

if TYPE_CHECKING:
    import asyncio

    from engine.history.events import Fact, Parent
    from engine.interpreter.program import Program
    from engine.runtime.calls import Call
    from engine.storage.records import Creation, Pin

BASE_BYTES = 4_096


class Told:
    """One fact for an instance. `execution` None: for whichever runs."""

    __slots__ = ("ack", "execution", "fact", "message", "reply")

    def __init__(
        self,
        fact: Fact,
        *,
        execution: int | None = None,
        message: int | None = None,
        reply: Parent | None = None,
        ack: asyncio.Future[None] | None = None,
    ) -> None:
        self.fact = fact
        self.execution = execution
        self.message = message  # id in the store's inbox, deleted with the commit
        self.reply = reply
        self.ack = ack  # told after the commit


class Live:
    """One instance under this node's ownership. Only the node's loop touches it."""

    __slots__ = (
        "awaits", "busy", "calls", "create", "custom_status", "dropped", "epoch", "execution", "id",
        "open_activities", "pin", "program", "queued", "run", "saved_seq", "size", "told",
        "upgrade_blocked", "warned",
    )  # fmt: skip

    def __init__(
        self, id: str, pin: Pin, program: Program, *, epoch: int = 1, execution: int = 1
    ) -> None:
        self.id = id
        self.pin = pin
        self.program = program
        self.epoch = epoch
        self.execution = execution
        self.run = Execution(program)
        self.told: deque[Told] = deque()
        self.queued = False  # among the node's ready ones
        self.busy = False  # a turn of it is being committed
        self.dropped = False  # no longer ours; nothing of it may be committed
        self.create: Creation | None = None  # not in the store yet
        self.calls: dict[int, Call] = {}
        self.open_activities = 0
        self.custom_status: bytes | None = None
        self.saved_seq = 0  # of the newest snapshot
        self.size = BASE_BYTES
        self.warned = False
        self.upgrade_blocked: str | None = None  # why it did not go on with another version
        self.awaits: str | None = None  # the version without which its next execution cannot begin

    @property
    def has_work(self) -> bool:
        """Whether a turn would do something."""
        if self.awaits is not None:
            return self.stops_waiting
        return bool(self.told) or isinstance(self.run.ended, ContinuedAsNew)

    @property
    def stops_waiting(self) -> bool:
        """Whether it has been told to end while it waits for a version."""
        return any(isinstance(one.fact, (CancelRequested, Terminated)) for one in self.told)
