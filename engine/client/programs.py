"""Programs: the deployed versions this node knows, loaded and ready to run.

Graphs are immutable and content-addressed, so what was loaded once is right for ever. The bytes of
every deployed revision are kept, so that a turn can resolve and start a child without waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import StorageError
from engine.graph.revision import load_graph
from engine.interpreter.program import Program
from engine.registry.catalog import Catalog, Resolved

if TYPE_CHECKING:
    from engine.storage.provider import Provider


class Programs:
    """The catalog of a node with its programs."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._graphs: dict[str, bytes] = {}
        self._loaded: dict[str, Program] = {}
        self.catalog = Catalog()

    async def refresh(self) -> None:
        """Learn what has been deployed since."""
        for deployment in await self._provider.deployments():
            if deployment.revision not in self._graphs:
                graph = await self._provider.graph(deployment.revision)
                if graph is None:
                    message = f"the graph of revision {deployment.revision} is missing"
                    raise StorageError(message)
                self._graphs[deployment.revision] = graph
            self.catalog.add(deployment.name, deployment.version, deployment.revision)

    def resolve(self, name: str, wanted: str | None) -> tuple[Resolved, Program]:
        """The version a start gets and its program. Raises `RegistryError`."""
        resolved = self.catalog.resolve(name, wanted)
        return resolved, self.program(resolved.revision)

    def program(self, revision: str) -> Program:
        """The program of a known revision. Raises `KeyError` for an unknown one."""
        program = self._loaded.get(revision)
        if program is None:
            program = Program(load_graph(self._graphs[revision]))
            self._loaded[revision] = program
        return program

    async def fetch(self, revision: str) -> Program:
        """The program of any revision in the store."""
        if revision not in self._graphs:
            graph = await self._provider.graph(revision)
            if graph is None:
                raise StorageError(f"the graph of revision {revision} is missing")
            self._graphs[revision] = graph
        return self.program(revision)
