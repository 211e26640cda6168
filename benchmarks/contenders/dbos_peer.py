"""The peer dbos, on an SQLite file.

Its plain functions are the faster kind and do most workloads; its coroutines do those in which many
wait at once or fan out, where a thread each would be unfair to it. Tuned: an engine of its own
making (a documented option) with WAL, synchronous=NORMAL and two connections, and short polls.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import sqlalchemy
from dbos import DBOS, SetWorkflowID

from benchmarks.gauge import Calls, latency_figures, long_figures, resident_bytes
from benchmarks.job import Job, Outcome, hold

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

calls = Calls()
begun = Calls()
LEVELS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}


@DBOS.step()
def increment(value: int) -> int:
    calls.mark()
    return value + 1


@DBOS.step()
async def increment_async(value: int) -> int:
    calls.mark()
    return value + 1


@DBOS.workflow()
def in_turn(value: int, steps: int) -> int:
    for _ in range(steps):
        value = increment(value)
    return value


@DBOS.workflow()
async def at_once(width: int) -> int:
    results = await asyncio.gather(*(increment_async(number) for number in range(width)))
    return len(results)


@DBOS.workflow()
async def signals(rounds: int) -> int:
    await increment_async(0)
    received = 0
    while received < rounds:
        received += await DBOS.recv_async("poke", timeout_seconds=600) is not None
    return received


@DBOS.workflow()
async def sleeper(seconds: int) -> int:
    begun.mark()
    await DBOS.sleep_async(seconds)
    return await increment_async(0)


class Bench:
    """A launched DBOS with its engine at hand."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.poll = 0.01 if job.tuned else 1.0
        config: dict[str, Any] = {
            "name": "benchmark",
            "application_version": "1",
            "log_level": "ERROR",
            "system_database_url": job.url,
        }
        if job.tuned:
            config["system_database_engine"] = self.engine = tuned_engine(job.url)
            config["notification_listener_polling_interval_sec"] = 0.01
        dbos = DBOS(config=config)
        DBOS.launch()
        if not job.tuned:
            self.engine = dbos._sys_db.engine
        self.failed = 0

    def result(self, handle: Any, expected: Any) -> None:
        try:
            self.failed += handle.get_result(polling_interval_sec=self.poll) != expected
        except Exception:  # noqa: BLE001 - a failed workflow raises what it failed with
            self.failed += 1

    async def result_async(self, handle: Any, expected: Any) -> None:
        try:
            output = await handle.get_result(polling_interval_sec=self.poll)
            self.failed += output != expected
        except Exception:  # noqa: BLE001 - a failed workflow raises what it failed with
            self.failed += 1

    def outcome(self, figures: dict[str, float]) -> Outcome:
        with self.engine.connect() as connection:
            mode = connection.execute(sqlalchemy.text("PRAGMA journal_mode")).scalar_one()
            level = connection.execute(sqlalchemy.text("PRAGMA synchronous")).scalar_one()
        return Outcome(
            figures,
            failed=self.failed,
            settings={
                "durability": f"{str(mode).upper()}, synchronous={LEVELS[level]}",
                "options": "2 connections, polls of 10 ms" if self.job.tuned else "defaults",
            },
        )


def tuned_engine(url: str) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(url, pool_size=2, max_overflow=0)

    @sqlalchemy.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # What dbos sets on the engine it makes itself, and the two pragmas that matter.
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def together(job: Job, steps: int, metric: str) -> Outcome:
    bench = Bench(job)
    began = time.perf_counter()
    handles = [DBOS.start_workflow(in_turn, 0, steps) for _ in range(job.sizes["instances"])]
    for handle in handles:
        bench.result(handle, steps)
    elapsed = time.perf_counter() - began
    return bench.outcome({metric: job.sizes["instances"] * steps / elapsed})


def run_latency(job: Job) -> Outcome:
    bench = Bench(job)
    seconds = []
    for _ in range(job.sizes["instances"]):
        began = time.perf_counter()
        bench.result(DBOS.start_workflow(in_turn, 0, 1), 1)
        seconds.append(time.perf_counter() - began)
    return bench.outcome(latency_figures(seconds))


