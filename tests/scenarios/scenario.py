"""Runs one case: files on disk, an engine on a store, the actions, then the expectations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import engine.errors
from engine import Client, Engine
from engine.definition.build import load_file
from engine.graph.compile import compile_document
from engine.graph.revision import revision
from engine.interpreter.program import Program
from tests.scenarios.activities import Stage, stage_activities
from tests.scenarios.case_format import Action, After, Case, Start, with_header
from tests.scenarios.history_view import fits, history_of

PATIENCE = 15.0


class Scenario:
    """One case on one store. Lives inside `playing`."""

    def __init__(self, case: Case, folder: Path, url: str) -> None:
        self.case = case
        self.folder = folder
        self.url = url
        self.stage = Stage()
        self.programs: dict[str, Program] = {}
        self.engine: Engine
        self.began = self.ended = 0.0
        self._open = AsyncExitStack()

    @property
    def client(self) -> Client:
        """The client of the engine that is open now."""
        return self.engine.client

    # -- files --------------------------------------------------------------------------------

    def write_files(self) -> None:
        """Workflows without a version go where the engine looks, the others wait for `deploy`."""
        for key, body in self.case.workflows.items():
            path = self.path_of(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(with_header(key.partition("#")[0], body)[2])
            self.programs.update([program_of(path)])

    def path_of(self, key: str) -> Path:
        """Where the file of a workflow of the case is."""
        name, _, _ = with_header(key.partition("#")[0], "")
        place = self.folder / key.replace("#", "-") if "@" in key else self.folder
        return place / "workflows" / f"{name}.yaml"

    # -- the engine ---------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the engine on the case's store."""
        self.engine = await self._open.enter_async_context(
            Engine.open(
                self.url,
                workflows=self.folder / "workflows",
                activities=stage_activities(self.stage),
                queues=self.case.queues,
            )
        )

    async def close(self) -> None:
        """Close it, as at an orderly shutdown."""
        await self._open.aclose()
        self._open = AsyncExitStack()

    # -- the story ----------------------------------------------------------------------------

    async def play(self) -> None:
        """Start, act, and wait until what the case tells of has ended."""
        self.began = time.monotonic()
        starts_itself = any(
            (action.start or action.ensure or Start(id="")).id == "main" for action in self.case.do
        )
        if self.case.start is not None:
            await self.start(self.case.start)
        elif self.case.main and not starts_itself:
            await self.start(Start())
        for action in self.case.do:
            if action.after is not None:
                await asyncio.wait_for(self.wait_until(action.after), PATIENCE)
            await self.act_or_raise(action)
        expected = dict(self.case.expect.instances)
        if self.case.main:
            expected["main"] = self.case.expect
        for instance_id, outcome in expected.items():
            if outcome is not None and outcome.status not in ("running", "suspended"):
                await self.wait_for_end(instance_id)
            if instance_id == "main":
                self.ended = time.monotonic()

    async def act_or_raise(self, action: Action) -> None:
        """Do it; where it `raises`, it must, and the error must have those attributes."""
        if action.raises is None:
            await self.act(action)
            return
        wanted = action.raises if isinstance(action.raises, dict) else {action.raises: {}}
        ((name, attributes),) = wanted.items()
        kind = getattr(engine.errors, name)
        try:
            await self.act(action)
        except kind as error:
            for attribute, value in attributes.items():
                assert getattr(error, attribute) == value, (attribute, error)
        else:
            raise AssertionError(f"{action} did not raise {name}")

    async def act(self, action: Action) -> None:
        """Do the one thing the action says; none is fine when it only waits."""
        if action.start is not None:
            await self.start(action.start)
        if action.ensure is not None:
            it = action.ensure
            await self.client.ensure(it.workflow, it.input, id=it.id)
        if action.signal is not None:
            await self.client.signal(action.signal.id, action.signal.name, action.signal.payload)
        if action.cancel is not None:
            await self.client.cancel(action.cancel.id, action.cancel.reason)
        if action.terminate is not None:
            await self.client.terminate(action.terminate.id, action.terminate.reason)
        if action.deploy is not None:
            await self.client.deploy(self.path_of(action.deploy))
        if action.open is not None:
            self.stage.gate(action.open).set()
        if action.restart is not None:
            await self.close()
            await asyncio.sleep(action.restart.down_ms / 1000)
            await self.open()

    async def start(self, it: Start) -> None:
        """Start an instance as the case says."""
        options: dict[str, Any] = {"on_duplicate": it.on_duplicate} if it.on_duplicate else {}
        await self.client.start(it.workflow, it.input, id=it.id, version=it.version, **options)

    # -- waiting ------------------------------------------------------------------------------

    async def wait_until(self, after: After) -> None:
        """Return when the history or the stage has got so far."""
        if after.called is not None:
            called = after.called
            await self.stage.until(lambda: self.stage.calls.count(called) >= after.count)
        if after.ended is not None:
            await self.wait_for_end(after.ended)
        if after.event is not None:
            await self.wait_for_event(after.id, after.event, after.count)

    async def wait_for_event(self, instance_id: str, pattern: str, count: int) -> None:
        """Return when so many such events are in the instance's histories."""
        while True:
            events = await self.all_events(instance_id)
            if sum(fits(event, pattern) for event in events) >= count:
                return
            await asyncio.sleep(0.005)

    async def wait_for_end(self, instance_id: str) -> None:
        """Return when the instance has ended, in whatever way; it may have to be created yet."""
        async with asyncio.timeout(PATIENCE):
            while not await self.exists(instance_id):  # noqa: ASYNC110 - nothing announces it
                await asyncio.sleep(0.005)
        try:
            await self.client.result(instance_id, timeout=PATIENCE)
        except (
            engine.errors.InstanceFailed,
            engine.errors.InstanceCancelled,
            engine.errors.InstanceTerminated,
        ) as end:
            assert end.instance_id == instance_id

    async def exists(self, instance_id: str) -> bool:
        """Whether there is such an instance."""
        try:
            await self.client.get(instance_id)
        except engine.errors.InstanceNotFound:
            return False
        return True

    async def all_events(self, instance_id: str) -> list[Any]:
        """The events of all executions, in order; nothing while there is no instance."""
        if not await self.exists(instance_id):
            return []
        info = await self.client.get(instance_id)
        found: list[Any] = []
        for execution in range(1, info.execution + 1):
            found += await history_of(self.client, instance_id, execution)
        return found


def program_of(path: Path) -> tuple[str, Program]:
    """Revision and program of a workflow file that compiles."""
    loaded = load_file(path)
    assert loaded.document is not None, loaded.diagnostics
    compiled = compile_document(loaded.document)
    assert compiled.graph is not None, compiled.diagnostics
    return revision(compiled.graph), Program(compiled.graph)


@asynccontextmanager
async def playing(case: Case, folder: Path, url: str) -> AsyncIterator[Scenario]:
    """A scenario whose engine is open."""
    scenario = Scenario(case, folder, url)
    scenario.write_files()
    await scenario.open()
    try:
        yield scenario
    finally:
        await scenario.close()
