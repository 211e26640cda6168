"""Programs: the deployed versions this node knows, loaded and ready to run.

Graphs are immutable and content-addressed, so what was loaded once is right for ever. The bytes of
every deployed revision are kept, so that a turn can resolve and start a child without waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.client.development import resolve
from engine.errors import StorageError
from engine.graph.revision import load_graph
from engine.interpreter.program import Program
from engine.registry.catalog import Catalog, Resolved
from engine.registry.policy import parse_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.storage.provider import Provider
    from engine.storage.versions import Listing


class Programs:
    """The catalog of a process with its programs. `moved` is called when the catalog is new."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._graphs: dict[str, bytes] = {}
        self._loaded: dict[str, Program] = {}
        self.catalog = Catalog()
        self.version: int | None = None
        self.moved: list[Callable[[], None]] = []

    async def refresh(self) -> None:
        """Learn what has been changed since; reads the catalog only if it was."""
        while await self._provider.catalog_version() != self.version:
            listing = await self._provider.catalog(known=self.version)
            if listing is None or await self._take(listing):
                return

    async def _take(self, listing: Listing) -> bool:
        """Make a listing the catalog; False when it has gone out of date meanwhile."""
        catalog = Catalog()
        for row in listing.rows:
            if row.state != "pruned" and row.revision not in self._graphs:
                graph = await self._provider.graph(row.revision)
                if graph is None:
                    if await self._provider.catalog_version() != listing.version:
                        return False
                    raise StorageError(f"the graph of revision {row.revision} is missing")
                self._graphs[row.revision] = graph
            catalog.add(
                row.name, row.version, row.revision, state=row.state, reason=row.state_reason
            )
        for name, policy in listing.policies.items():
            catalog.set_policy(name, parse_policy(policy))
        if self.version is None or listing.version > self.version:  # another may have been faster
            self.catalog, self.version = catalog, listing.version
            for tell in self.moved:
                tell()
        return True

    def resolve(
        self, name: str, wanted: str | None, *, instance_id: str = ""
    ) -> tuple[Resolved, Program]:
        """The version a start gets and its program. Raises `RegistryError`."""
        resolved = resolve(self.catalog, name, wanted, instance_id=instance_id)
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