def run_long(job: Job) -> Outcome:
    bench = Bench(job)
    steps = job.sizes["steps"]
    began = time.perf_counter()
    bench.result(DBOS.start_workflow(in_turn, 0, steps), steps)
    return bench.outcome(long_figures(time.perf_counter() - began, calls.times))


async def run_fanout(job: Job) -> Outcome:
    bench = Bench(job)
    instances, width = job.sizes["instances"], job.sizes["width"]
    began = time.perf_counter()
    handles = [await DBOS.start_workflow_async(at_once, width) for _ in range(instances)]
    await asyncio.gather(*(bench.result_async(handle, width) for handle in handles))
    elapsed = time.perf_counter() - began
    return bench.outcome({"fanout.rate": instances * width / elapsed})


async def run_signals(job: Job) -> Outcome:
    bench = Bench(job)
    rounds = job.sizes["rounds"]
    instances = job.sizes["instances"]
    handles = [await DBOS.start_workflow_async(signals, rounds) for _ in range(instances)]
    while len(calls) < len(handles):  # noqa: ASYNC110 - not timed
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)  # The step is stored and the wait begun: all wait now.
    began = time.perf_counter()
    for number in range(rounds):
        await asyncio.gather(
            *(DBOS.send_async(handle.workflow_id, number, "poke") for handle in handles)
        )
    await asyncio.gather(*(bench.result_async(handle, rounds) for handle in handles))
    elapsed = time.perf_counter() - began
    return bench.outcome({"signals.rate": rounds * len(handles) / elapsed})


async def fall_asleep(bench: Bench, seconds: int) -> None:
    """Start the sleepers and wait until the sleep of each is stored."""
    for number in range(bench.job.sizes["instances"]):
        with SetWorkflowID(f"i{number}"):
            await DBOS.start_workflow_async(sleeper, seconds)
    stored = sqlalchemy.text("SELECT count(*) FROM operation_outputs")
    while True:
        with bench.engine.connect() as connection:
            if connection.execute(stored).scalar_one() >= bench.job.sizes["instances"]:
                return
        await asyncio.sleep(0.1)


async def run_idle(job: Job) -> Outcome:
    bench = Bench(job)
    if job.phase in ("empty", "after"):
        expected = job.sizes["instances"] if job.phase == "after" else 0
        while len(begun) < expected:  # noqa: ASYNC110 - by itself it starts all of them again
            await asyncio.sleep(0.1)
        await asyncio.sleep(3.0)
        return bench.outcome({"idle.resident": resident_bytes()})
    await bench.result_async(await DBOS.start_workflow_async(at_once, 1), 1)
    empty = resident_bytes()
    await fall_asleep(bench, 36_000)
    return bench.outcome({"idle.empty": empty, "idle.resident": resident_bytes()})


async def run_recovery(job: Job) -> Outcome:
    opened = time.monotonic()
    bench = Bench(job)
    instances = job.sizes["instances"]
    if job.phase == "before":
        await fall_asleep(bench, job.sizes["sleep"])
        return bench.outcome({"recovery.asleep_at": time.monotonic()})
    handles = [await DBOS.retrieve_workflow_async(f"i{n}") for n in range(instances)]
    await asyncio.gather(*(bench.result_async(handle, 1) for handle in handles))
    done = time.monotonic()
    return bench.outcome(
        {
            "recovery.seconds": done - job.spawned,
            "recovery.first": calls.times[0] - job.spawned,
            "recovery.from_open": done - opened,
            "recovery.first_from_open": calls.times[0] - opened,
        }
    )


def blocking(run: Callable[[Job], Awaitable[Outcome]]) -> Callable[[Job], Outcome]:
    async def whole(job: Job) -> Outcome:
        outcome = await run(job)
        if job.phase == "before":
            await hold(job, outcome)
        return outcome

    return lambda job: asyncio.run(whole(job))


WORKLOADS: dict[str, Callable[[Job], Outcome]] = {
    "hello": lambda job: together(job, 1, "hello.rate"),
    "chain": lambda job: together(job, 20, "chain.rate"),
    "fanout": blocking(run_fanout),
    "latency": run_latency,
    "long": run_long,
    "signals": blocking(run_signals),
    "idle": blocking(run_idle),
    "recovery": blocking(run_recovery),
}
