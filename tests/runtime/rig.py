"""A node on a store with everything exchangeable: clock, provider, activities.

`Engine.open` fixes the system's clock and the plain provider; tests of faults need to come between.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from engine import Client, Handle, InstanceInfo
from engine.activities.registry import ActivityRegistry
from engine.runtime.local import NodeTransport
from engine.runtime.node import Node
from engine.runtime.options import NodeOptions
from engine.storage.url import open_store
from tests.scenarios.invariants import check_invariants

HEAD = 'dsl: 1\nname: {name}\nversion: "{version}"\n'


def workflow(body: str, *, name: str = "main", version: str = "1.0.0") -> str:
    """The text of a definition."""
    return HEAD.format(name=name, version=version) + body


def measured(text: str) -> None:
    """Show a figure; `-rP` prints it."""
    sys.stdout.write(f"{text}\n")


class Watched:
    """A provider that counts its calls and can be told to interfere.

    `before[name]` and `after[name]` are called around the method of that name; what they raise the
    caller gets. What is raised afterwards is an outcome that the caller cannot know.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.calls: Counter[str] = Counter()
        self.commits: list[Sequence[Any]] = []
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)
        if name == "changed":

            def changed() -> bool:
                self._around(self.before, name)
                return bool(method())

            return changed

        async def call(*args: Any, **options: Any) -> Any:
            self.calls[name] += 1
            if name == "commit":
                self.commits.append(args[2])
            self._around(self.before, name)
            result = await method(*args, **options)
            self._around(self.after, name)
            return result

        return call

    def _around(self, hooks: dict[str, Callable[[], None]], name: str) -> None:
        hook = hooks.get(name)
        if hook is not None:
            hook()

    def reset(self) -> None:
        """Count from here."""
        self.calls.clear()
        self.commits.clear()


class MovedClock:
    """The system's clock, moved by hand."""

    def __init__(self) -> None:
        self.offset = 0

    def now(self) -> int:
        """Microseconds since 1970 UTC, and the offset."""
        return time.time_ns() // 1_000 + self.offset


class Rig:
    """What `running` yields."""

    def __init__(self, node: Node, client: Client, store: Watched, clock: MovedClock) -> None:
        self.node = node
        self.client = client
        self.store = store
        self.clock = clock

    async def check(self) -> None:
        """Assert the invariants of every instance, and that none is stranded."""
        programs = {
            one.revision: await self.node.programs.fetch(one.revision)
            for one in await self.client.deployments()
        }
        await check_invariants(self.client, programs)
        assert await self.store.inner.stranded(now=self.clock.now()) == []


@asynccontextmanager
async def running(
    url: str = "sqlite://:memory:",
    *definitions: str,
    activities: Iterable[Any] = (),
    options: NodeOptions | None = None,
    clock: MovedClock | None = None,
    wrap: Callable[[Any], Watched] = Watched,
) -> AsyncIterator[Rig]:
    """A node at work on the store, with these definitions deployed."""
    clock = clock or MovedClock()
    async with open_store(url) as provider:
        store = wrap(provider)
        chosen = options or NodeOptions()
        registry = ActivityRegistry(activities)
        node = Node(store, registry, name=f"n{time.time_ns()}", clock=clock, options=chosen)
        async with node:
            client = Client(NodeTransport(node), actor="test", config=chosen.config)
            for text in definitions:
                await client.deploy_text(text)
            yield Rig(node, client, store, clock)


# Nothing announces what these wait for, to a test that must not change it: they look.


async def status_of(store: Any, instance_id: str, *wanted: str) -> None:
    """Return when the instance has one of these statuses in the store."""
    async with asyncio.timeout(5):
        while (await store.get(instance_id)).status not in wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def stopped(handle: Handle) -> InstanceInfo:
    """The instance once it runs no more."""
    async with asyncio.timeout(10):
        while (info := await handle.info()).status == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return info


async def waits_for_signal(handle: Handle) -> None:
    """Return when the instance has come to a wait."""

    def waits(info: InstanceInfo) -> bool:
        return any(one["kind"] == "signal" for one in info.waiting_for or [])

    async with asyncio.timeout(5):
        while not waits(await handle.info()):  # noqa: ASYNC110
            await asyncio.sleep(0.002)
