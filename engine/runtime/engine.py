"""The engine: a store, a node on it and a client, opened together."""

from __future__ import annotations

import getpass
import os
import secrets
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from engine.activities.registry import ActivityRegistry
from engine.client.client import Client
from engine.client.programs import Programs
from engine.client.transport import StoreTransport
from engine.runtime.local import NodeTransport
from engine.runtime.node import Node
from engine.runtime.options import NodeOptions
from engine.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from engine.storage.provider import Provider


class WallClock:
    """The system's clock."""

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return time.time_ns() // 1_000


def current_actor() -> str:
    """Who does this, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


class Engine:
    """What `Engine.open` yields. `client` talks to instances, `node` is this process's worker."""

    def __init__(self, client: Client, node: Node, provider: Provider) -> None:
        self.client = client
        self.node = node
        self.provider = provider

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str = "sqlite:///.lockstep/lockstep.db",
        *,
        workflows: str | Path | None = None,
        activities: Iterable[Any] = (),
        queues: Iterable[str] = ("default",),
        options: NodeOptions | None = None,
        synchronous: str = "FULL",
    ) -> AsyncIterator[Engine]:
        """Open the store, become its node, deploy the workflows of a folder.

        Args:
            url: `sqlite:///path.db`, `sqlite://:memory:`.
            workflows: a file or folder to deploy first.
            activities: functions marked with `@activity`, or modules that hold them.
            queues: which task queues this process serves.
            options: limits and sizes; `queues` is taken from the argument.
            synchronous: SQLite's setting; below FULL a power cut may lose what was acknowledged.

        Raises:
            NodeBusy: another process is the node of this SQLite file.
            StorageUnavailable: the store cannot be opened.
            DefinitionError, VersionLocked: the workflows cannot be deployed.
        """
        import msgspec

        registry = ActivityRegistry(activities)
        chosen = msgspec.structs.replace(options or NodeOptions(), queues=tuple(queues))
        name = f"node-{secrets.token_hex(6)}"
        async with open_store(url, synchronous=synchronous) as provider:  # type: ignore[arg-type]
            node = Node(provider, registry, name=name, clock=WallClock(), options=chosen)
            async with node:
                client = Client(NodeTransport(node), actor=current_actor(), config=chosen.config)
                if workflows is not None:
                    await client.deploy(workflows)
                yield cls(client, node, provider)


@asynccontextmanager
async def open_client(
    url: str = "sqlite:///.lockstep/lockstep.db", *, create: bool = False
) -> AsyncIterator[Client]:
    """A client without a node: requests are left in the store for the process that is the node."""
    async with open_store(url, create=create) as provider:
        programs = Programs(provider)
        await programs.refresh()
        yield Client(StoreTransport(provider, programs, WallClock()), actor=current_actor())
