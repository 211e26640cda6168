"""Wake-ups: timers that become due, and what other processes have written.

One look at the store (`scan`) serves both: claim what nobody works on, take the messages that have
become visible, and set the alarm for the next one that will.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from engine.errors import StorageError, StorageUnavailable
from engine.runtime.options import SECOND

if TYPE_CHECKING:
    from engine.runtime.node import Node

_log = logging.getLogger("lockstep.node")
PAGE = 1_000
FAR = 1 << 62
LONGEST_ALARM = 3600.0  # seconds; the clock may be set meanwhile


class Wakeups:
    """The alarm of a node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = FAR
        self._poll: asyncio.TimerHandle | None = None
        self._check: asyncio.TimerHandle | None = None
        self._wanted = False
        self._scanning = False
        self._looked = asyncio.Event()
        self._looked.set()
        self.stranded = 0

    def start(self) -> None:
        """Look at once: this is also how everything goes on after a restart."""
        self.scan()
        self._look_around()
        self._count_stranded()

    def close(self) -> None:
        """Wake no more."""
        for handle in (self._alarm, self._poll, self._check):
            if handle is not None:
                handle.cancel()

    def due(self, at: int) -> None:
        """Something becomes visible at that time."""
        if at >= self._alarm_at or self._node.closing:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        delay = min(max(0.0, (at - self._node.clock.now()) / SECOND), LONGEST_ALARM)
        self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._alarm_at = None, FAR
        self.scan()

    def scan(self) -> None:
        """Look at the store soon; calls that come meanwhile are one."""
        self._wanted = True
        if not self._scanning and not self._node.closing:
            self._scanning = True
            self._looked.clear()
            self._node.spawn(self._scan(), "scan")

    async def looked(self) -> None:
        """Return when the looks asked for so far are over."""
        await self._looked.wait()

    async def _scan(self) -> None:
        try:
            while self._wanted and not self._node.closing:
                self._wanted = False
                try:
                    await self._look()
                except StorageUnavailable as error:
                    _log.warning("the store cannot be read now", extra={"error": str(error)})
                    self.due(self._node.clock.now() + SECOND)
        finally:
            self._scanning = False
            self._looked.set()

    async def _look(self) -> None:
        node = self._node
        now = node.clock.now()  # one moment for all: what is due later, `next_due` tells of
        while not (node.closing or node.probation.busy):
            limit = node.probation.limit
            claimed = await node.provider.claim(
                node.lease, now=now, limit=limit, levels=node.levels
            )
            for record in node.probation.admit(claimed):
                live = node.shelf.get(record.instance_id)
                if live is None:
                    node.shelf.fetch(record.instance_id)
                elif live.epoch != record.epoch:  # somebody has moved it meanwhile
                    node.shelf.renew(live)
            if len(claimed) < limit:
                break
        room = PAGE + len(node.shelf.handed)
        with node.shelf.reading():
            messages = await node.provider.messages(node.lease, now=now, limit=room)
            for message in messages:
                node.receive(message)
        if len(messages) == room:
            self._wanted = True
        upcoming = await node.provider.next_due(now=now)
        if upcoming is not None:
            self.due(upcoming)

    def _look_around(self) -> None:
        """Another process may have written; somebody may have set the clock."""
        node = self._node
        if node.closing:
            return
        try:
            if node.provider.changed():
                node.spawn(self._foreign(), "foreign writes")
        except StorageUnavailable as error:
            _log.warning("the store cannot be watched now", extra={"error": str(error)})
        except StorageError as error:
            node.fail(error)
            return
        if node.clock.now() >= self._alarm_at:
            self._ring()
        delay = node.options.foreign_poll / SECOND
        self._poll = asyncio.get_running_loop().call_later(delay, self._look_around)

    async def _foreign(self) -> None:
        try:
            await self._node.programs.refresh()
        except StorageUnavailable as error:
            _log.warning("the store cannot be read now", extra={"error": str(error)})
        self.scan()

    def _count_stranded(self) -> None:
        delay = self._node.options.stranded_check / SECOND
        loop = asyncio.get_running_loop()

        def check() -> None:
            if not self._node.closing:
                self._node.spawn(self._check_stranded(), "stranded")
                self._check = loop.call_later(delay, check)

        self._check = loop.call_later(delay, check)

    async def _check_stranded(self) -> None:
        try:
            found = await self._node.provider.stranded(now=self._node.clock.now())
        except StorageUnavailable:
            return  # the next check will tell
        self.stranded = len(found)
        if found:
            _log.error("instances without any cause to go on", extra={"instances": found[:20]})
