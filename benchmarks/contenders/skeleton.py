"""The bare skeleton: the least that any durable engine in this language must do for a step.

Per step: two expressions (closures), one asyncio task, one encoded event, one awaited group commit
on one writer thread. State lives in memory. No graph, no versions, no inbox, no recovery: nothing
else. What the engine costs above this is the engine's own.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from benchmarks.gauge import Calls, latency_figures, long_figures, rate_figures, read_back
from benchmarks.job import Job, Outcome

CREATE = """
CREATE TABLE IF NOT EXISTS events (
    instance_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (instance_id, seq)
) STRICT, WITHOUT ROWID
"""
INSERT = "INSERT INTO events (instance_id, seq, event) VALUES (?, ?, ?)"

Row = tuple[str, int, bytes]
Batch = tuple[list[Row], list["asyncio.Future[None]"]]
State = dict[str, Any]


def connect(database: str) -> sqlite3.Connection:
    """A connection as durable as the engine's own."""
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


class Started(msgspec.Struct, tag="started", tag_field="kind"):
    at: int
    instance_id: str
    input: Any


class ActivityCompleted(msgspec.Struct, tag="activity_completed", tag_field="kind"):
    at: int
    ref: int
    result: Any


encode = msgspec.json.Encoder().encode


class GroupCommit:
    """Rows handed over while the writer writes are its next transaction; one hop for each."""

    def __init__(self, database: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._rows: list[Row] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._busy = False
        self._batches: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self.transactions = 0
        self.connection = connect(database)
        self.connection.execute(CREATE)
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def add(self, row: Row) -> asyncio.Future[None]:
        durable = self._loop.create_future()
        self._rows.append(row)
        self._waiting.append(durable)
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand_over)
        return durable

    def close(self) -> None:
        self._batches.put(None)
        self._thread.join()

    def _hand_over(self) -> None:
        batch = self._rows, self._waiting
        self._rows, self._waiting = [], []
        self.transactions += 1
        self._batches.put(batch)

    def _written(self, durable: list[asyncio.Future[None]], error: Exception | None) -> None:
        for future in durable:
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
        if self._rows:
            self._loop.call_soon(self._hand_over)
        else:
            self._busy = False

    def _write(self) -> None:
        while (batch := self._batches.get()) is not None:
            rows, durable = batch
            error: Exception | None = None
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                self.connection.executemany(INSERT, rows)
                self.connection.execute("COMMIT")
            except sqlite3.Error as refused:
                error = refused
            self._loop.call_soon_threadsafe(self._written, durable, error)


Argument = Callable[[State], Any]


def output_before(key: int) -> Argument:
    return lambda state: state["steps"][key - 1]


def input_at(key: int) -> Argument:
    return lambda state: state["input"][key]


def result_of(state: State) -> Any:
    return state["result"]


class Skeleton:
    """Starts instances and runs steps; holds nothing but the writer and the calls made."""

    def __init__(self, database: str) -> None:
        self.commits = GroupCommit(database)
        self.calls = Calls()

    async def increment(self, value: int) -> int:
        self.calls.mark()
        return value + 1

    async def start(self, name: str, value: Any) -> State:
        state: State = {"id": name, "seq": 1, "input": value, "steps": {}}
        event = encode(Started(time.time_ns() // 1000, name, value))
        await self.commits.add((name, 1, event))
        return state

    async def step(self, state: State, key: int, argument: Argument, output: Argument) -> None:
        result = await self.increment(argument(state))
        state["seq"] += 1
        seq = state["seq"]
        event = encode(ActivityCompleted(time.time_ns() // 1000, key, result))
        state["result"] = result
        state["steps"][key] = output(state)
        await self.commits.add((state["id"], seq, event))

    async def in_turn(self, name: str, value: int, steps: int) -> State:
        """An instance whose steps run one after the other, each on the output of the last."""
        state = await self.start(name, value)
        state["steps"][-1] = value
        for key in range(steps):
            await asyncio.create_task(self.step(state, key, output_before(key), result_of))
        return state

    async def at_once(self, name: str, width: int) -> State:
        """An instance whose steps run together and are joined."""
        state = await self.start(name, list(range(width)))
        await asyncio.gather(
            *(
                asyncio.create_task(self.step(state, key, input_at(key), result_of))
                for key in range(width)
            )
        )
        return state


def outcome(skeleton: Skeleton, figures: dict[str, float], failed: int) -> Outcome:
    skeleton.commits.close()
    return Outcome(
        figures,
        failed=failed,
        settings={"durability": read_back(skeleton.commits.connection)},
        counters={"transactions": skeleton.commits.transactions},
    )


async def in_turn(job: Job, steps: int, metric: str) -> Outcome:
    instances = job.sizes["instances"]
    skeleton = Skeleton(job.database)
    passes, failed = [], 0
    for turn in range(job.sizes["passes"]):
        began = time.perf_counter()
        ended = await asyncio.gather(
            *(skeleton.in_turn(f"{turn}-{n}", n, steps) for n in range(instances))
        )
        passes.append(time.perf_counter() - began)
        failed += sum(state["steps"][steps - 1] != n + steps for n, state in enumerate(ended))
    return outcome(skeleton, rate_figures(metric, instances * steps, passes), failed)


async def hello(job: Job) -> Outcome:
    return await in_turn(job, 1, "hello.rate")


async def chain(job: Job) -> Outcome:
    return await in_turn(job, 20, "chain.rate")


async def fanout(job: Job) -> Outcome:
    instances, width = job.sizes["instances"], job.sizes["width"]
    skeleton = Skeleton(job.database)
    passes, failed = [], 0
    for turn in range(job.sizes["passes"]):
        began = time.perf_counter()
        ended = await asyncio.gather(
            *(skeleton.at_once(f"{turn}-{n}", width) for n in range(instances))
        )
        passes.append(time.perf_counter() - began)
        failed += sum(state["steps"] != {n: n + 1 for n in range(width)} for state in ended)
    return outcome(skeleton, rate_figures("fanout.rate", instances * width, passes), failed)


async def latency(job: Job) -> Outcome:
    skeleton = Skeleton(job.database)
    seconds = []
    for number in range(job.sizes["instances"]):
        began = time.perf_counter()
        await skeleton.in_turn(f"i{number}", number, 1)
        seconds.append(time.perf_counter() - began)
    return outcome(skeleton, latency_figures(seconds), 0)


async def long(job: Job) -> Outcome:
    skeleton = Skeleton(job.database)
    began = time.perf_counter()
    await skeleton.in_turn("i0", 0, job.sizes["steps"])
    elapsed = time.perf_counter() - began
    return outcome(skeleton, long_figures(elapsed, skeleton.calls.times), 0)


def _blocking(run: Callable[[Job], Awaitable[Outcome]]) -> Callable[[Job], Outcome]:
    async def whole(job: Job) -> Outcome:
        return await run(job)

    return lambda job: asyncio.run(whole(job))


WORKLOADS: dict[str, Callable[[Job], Outcome]] = {
    "hello": _blocking(hello),
    "chain": _blocking(chain),
    "fanout": _blocking(fanout),
    "latency": _blocking(latency),
    "long": _blocking(long),
}
