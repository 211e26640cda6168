"""What the tests with worker processes share: a folder with a store, and the worker of it."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine.client.client import Client
from engine.client.models import StartRequest
from engine.runtime.engine import open_client
from engine.storage.records import InstanceFilter, InstanceRecord
from engine.storage.url import open_store
from tests.chaos.worker import activities
from tests.runtime.rig import Rig, running, workflow

STEPS = workflow("""
input_schema:
  type: object
  properties: { steps: { type: integer }, ms: { type: number } }
steps:
  - id: each
    foreach: ${{ range(input.steps) | list }}
    as: n
    steps:
      - id: step
        activity: chaos.step
        with: { ms: "${{ input.ms }}" }
output: ${{ input.steps }}
""")


class Scene:
    """A folder with a store; `worker` processes come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'lockstep.db'}"
        self.worker: asyncio.subprocess.Process | None = None
        self.spawned = 0.0

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A client that is not the node."""
        async with open_client(self.url, create=True) as client:
            yield client

    async def prepare(self, definition: str, requests: list[StartRequest]) -> None:
        """Deploy, and leave requests for the worker to come."""
        async with self.client() as client:
            await client.deploy_text(definition)
            await client.start_many(requests)

    async def spawn(self, *arguments: str) -> asyncio.subprocess.Process:
        """A new worker, which begins at once."""
        self.spawned = time.time()
        self.worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.chaos.worker", str(self.folder), *arguments
        )
        return self.worker

    async def kill(self, number: int = signal.SIGKILL) -> int:
        """Send the worker a signal and wait for its end."""
        assert self.worker is not None
        if self.worker.returncode is None:
            self.worker.send_signal(number)
        return await asyncio.wait_for(self.worker.wait(), 30)

    async def records(self) -> list[InstanceRecord]:
        """All instances, read by a process that is not the node."""
        async with open_store(self.url) as store:
            return await store.list(InstanceFilter(), after=None, limit=10_000)

    async def statuses(self) -> Counter[str]:
        """How many instances there are of each status."""
        return Counter(record.status for record in await self.records())

    async def until(self, holds: Any, seconds: float = 30) -> None:
        """Return when `holds(statuses)`."""
        async with asyncio.timeout(seconds), open_store(self.url) as store:
            while True:
                counts: Counter[str] = Counter()
                for (_, _, status), count in (await store.counts()).items():
                    counts[status] += count
                if holds(counts):
                    return
                await asyncio.sleep(0.01)

    def lines(self, name: str) -> list[str]:
        """The lines that workers left in a file."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def keys(self) -> list[str]:
        """The idempotency keys of all effects so far."""
        return [line.partition("|")[0] for line in self.lines("effects")]

    def times(self, name: str) -> list[float]:
        """When the lines of a file were written."""
        return [float(line.rpartition("|")[2]) for line in self.lines(name)]

    @asynccontextmanager
    async def node(self) -> AsyncIterator[Rig]:
        """This process as the node, after the workers."""
        async with running(self.url, activities=activities(self.folder)) as rig:
            yield rig


def starts(count: int, **value: Any) -> list[StartRequest]:
    """Requests for `count` instances of `main`."""
    return [StartRequest(workflow="main", input=value, id=f"i{n}") for n in range(count)]
