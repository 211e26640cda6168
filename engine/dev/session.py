"""The development server: a node, a watcher, and what connects them, in one process.

::

    watch ─► Saves ─► version, policy          definitions of the workflow folder
    watch ─► ReloadingRunner.reload            modules of the project
                └─► node: calls that waited

A session is `client`, `node` and `provider`, as an engine is: whatever else is to serve in this
process (an API, a dashboard) takes those three, is entered beside `run`, and hears of what happens
by another `Listener`. What happens is data; this package prints nothing.

Rule 1: the store is a development store, or `open_session` raises: production cannot hot reload.
Rule 2: only `restart_running` touches a running instance.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from engine.activities.runner import RunnerOptions
from engine.client.client import Client
from engine.dev.reloading import ReloadingRunner
from engine.dev.saving import Gone, Refused, Saved, Saves
from engine.dev.watching import Changes, watch
from engine.errors import EngineError, NotForDevelopment, SettingsError
from engine.runtime.engine import WallClock, current_actor
from engine.runtime.local import NodeTransport
from engine.runtime.node import Node
from engine.runtime.options import SECOND, NodeOptions
from engine.storage.records import InstanceFilter
from engine.storage.url import open_store
from engine.values.json import JsonObject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from engine.storage.provider import Provider

PROCESSES: Final = 8  # each running activity has one to itself
PAGE: Final = 200


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a session works on. `modules` are imported with `root` on the path."""

    root: Path
    database: str
    workflows: Path
    modules: tuple[str, ...] = ()
    queues: tuple[str, ...] = ("default",)
    config: JsonObject = {}
    processes: int = PROCESSES
    restart_running: bool = False
    shutdown_grace: int = 10 * SECOND


class Reloaded(msgspec.Struct, frozen=True):
    """New attempts run the code as it was just saved."""

    generation: int
    activities: tuple[str, ...]


class Broken(msgspec.Struct, frozen=True):
    """The modules do not import; attempts go on with the last good code, `generation` 0 is none."""

    problem: str
    generation: int


class Restarted(msgspec.Struct, frozen=True):
    """An instance was ended and started again on a new version, or why not."""

    instance_id: str
    version: str
    problem: str | None = None


Event: TypeAlias = Saved | Refused | Gone | Reloaded | Broken | Restarted
Listener: TypeAlias = "Callable[[Event], None]"


