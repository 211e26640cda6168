"""The provider on SQLite: which function runs on which connection.

::

    writer   every transaction that writes; the node's checkpoints
    reader   what a turn waits for: load, messages, claims
    browser  what people look at: lists, histories, counts; a long one delays no turn
    watch    notices commits of other processes, on the loop's thread

`:memory:` is one connection for all, and no other process can see it.

Rule 1: one node per file (see `lock`); any number of processes may send requests.
Rule 2: this module holds no SQL and no transaction logic.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from engine.errors import StorageError, StorageUnavailable
from engine.storage.records import (
    CommitResult,
    Creation,
    Delta,
    Deployment,
    ExecutionRecord,
    InstanceFilter,
    InstanceRecord,
    Lease,
    LoadedInstance,
    Mode,
    Page,
    Rebase,
    Send,
    StoredMessage,
    StoreInfo,
)
from engine.storage.sqlite import changes, development, nodes, reads, requests
from engine.storage.sqlite import commit as write_path
from engine.storage.sqlite import deployments as versions
from engine.storage.sqlite import rebase as moves
from engine.storage.sqlite.connection import Connection, Synchronous, Watch, connect
from engine.storage.sqlite.lock import NodeLock
from engine.storage.sqlite.migrate import load_migrations, migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from engine.storage.versions import AuditRow, Changed, ChangeSet, Listing, VersionReport

T = TypeVar("T")
MEMORY: Final = ":memory:"

_LOG = logging.getLogger(__name__)
# The log is copied into the file when about so much has been written to it. SQLite's own default
# is 4 MiB; twice that halves the fsyncs and still is small to read through. Once copied the log is
# written over from its start, which syncs faster than a file that grows.
_CHECKPOINT_BYTES: Final = 8 * 1024 * 1024
# What a commit and a delta cost in the log beside the payloads, about: four pages, and one.
_COMMIT_BYTES: Final = 16_384
_DELTA_BYTES: Final = 4096


class SqliteStore:
    """A store in a SQLite file, or in memory. Implements `Provider`."""

    def __init__(
        self,
        location: str,
        writer: Connection,
        reader: Connection,
        browser: Connection,
        *,
        lock: NodeLock | None,
        watch: Watch | None,
    ) -> None:
        self._location = location
        self._writer = writer
        self._reader = reader
        self._browser = browser
        self._lock = lock
        self._watch = watch
        self._lease: Lease | None = None
        self._requested = False
        self._catalog_version = 0  # of a store in memory, which nobody else can change
        self._unchecked_bytes = 0
        self._checkpoint: asyncio.Task[None] | None = None

    # -- node -----------------------------------------------------------------------------------
    async def acquire(self, node: str, *, now: int) -> Lease:
        """Become the node of this store."""
        if self._lock is not None:
            self._lock.acquire()
        try:
            self._lease = await self._writer.write(nodes.acquire, node, now)
        except BaseException:
            self._unlock()
            raise
        return self._lease

    async def release(self, lease: Lease) -> None:
        """Stop being the node."""
        await self._writer.write(nodes.release, lease)
        if lease == self._lease:
            self._lease = None
            self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.release()

    # -- turns ----------------------------------------------------------------------------------
    async def commit(self, lease: Lease, token: int, deltas: Sequence[Delta]) -> CommitResult:
        """Store many turns: one hop, one transaction."""
        write_path.check_pages(deltas)
        result = await self._writer.write(write_path.commit, lease, token, deltas)
        self._unchecked_bytes += _COMMIT_BYTES + len(deltas) * _DELTA_BYTES
        for delta in deltas:
            for page in delta.pages:
                self._unchecked_bytes += len(page.payload)
        if self._unchecked_bytes > _CHECKPOINT_BYTES:
            self._start_checkpoint()
        return result

    async def claim(
        self, lease: Lease, *, now: int, limit: int, levels: Sequence[int] | None = None
    ) -> list[InstanceRecord]:
        """Take what nobody works on and has something to do."""
        keys = await self._reader.read(nodes.claimable, now, limit, levels)
        if not keys:
            await self._reader.read(nodes.require_lease, lease)
            return []
        return await self._writer.write(nodes.claim, lease, keys)

    async def messages(
        self, lease: Lease, *, now: int, limit: int, after: int = 0
    ) -> list[StoredMessage]:
        """Visible messages of what this lease owns."""
        return await self._reader.read(reads.due_messages, lease.epoch, now, after, limit)

    async def next_due(self, *, now: int) -> int | None:
        """The next moment at which a message becomes visible."""
        return await self._reader.read(reads.next_due, now)

    def changed(self) -> bool:
        """Whether a request has been stored since the last call."""
        own, self._requested = self._requested, False
        foreign = self._watch is not None and self._watch.changed()
        return own or foreign

    async def load(self, instance_ids: Sequence[str], *, now: int) -> list[LoadedInstance]:
        """What live states are rebuilt from."""
        return await self._reader.read(reads.load, instance_ids, now)

    async def suspend(self, lease: Lease, instance_id: str, *, reason: str, now: int) -> None:
        """Set an instance of this lease aside."""
        await self._writer.write(nodes.suspend, lease, instance_id, reason, now)

    async def resume(self, instance_id: str, *, now: int) -> bool:
        """Make a suspended instance claimable again."""
        return await self._request(nodes.resume, instance_id, now)

    # -- requests -------------------------------------------------------------------------------
    async def create(self, creations: Sequence[Creation]) -> list[InstanceRecord | None]:
        """Create instances in one transaction."""
        return await self._request(requests.create, creations)

    async def send(self, sends: Sequence[Send]) -> list[InstanceRecord | None]:
        """Deliver messages in one transaction."""
        return await self._request(requests.send, sends)

    async def rebase(self, move: Rebase) -> bool:
        """Move an execution to another revision."""
        return await self._request(moves.rebase, move)

    async def _request(self, work: Callable[..., T], *args: object) -> T:
        foreign = self._lease is None
        result: T = await self._writer.write(requests.as_request, foreign, work, *args)
        self._requested = True
        return result

    # -- reads ----------------------------------------------------------------------------------
    async def get(self, instance_id: str) -> InstanceRecord | None:
        """One instance."""
        return await self._reader.read(reads.get, instance_id)

    async def executions(self, instance_id: str) -> list[ExecutionRecord]:
        """All executions, the current one last."""
        return await self._browser.read(reads.executions, instance_id)

    async def history(
        self, instance_id: str, *, execution: int, after: int = 0, limit: int = 1000
    ) -> list[Page]:
        """Pages of one execution."""
        return await self._browser.read(reads.history, instance_id, execution, after, limit)

    async def counts(self) -> dict[tuple[str, str, str], int]:
        """Instances by (workflow, version, status)."""
        return await self._browser.read(reads.counts)

    async def stranded(self, *, now: int) -> list[str]:
        """Live instances without a pending cause; the time does not matter here."""
        return await self._browser.read(reads.stranded)

    async def prune(self, *, finished_before: int, limit: int) -> int:
        """Remove ended instances, whole."""
        return await self._request(requests.prune, finished_before, limit)

    # -- versions -------------------------------------------------------------------------------
    async def change(self, change: ChangeSet) -> Changed:
        """Change the catalogue in one transaction."""
        changed = await self._request(changes.change, change)
        self._catalog_version = changed.version
        return changed

    async def catalog_version(self) -> int:
        """The version of the catalogue; no hop where there is a connection on the loop's thread."""
        if self._watch is None:
            return self._catalog_version
        try:
            return self._watch.catalog_version()
        except StorageUnavailable:
            return await self._reader.read(versions.catalog_version)  # with patience

    async def catalog(self, *, known: int | None = None) -> Listing | None:
        """The whole catalogue, unless it is the known one."""
        return await self._reader.read(versions.catalog, known)

    async def deployments(self, name: str | None = None) -> list[Deployment]:
        """All versions, in order of deployment."""
        return await self._reader.read(versions.deployments, name)

    async def graph(self, revision: str) -> bytes | None:
        """The graph of a revision."""
        return await self._reader.read(versions.graph, revision)

    # -- development ----------------------------------------------------------------------------
    async def mode(self) -> Mode:
        """What kind of store this is."""
        return await self._reader.read(development.mode)

    async def for_development(self) -> bool:
        """Make an unused store one for development."""
        return await self._writer.write(development.for_development)

    async def audit(
        self, name: str | None = None, *, after: int = 0, limit: int = 1000
    ) -> list[AuditRow]:
        """Changes of the catalogue, in order."""
        return await self._browser.read(versions.audit, name, after, limit)

    async def version_report(self, name: str) -> list[VersionReport]:
        """How the versions of a workflow stand."""
        return await self._browser.read(versions.version_report, name)

    async def prune_version(
        self, name: str, version: str, *, at: int, actor: str | None, commit: str | None = None
    ) -> int:
        """Remove the content of a version that nothing needs."""
        pruned = await self._request(changes.prune, name, version, at, actor, commit)
        self._catalog_version = pruned
        return pruned

    async def unservable(self, levels: Sequence[int], *, limit: int = 100) -> list[InstanceRecord]:
        """Instances that need another semantics level."""
        return await self._browser.read(versions.unservable, levels, limit)

    # -- care -----------------------------------------------------------------------------------
    async def info(self, *, now: int) -> StoreInfo:
        """What `doctor` shows."""
        node, details = await self._browser.read(reads.state)
        version = details.pop("schema_version")
        details["sqlite_version"] = sqlite3.sqlite_version
        if self._lock is not None:
            details["file_bytes"] = details["page_count"] * details["page_size"]
        alive = self._lock.taken() if self._lock is not None else self._lease is not None
        return StoreInfo(
            provider="sqlite",
            location=self._location,
            schema_version=version,
            node=node,
            node_alive=alive,
            details=details,
        )

    # After the others: in a class body its name hides the type `list` from what follows.
    async def list(
        self, where: InstanceFilter, *, after: str | None, limit: int
    ) -> list[InstanceRecord]:
        """Instances, newest first."""
        return await self._browser.read(reads.list_instances, where, after, limit)

    def _start_checkpoint(self) -> None:
        if self._checkpoint is None or self._checkpoint.done():
            self._unchecked_bytes = 0
            self._checkpoint = asyncio.create_task(self._run_checkpoint())

    async def _run_checkpoint(self) -> None:
        try:
            await self._writer.checkpoint()
        except StorageError as error:
            # A broken writer refuses the next commit by itself; that is where the node stops.
            _LOG.error("checkpoint failed", extra={"error": str(error)})

    async def finish(self) -> None:
        """Wait for what runs in the background."""
        if self._checkpoint is not None:
            await self._checkpoint


@asynccontextmanager
async def open_sqlite(location: str, *, synchronous: Synchronous) -> AsyncIterator[SqliteStore]:
    """Open the store at a path or `:memory:`, with the schema of this build."""
    async with AsyncExitStack() as stack:
        if location == MEMORY:
            only = await stack.enter_async_context(
                connect(MEMORY, synchronous=synchronous, writes=True)
            )
            await only.bare(migrate, load_migrations())
            yield SqliteStore(MEMORY, only, only, only, lock=None, watch=None)
            return
        location = _real_path(location)
        lock = NodeLock(Path(location))
        stack.callback(lock.release)  # last of all: until then the writer may be writing
        writer = await stack.enter_async_context(
            connect(location, synchronous=synchronous, writes=True)
        )
        await writer.bare(migrate, load_migrations())
        reader = await stack.enter_async_context(connect(location, writes=False))
        browser = await stack.enter_async_context(connect(location, writes=False))
        watch = Watch(location)
        stack.callback(watch.close)
        store = SqliteStore(location, writer, reader, browser, lock=lock, watch=watch)
        stack.push_async_callback(store.finish)
        yield store


def _real_path(location: str) -> str:
    """One name for one file: the lock stands beside it."""
    return os.path.realpath(location)
