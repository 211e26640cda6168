"""Opening a project: as its node, as a client of it, or as whichever is possible."""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from engine.client.client import Client
from engine.client.programs import Programs
from engine.client.transport import StoreTransport
from engine.errors import NodeBusy, SettingsError
from engine.runtime.engine import Engine, WallClock, current_actor
from engine.runtime.options import NodeOptions
from engine.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from types import ModuleType

    from engine.cli.settings import Settings
    from engine.runtime.node import Node
    from engine.storage.provider import Provider

T = TypeVar("T")
SECOND = 1_000_000


class Opened:
    """A store and a client of it; `node` is set when this process is the node."""

    def __init__(self, client: Client, provider: Provider, node: Node | None = None) -> None:
        self.client = client
        self.provider = provider
        self.node = node


@asynccontextmanager
async def open_client(settings: Settings, *, create: bool = False) -> AsyncIterator[Opened]:
    """Only ask; requests are left in the store for the process that is the node."""
    async with open_store(settings.database, create=create) as provider:
        programs = Programs(provider)
        await programs.refresh()
        transport = StoreTransport(provider, programs, WallClock())
        yield Opened(Client(transport, actor=current_actor(), config=settings.config), provider)


@asynccontextmanager
async def open_node(settings: Settings, *, grace_seconds: float) -> AsyncIterator[Opened]:
    """Become the node. Raises `NodeBusy` when another process is it."""
    async with Engine.open(
        settings.database,
        activities=load_activities(settings),
        queues=settings.queues,
        options=NodeOptions(config=settings.config, shutdown_grace=int(grace_seconds * SECOND)),
    ) as engine:
        yield Opened(engine.client, engine.provider, engine.node)


@asynccontextmanager
async def open_either(settings: Settings, *, grace_seconds: float) -> AsyncIterator[Opened]:
    """Use the live node if there is one, else become it."""
    async with AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(
                open_node(settings, grace_seconds=grace_seconds)
            )
        except NodeBusy:
            opened = await stack.enter_async_context(open_client(settings))
        yield opened


def load_activities(settings: Settings) -> list[ModuleType]:
    """Import the activity modules, from the project's folder first.

    Raises:
        SettingsError: one cannot be imported.
    """
    folder = str(settings.root)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return [_import(name) for name in settings.activities]


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # a module may raise anything while it is imported
        place = _place(error)
        raise SettingsError(
            f"the activity module `{name}` cannot be imported: "
            f"{type(error).__name__}: {error}{place}",
            hint="see `activities` in the settings; `lockstep --debug …` shows the traceback",
        ) from error


def _place(error: BaseException) -> str:
    """Where in the user's code it happened."""
    if isinstance(error, SyntaxError):
        return ""
    found = error.__traceback__
    place = ""
    while found is not None:
        file = found.tb_frame.f_code.co_filename
        if not file.startswith("<frozen") and file != __file__:
            place = f" ({file}:{found.tb_lineno})"
        found = found.tb_next
    return "" if "importlib" in place else place


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine. SIGTERM ends it as Ctrl-C does: by cancelling it, in order."""

    async def interruptible() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(interruptible())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