class Session:
    """What `open_session` yields."""

    def __init__(
        self,
        options: Options,
        client: Client,
        node: Node,
        provider: Provider,
        runner: ReloadingRunner,
    ) -> None:
        self.options = options
        self.client = client
        self.node = node
        self.provider = provider
        self.runner = runner
        self.listeners: list[Listener] = []
        self._reloading = asyncio.Lock()
        self._saves = Saves(client, options.workflows, clock=node.clock, actor=current_actor())

    async def run(self, stop: asyncio.Event) -> None:
        """Follow what is saved until `stop` is set. Raises what stops the node."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_definitions(stop))
            for folders, deep in self._module_folders():
                group.create_task(self._watch_modules(folders, stop, deep=deep))
            group.create_task(self._watch_node(stop))
        if self.node.failed is not None:
            raise self.node.failed

    async def save(self, changes: Changes) -> None:
        """Take what was saved, as `run` does when it sees it."""
        outcomes = await self._saves.take(changes.paths, everything=changes.everything)
        for outcome in outcomes:
            self._tell(outcome)
        if self.options.restart_running:
            for outcome in outcomes:
                if isinstance(outcome, Saved):
                    await self.restart_running(outcome.name, outcome.version)

    async def reload(self) -> None:
        """Take over the code of the modules as it is now."""
        async with self._reloading:
            problem = await self.runner.reload()
        if problem is not None:
            self._tell(Broken(problem, self.runner.generation))
            return
        self.node.calls.look_again()
        self._tell(Reloaded(self.runner.generation, tuple(self.node.registry.names())))

    async def restart_running(self, name: str, version: str) -> None:
        """End every running instance of a name that is on another version, and start it again.

        With the input it had, under its id. Children are left to their parents.
        """
        where = InstanceFilter(workflow=name, status=("pending", "running", "suspended"))
        after: str | None = None
        while records := await self.provider.list(where, after=after, limit=PAGE):
            for record in records:
                if record.pin.version != version and record.parent_id is None:
                    await self._restart(record.instance_id, name, version)
            after = records[-1].instance_id

    async def _restart(self, instance_id: str, name: str, version: str) -> None:
        try:
            info = await self.client.get(instance_id)
            await self.client.start(
                name,
                info.input,
                id=instance_id,
                version=version,
                on_duplicate="terminate_and_restart",
            )
        except EngineError as error:
            self._tell(Restarted(instance_id, version, error.message))
        else:
            self._tell(Restarted(instance_id, version))

    def _tell(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)

    async def _watch_definitions(self, stop: asyncio.Event) -> None:
        async for changes in watch([self.options.workflows], stop=stop):
            await self.save(changes)

    async def _watch_modules(self, folders: list[Path], stop: asyncio.Event, *, deep: bool) -> None:
        async for changes in watch(folders, stop=stop, deep=deep):
            saved = any(path.suffix == ".py" for path in changes.paths)
            if saved or (changes.everything and await asyncio.to_thread(self.runner.stale)):
                await self.reload()

    async def _watch_node(self, stop: asyncio.Event) -> None:
        ended = asyncio.create_task(self.node.ended.wait())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({ended, stopped}, return_when="FIRST_COMPLETED")
        ended.cancel()
        stopped.cancel()
        stop.set()

    def _module_folders(self) -> list[tuple[list[Path], bool]]:
        """Packages with all in them; for a module in a file the folder it stands in."""
        root = self.options.root
        packages = {root / name.split(".")[0] for name in self.options.modules}
        deep = sorted(folder for folder in packages if folder.is_dir())
        flat = [root] if len(deep) < len(packages) else []
        return [(folders, depth) for folders, depth in ((deep, True), (flat, False)) if folders]


@asynccontextmanager
async def open_session(options: Options, *listeners: Listener) -> AsyncIterator[Session]:
    """Open the development store, become its node, import the modules.

    Raises:
        NotForDevelopment: the store is in use for something else.
        NodeBusy: another process is its node.
        SettingsError: there is no workflow folder.
    """
    if not options.workflows.is_dir():
        raise SettingsError(
            f"there is no workflow folder `{options.workflows}`", hint="`lockstep init` makes one"
        )
    if str(options.root) not in sys.path:
        sys.path.insert(0, str(options.root))  # for the subprocesses: this one imports nothing
    with tempfile.TemporaryDirectory(prefix="lockstep-dev-") as folder:
        async with open_store(options.database) as provider:
            if not await provider.for_development():
                raise NotForDevelopment(options.database)
            node, runner = _node(options, provider, Path(folder))
            async with node:
                client = Client(NodeTransport(node), actor=current_actor(), config=options.config)
                session = Session(options, client, node, provider, runner)
                session.listeners += listeners
                if options.modules:
                    await session.reload()
                yield session


def _node(options: Options, provider: Provider, folder: Path) -> tuple[Node, ReloadingRunner]:
    clock = WallClock()
    node_options = NodeOptions(
        queues=options.queues, config=options.config, shutdown_grace=options.shutdown_grace
    )
    runner = ReloadingRunner(
        options.root,
        options.modules,
        folder=folder,
        clock=clock,
        options=RunnerOptions(processes=options.processes, result_limit=node_options.payload_limit),
    )
    name = f"dev-{secrets.token_hex(6)}"
    node = Node(
        provider, runner.registry, name=name, clock=clock, options=node_options, runner=runner
    )
    return node, runner
