"""The stage of a case: a fresh store with a node, and short words for common turns.

Rule 1: only the protocol is used, nothing of any implementation.
Rule 2: times are arguments; a case says what time it is.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final, Protocol

from engine.storage.records import (
    CommitResult,
    Creation,
    Delta,
    Deployment,
    InstanceRecord,
    Lease,
    Message,
    Page,
    Pin,
    Send,
    Status,
    Summary,
)
from engine.storage.versions import ChangeSet, Release, VersionName

if TYPE_CHECKING:
    from engine.storage.provider import Provider
    from engine.storage.records import LoadedInstance, StoredMessage

NOW: Final = 1_700_000_000_000_000
LATER: Final = NOW + 60_000_000
PIN: Final = Pin("order", "1.0.0", "sha256:one", 1)
NEXT_PIN: Final = Pin("order", "1.1.0", "sha256:two", 1)
_SUMMARY_FIELDS: Final = frozenset(Summary.__struct_fields__)


class Subject(Protocol):
    """A store under test, empty at first."""

    shared: bool
    """Whether other processes can open the store; if not, `other` and `crash` give the same one."""

    @property
    def store(self) -> Provider:
        """The provider of the working process."""

    async def other(self) -> Provider:
        """A provider of another process, on the same store."""

    async def crash(self) -> Provider:
        """Let the working process die without a word; the provider of the one after it."""


class Scene:
    """A subject with a working node."""

    def __init__(self, subject: Subject, lease: Lease) -> None:
        self.subject = subject
        self.lease = lease
        self._tokens = count(1)

    @property
    def store(self) -> Provider:
        """The provider of the working process."""
        return self.subject.store

    # -- doing ----------------------------------------------------------------------------------
    async def commit(self, *deltas: Delta) -> CommitResult:
        """Commit under a new token."""
        return await self.store.commit(self.lease, next(self._tokens), deltas)

    async def apply(self, *deltas: Delta) -> CommitResult:
        """Commit; every delta must be applied."""
        result = await self.commit(*deltas)
        assert [outcome.result for outcome in result.outcomes] == ["applied"] * len(deltas)
        return result

    async def results(self, *deltas: Delta) -> list[str]:
        """Commit; what became of each delta."""
        return [outcome.result for outcome in (await self.commit(*deltas)).outcomes]

    async def start(self, *names: str, **fields: Any) -> None:
        """Make owned instances with two events."""
        await self.apply(*(born(name, **fields) for name in names))

    async def signal(self, name: str, payload: bytes = b"signal", *, at: int = 0) -> None:
        """Send a message as any process may."""
        await self.store.send([Send(message=Message(name, payload, at))])

    async def request(self, name: str, **fields: Any) -> InstanceRecord | None:
        """Create an instance as any process may."""
        return (await self.store.create([creation(name, **fields)]))[0]

    async def claim(self, *, now: int = NOW, limit: int = 100) -> list[str]:
        """Ids of what is claimed."""
        return [r.instance_id for r in await self.store.claim(self.lease, now=now, limit=limit)]

    async def restart(self, node: str = "node-2") -> None:
        """The node dies, another takes over."""
        await self.subject.crash()
        self.lease = await self.store.acquire(node, now=NOW)

    async def deploy(
        self,
        new: Deployment,
        graph: bytes = b"graph",
        *binds: VersionName,
        by: Provider | None = None,
    ) -> Deployment:
        """Store one version, or what is there already; `by` another process."""
        change = ChangeSet(at=new.deployed_at, releases=(Release(new, graph, binds),))
        done = await (by or self.store).change(change)
        return (done.deployments or done.conflicts)[0]

    # -- looking --------------------------------------------------------------------------------
    async def record(self, name: str) -> InstanceRecord:
        """The record of an instance that must be there."""
        record = await self.store.get(name)
        assert record is not None, f"no instance {name}"
        return record

    async def inbox(self, name: str, *, now: int = LATER * 2) -> list[bytes]:
        """Payloads in the inbox that are visible at `now` (default: all)."""
        return [message.payload for message in await self.messages(name, now=now)]

    async def message_ids(self, name: str) -> list[int]:
        """Ids of all messages in the inbox."""
        return [message.id for message in await self.messages(name, now=LATER * 2)]

    async def load(self, name: str, *, now: int = NOW) -> LoadedInstance | None:
        """What its live state is rebuilt from, or None when there is no such instance."""
        return next(iter(await self.store.load([name], now=now)), None)

    async def messages(self, name: str, *, now: int) -> list[StoredMessage]:
        """The inbox as far as it is visible."""
        loaded = await self.load(name, now=now)
        return list(loaded.inbox) if loaded is not None else []

    async def seqs(self, name: str, execution: int = 1) -> list[tuple[int, int]]:
        """First and last seq of all pages."""
        pages = await self.store.history(name, execution=execution)
        return [(page.first_seq, page.last_seq) for page in pages]


def creation(name: str, **fields: Any) -> Creation:
    """A creation as clients make them."""
    usual: dict[str, Any] = {"pin": PIN, "created_at": NOW, "start": b"start"}
    return Creation(instance_id=name, **(usual | fields))


def born(name: str, *, execution: int = 1, **fields: Any) -> Delta:
    """A first turn that creates its instance; two events."""
    made = creation(name, start=None, claimed=True, execution=execution)
    return turn(name, 0, execution=execution, events=2, **({"create": made} | fields))


def turn(
    name: str,
    seq: int,
    *,
    epoch: int = 1,
    execution: int = 1,
    events: int = 1,
    status: Status = "running",
    **fields: Any,
) -> Delta:
    """A turn of an instance with `seq` events; further fields go to summary or delta by name."""
    shown: dict[str, Any] = {"updated_at": NOW, "open_waits": 1}
    shown |= {key: fields.pop(key) for key in list(fields) if key in _SUMMARY_FIELDS}
    if events:
        fields.setdefault("pages", (page(execution, seq + 1, seq + events),))
    return Delta(
        instance_id=name,
        epoch=epoch,
        execution=execution,
        expected_seq=seq,
        summary=Summary(status=status, **shown),
        **fields,
    )


def page(execution: int, first: int, last: int) -> Page:
    """A page whose payload tells it from others."""
    return Page(execution, first, last, f"{execution}:{first}-{last}".encode())


def timer(name: str, token: int, *, at: int = LATER, execution: int | None = 1) -> Message:
    """A timer of an instance."""
    return Message(name, f"timer {token}".encode(), at, execution, token)


def send(to: str, payload: bytes = b"hello", **answers: Message) -> Send:
    """A message to another instance."""
    return Send(message=Message(to, payload), **answers)
