"""Probation: instances whose node has died before, brought back one at a time.

All that were in flight when a node died are suspect alike, and a claim counts an attempt for each.
So that only the one that kills its node collects them, claims begin small, and suspects are taken
up singly: the next one when the one before has got on, or has had its time. The least suspect come
first; of equals the order is turned round each time, so that none is always behind the poison.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runtime.node import Node
    from engine.storage.records import InstanceRecord

SUSPECT_FROM = 3  # attempts: a node that dies once or twice may have been switched off
PATIENCE_SECONDS = 0.2


class Probation:
    """Which of the claimed instances may be taken up now, and how many to claim next."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._waiting: deque[str] = deque()
        self._held: set[str] = set()
        self._runs = False
        self.limit = 1

    @property
    def busy(self) -> bool:
        """Whether there are suspects; until they are through nothing more is claimed."""
        return self._runs

    def holds(self, instance_id: str) -> bool:
        """Whether it has to wait for its turn."""
        return instance_id in self._held

    def admit(self, claimed: Sequence[InstanceRecord]) -> list[InstanceRecord]:
        """Those that may be taken up at once."""
        options = self._node.options
        suspect_from = min(SUSPECT_FROM, options.poison_attempts)
        suspects = [one for one in claimed if one.attempts >= suspect_from]
        if not suspects:
            self.limit = min(self.limit * 2, options.claim_limit)
            return list(claimed)
        self.limit = 1
        if max(one.attempts for one in suspects) % 2:
            suspects.reverse()
        suspects.sort(key=lambda one: one.attempts)
        names = [one.instance_id for one in suspects]
        self._waiting.extend(names)
        self._held.update(names)
        if not self._runs:
            self._runs = True
            self._node.spawn(self._take_up(), "probation")
        return [one for one in claimed if one.attempts < suspect_from]

    async def _take_up(self) -> None:
        node = self._node
        while self._waiting and not node.closing:
            name = self._waiting.popleft()
            got_on = asyncio.Event()
            node.watchers.setdefault(name, []).append(got_on)
            self._held.discard(name)
            node.shelf.fetch(name)
            with suppress(TimeoutError):
                await asyncio.wait_for(got_on.wait(), PATIENCE_SECONDS)
            node.watchers[name].remove(got_on)
            if not node.watchers[name]:
                del node.watchers[name]
        self._runs = False
        node.wakeups.scan()
