"""What a commit costs, in counts that no machine changes."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from engine.storage.records import Delta, Snapshot
from engine.storage.url import open_store
from engine.testing.conformance.scene import NOW, born, creation, send, timer, turn


class Counted:
    """A store with a node; counts hops to a thread and statements of the writer."""

    def __init__(self, store: Any, lease: Any, hops: list[object]) -> None:
        self.store = store
        self.lease = lease
        self.hops = hops
        self.statements: list[str] = []
        self._token = 0

    async def watch(self) -> None:
        def trace(raw: sqlite3.Connection) -> None:
            raw.set_trace_callback(self.statements.append)

        await self.store._writer.bare(trace)

    async def cost(self, *deltas: Delta) -> tuple[int, list[str]]:
        self._token += 1
        self.hops.clear()
        self.statements.clear()
        result = await self.store.commit(self.lease, self._token, deltas)
        assert {one.result for one in result.outcomes} == {"applied"}
        return len(self.hops), list(self.statements)


@pytest.fixture
async def counted(database: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Counted]:
    hops: list[object] = []
    hop: Callable[..., Any] = aiosqlite.Connection._execute

    async def counting(self: aiosqlite.Connection, *args: Any) -> Any:
        hops.append(args)
        return await hop(self, *args)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counting)
    async with open_store(str(database)) as store:
        counted = Counted(store, await store.acquire("node", now=NOW), hops)
        await counted.watch()
        yield counted


def rich(name: str, seq: int) -> Delta:
    """A turn of everything."""
    return turn(
        name,
        seq,
        timers=(timer(name, seq),),
        withdrawn=(seq - 1,),
        consumed=(seq,),
        sends=(send("hub"),),
        snapshot=Snapshot(1, seq + 1, b"state"),
    )


async def test_a_group_is_one_hop_and_one_transaction(counted: Counted) -> None:
    names = [f"i{number}" for number in range(50)]
    for deltas in (
        [born("hub"), *(born(name) for name in names)],
        [rich(name, 2) for name in names],
        [turn(name, 3, children=(creation(f"{name}.c"),)) for name in names],
        [turn(name, 4, status="completed") for name in names],
    ):
        hops, statements = await counted.cost(*deltas)
        assert hops == 1
        assert [one for one in statements if one.startswith(("BEGIN", "COMMIT"))] == [
            "BEGIN IMMEDIATE;",
            "COMMIT;",
        ]


async def test_the_simplest_turn_takes_few_statements(counted: Counted) -> None:
    await counted.cost(born("a"))
    _, statements = await counted.cost(turn("a", 2))
    words = [statement.split()[0].rstrip(";") for statement in statements]
    assert words == [
        "BEGIN",
        "SELECT",  # the lease, and whether the token is known
        "SAVEPOINT",
        "UPDATE",  # the instance
        "INSERT",  # the page
        "RELEASE",
        "UPDATE",  # the result of the token
        "COMMIT",
    ]


async def test_a_turn_costs_the_same_however_long_the_history(counted: Counted) -> None:
    await counted.cost(born("hub"), born("a"))
    counts = []
    for seq in range(2, 400):
        _, statements = await counted.cost(rich("a", seq))
        counts.append(len(statements))
    # The first has no former snapshot or timer; that changes no statement either.
    assert len(set(counts)) == 1


async def test_a_larger_group_costs_a_fixed_number_each(counted: Counted) -> None:
    names = [f"i{number}" for number in range(64)]
    await counted.cost(born("hub"), *(born(name) for name in names))
    _, one = await counted.cost(rich("i0", 2))
    _, two = await counted.cost(rich("i0", 3), rich("i1", 2))
    _, many = await counted.cost(rich("i0", 4), rich("i1", 3), *(rich(n, 2) for n in names[2:]))
    each = len(two) - len(one)
    assert len(many) == len(one) + 63 * each


async def test_a_read_is_one_hop(counted: Counted) -> None:
    await counted.cost(born("a"))
    store = counted.store
    for read in (
        lambda: store.load(["a", "nobody"], now=NOW),
        lambda: store.get("a"),
        lambda: store.messages(counted.lease, now=NOW, limit=10),
        lambda: store.next_due(now=NOW),
        lambda: store.info(now=NOW),
    ):
        counted.hops.clear()
        await read()
        assert len(counted.hops) == 1


async def test_looking_for_work_takes_no_write_lock(counted: Counted) -> None:
    counted.statements.clear()
    assert await counted.store.claim(counted.lease, now=NOW, limit=10) == []
    assert counted.statements == []


async def test_looking_for_changes_is_no_hop(counted: Counted) -> None:
    counted.hops.clear()
    counted.store.changed()
    assert counted.hops == []
