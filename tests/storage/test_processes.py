"""Several processes on one file: a node that commits and clients that ask."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

from engine.storage.url import open_store
from engine.testing.conformance.scene import NOW, born, turn

CLIENT = """
import asyncio, sys
from engine.storage.url import open_store
from engine.testing.conformance.scene import creation, send

async def main():
    async with open_store(sys.argv[1], create=False) as store:
        for number in range(int(sys.argv[3])):
            name = f"{sys.argv[2]}-{number}"
            assert await store.create([creation(name)]) == [None]
            assert None not in await store.send([send(name, b"one"), send("hub", b"two")])

asyncio.run(main())
"""
CLIENTS, REQUESTS = 3, 60


def start_clients(database: Path) -> list[subprocess.Popen[bytes]]:
    return [
        subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(database), str(number), str(REQUESTS)],
            stderr=subprocess.PIPE,
        )
        for number in range(CLIENTS)
    ]


async def test_nobody_hears_of_locks(database: Path) -> None:
    async with open_store(str(database)) as store:
        lease = await store.acquire("node", now=NOW)
        await store.commit(lease, 0, [born("hub")])
        store.changed()
        processes = start_clients(database)
        commits, changes = 0, 0
        while any(process.poll() is None for process in processes):
            commits += 1
            result = await store.commit(lease, commits, [turn("hub", commits + 1)])
            assert result.outcomes[0].result == "applied"
            changes += store.changed()
            if commits % 500 == 0:
                await store._writer.checkpoint()
        assert [(p.wait(), p.stderr.read()) for p in processes if p.stderr] == [(0, b"")] * CLIENTS
        for process in processes:
            process.communicate()
        changes += store.changed()
        assert changes > 0
        assert len((await store.load(["hub"], now=NOW))[0].inbox) == CLIENTS * REQUESTS
        claimed = await store.claim(lease, now=NOW, limit=10_000)
        assert len(claimed) == CLIENTS * REQUESTS
    raw = sqlite3.connect(database)
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()


async def test_a_commit_waits_for_a_foreign_lock(database: Path) -> None:
    async with open_store(str(database)) as store:
        lease = await store.acquire("node", now=NOW)
        foreign = sqlite3.connect(database, isolation_level=None)
        foreign.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(store.commit(lease, 1, [born("a")]))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        # Reads do not wait with it.
        assert await asyncio.wait_for(store.get("a"), 1) is None
        foreign.execute("ROLLBACK")
        assert (await waiting).outcomes[0].result == "applied"
        foreign.close()


async def test_a_read_does_not_wait_for_the_writer(database: Path) -> None:
    async with open_store(str(database)) as store:
        lease = await store.acquire("node", now=NOW)
        await store.commit(lease, 0, [born("a")])
        free = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold(raw: sqlite3.Connection) -> None:
            asyncio.run_coroutine_threadsafe(free.wait(), loop).result(timeout=10)

        writing = asyncio.create_task(store._writer.write(hold))
        loaded = await asyncio.wait_for(store.load(["a"], now=NOW), 2)
        assert len(loaded) == 1
        assert not writing.done()
        free.set()
        await writing


async def test_a_long_listing_delays_no_load(database: Path) -> None:
    async with open_store(str(database)) as store:
        free = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold(raw: sqlite3.Connection) -> None:
            asyncio.run_coroutine_threadsafe(free.wait(), loop).result(timeout=10)

        listing = asyncio.create_task(store._browser.read(hold))
        assert await asyncio.wait_for(store.load(["a"], now=NOW), 2) == []
        assert not listing.done()
        free.set()
        await listing
