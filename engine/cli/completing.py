"""What the shell completes from the database: names of workflows, ids of instances.

A completion never complains: without a database there is nothing to offer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engine.cli.opening import Opened

T = TypeVar("T")
MOST = 200


def workflow_names(given: dict[str, Any], start: str) -> list[str]:
    """Deployed workflows whose names begin so."""

    async def ask(opened: Opened) -> list[str]:
        return sorted({one.name for one in await opened.client.deployments()})

    return [name for name in _ask(given, ask) if name.startswith(start)]


def instance_ids(given: dict[str, Any], start: str) -> list[str]:
    """Instances whose ids begin so, the newest first."""

    async def ask(opened: Opened) -> list[str]:
        found = await opened.client.list(id_prefix=start or None, limit=MOST)
        return [one.instance_id for one in found]

    return _ask(given, ask)


def _ask(given: dict[str, Any], ask: Callable[[Opened], Awaitable[list[str]]]) -> list[str]:
    import asyncio

    from engine.cli.opening import open_client
    from engine.cli.options import settings_of

    async def work() -> list[str]:
        flags = {"database": given.get("database")}
        async with open_client(settings_of(given.get("project"), flags)) as opened:
            return await ask(opened)

    try:
        return asyncio.run(work())
    except EngineError:
        return []
