"""Activities that can be reloaded: generations of subprocesses, one after the other.

A generation is the project's code as it was when it imported well. New attempts run in the newest;
those in flight finish in theirs, whose subprocesses end with the last of them. What does not
import makes no generation: the last good one stays.

Rule 1: this process never imports the project.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

import msgspec

from engine.activities.registry import ActivityRegistry
from engine.activities.runner import ActivityRunner, RunnerOptions
from engine.dev.describe import definition_of_face, describe_in_process
from engine.dev.sources import changed_since, prelude

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from engine.activities.context import ActivityCall
    from engine.activities.decorator import ActivityDefinition
    from engine.activities.outcome import Outcome
    from engine.values.clock import Clock


class CurrentRegistry(ActivityRegistry):
    """The activities of the newest generation."""

    def __init__(self) -> None:
        super().__init__()
        self._retired: dict[str, ActivityDefinition] = {}

    def adopt(self, other: ActivityRegistry) -> None:
        """Go over to the activities of another registry."""
        self._retired |= self._definitions
        self._definitions = {
            name: definition
            for name in other.names()
            if (definition := other.get(name)) is not None
        }

    def get(self, name: str) -> ActivityDefinition | None:
        """The activity; one that is gone is still known to calls that wait for their slot."""
        return self._definitions.get(name) or self._retired.get(name)


class Generation:
    """The project's activities at one moment, and the processes that run them."""

    def __init__(
        self, number: int, record: Path, registry: ActivityRegistry, runner: ActivityRunner
    ) -> None:
        self.number = number
        self.record = record
        self.registry = registry
        self.runner = runner
        self.attempts = 0
        self.closing: asyncio.Task[None] | None = None


class ReloadingRunner(ActivityRunner):
    """Runs every attempt in the newest generation. `folder` is for the records of sources."""

    def __init__(
        self,
        root: Path,
        modules: Sequence[str],
        *,
        folder: Path,
        clock: Clock,
        options: RunnerOptions,
    ) -> None:
        self.registry = CurrentRegistry()
        super().__init__(self.registry, clock=clock, options=options)
        self._root = root
        self._modules = tuple(modules)
        self._folder = folder
        self._sizes = options
        self._time = clock
        self._current: Generation | None = None
        self._old: set[Generation] = set()
        self._count = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all generations; the node has waited for the attempts."""
        last = [self._current] if self._current is not None else []
        for generation in (*self._old, *last):
            if generation.closing is None:
                self._close(generation)
        await asyncio.gather(*(one.closing for one in (*self._old, *last) if one.closing))

    @property
    def generation(self) -> int:
        """The number of the newest generation; 0 when nothing has imported yet."""
        return self._current.number if self._current is not None else 0

    @property
    def worker_pids(self) -> list[int]:
        """Of all generations."""
        last = [self._current] if self._current is not None else []
        return sorted(pid for one in (*self._old, *last) for pid in one.runner.worker_pids)

    def stale(self) -> bool:
        """Whether a file of the newest generation is not what it was. Reads files."""
        return self._current is not None and changed_since(self._current.record)

    async def reload(self) -> str | None:
        """Make a generation of the code as it is now; returns what is wrong with it, if anything.

        One at a time.
        """
        self._count += 1
        record = self._folder / f"generation-{self._count}.json"
        described = await describe_in_process(self._root, self._modules, record)
        if described.problem is not None:
            return described.problem
        registry = ActivityRegistry(definition_of_face(face) for face in described.faces)
        options = msgspec.structs.replace(self._sizes, prelude=prelude(record))
        runner = ActivityRunner(registry, clock=self._time, options=options)
        await runner.__aenter__()
        before, self._current = self._current, Generation(self._count, record, registry, runner)
        self.registry.adopt(registry)
        if before is not None:
            self._old.add(before)
            self._close_if_idle(before)
        return None

    async def run(self, call: ActivityCall) -> Outcome:
        """Run one attempt; see `ActivityRunner.run`."""
        generation = self._current
        if generation is None:
            raise LookupError(f"no activity `{call.name}`: nothing has been imported yet")
        generation.attempts += 1
        try:
            return await generation.runner.run(call)
        finally:
            generation.attempts -= 1
            self._close_if_idle(generation)

    def _close_if_idle(self, generation: Generation) -> None:
        if generation is not self._current and not generation.attempts and not generation.closing:
            self._close(generation)

    def _close(self, generation: Generation) -> None:
        generation.closing = asyncio.create_task(self._end(generation), name="old activities")

    async def _end(self, generation: Generation) -> None:
        await generation.runner.__aexit__(None, None, None)
        self._old.discard(generation)
