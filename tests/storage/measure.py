"""Figures of the SQLite store on this machine; run it as a script.

`python tests/storage/measure.py [folder]` makes its files in `folder` (default: the temporary one).
Nothing here passes or fails: what must hold on every machine is counted in `test_counts.py`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from engine.storage.url import open_store
from engine.testing.conformance.scene import NOW, born, creation, send, turn

GROUP = 100


def say(what: str, figure: str) -> None:
    sys.stdout.write(f"{what:<44} {figure}\n")


async def rate(what: str, units: int, rounds: int, work: Callable[[int], Awaitable[Any]]) -> None:
    await work(0)
    started = time.perf_counter()
    for number in range(1, rounds + 1):
        await work(number)
    seconds = time.perf_counter() - started
    say(what, f"{units * rounds / seconds:>10,.0f} /s")


async def latency(what: str, rounds: int, work: Callable[[int], Awaitable[Any]]) -> None:
    times = []
    for number in range(rounds):
        started = time.perf_counter()
        await work(number)
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    p50, p99 = times[rounds // 2], times[rounds * 99 // 100]
    say(what, f"p50 {p50:.3f} ms   p99 {p99:.3f} ms")


async def measure(url: str) -> None:
    async with open_store(url) as store:
        lease = await store.acquire("node", now=NOW)
        tokens = iter(range(10**9))
        names = [f"instance-{number}" for number in range(GROUP)]
        say(f"-- {'memory' if 'memory' in url else 'file'}", f"SQLite {sqlite3.sqlite_version}")

        async def commit(*deltas: Any) -> None:
            result = await store.commit(lease, next(tokens), deltas)
            assert result.outcomes[0].result == "applied"

        async def create(number: int) -> None:
            await commit(*(born(f"{name}/{number}", open_activities=1) for name in names))

        async def go_on(number: int) -> None:
            await commit(*(turn(name, 2 + number, open_activities=1) for name in names))

        async def one(number: int) -> None:
            await commit(turn("single", 2 + number))

        async def request(number: int) -> None:
            await store.create([creation(f"request-{number}")])

        async def load(number: int) -> None:
            await store.load(["instance-1"], now=NOW)

        async def end(number: int) -> None:
            await commit(*(turn(f"{name}/{number}", 2, status="completed") for name in names))

        async def tell(number: int) -> None:
            sends = tuple(send(name) for name in names)
            await commit(turn("single", 1502 + number, sends=sends))

        await commit(*(born(name, open_activities=1) for name in names), born("single"))
        await rate(f"first turns, groups of {GROUP}", GROUP, 100, create)
        await rate(f"turns (page + update), groups of {GROUP}", GROUP, 200, go_on)
        await rate(f"last turns, groups of {GROUP}", GROUP, 99, end)
        await latency("one turn, from the loop and back", 1500, one)
        await rate("messages, 100 in a turn", GROUP, 50, tell)
        await latency("a request to create", 500, request)
        await latency("load, 201 pages", 200, load)
        started = time.perf_counter()
        for _ in range(1000):
            store.changed()
        say("changed()", f"{(time.perf_counter() - started) * 1000:.2f} µs")


def main() -> None:
    folder = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=folder) as made:
        asyncio.run(measure(f"sqlite:///{Path(made) / 'store.db'}"))
    asyncio.run(measure("sqlite://:memory:"))


if __name__ == "__main__":
    main()
