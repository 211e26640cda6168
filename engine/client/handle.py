"""A handle: one instance, ready to be talked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.client.client import Client
    from engine.client.models import InstanceInfo
    from engine.values.json import Json, JsonObject


class Handle:
    """The client's methods for one instance id; they raise what those raise."""

    def __init__(self, client: Client, instance_id: str) -> None:
        self._client = client
        self.id = instance_id

    def __repr__(self) -> str:
        return f"Handle({self.id!r})"

    async def result(self, timeout: float | None = None) -> Json:  # noqa: ASYNC109  # as in Client
        """Wait for the end; the output."""
        return await self._client.result(self.id, timeout)

    async def signal(self, name: str, payload: Json = None) -> None:
        """Put a signal into its mailbox."""
        await self._client.signal(self.id, name, payload)

    async def cancel(self, reason: str | None = None) -> None:
        """Ask it to stop; its clean-up runs."""
        await self._client.cancel(self.id, reason)

    async def terminate(self, reason: str | None = None) -> None:
        """End it now."""
        await self._client.terminate(self.id, reason)

    async def info(self) -> InstanceInfo:
        """Where it stands."""
        return await self._client.get(self.id)

    async def history(self, execution: int | None = None) -> list[JsonObject]:
        """All events of an execution."""
        return await self._client.history(self.id, execution)

    def events(self, after: int = 0) -> AsyncIterator[JsonObject]:
        """Events as they are recorded, until it ends."""
        return self._client.events(self.id, after)
