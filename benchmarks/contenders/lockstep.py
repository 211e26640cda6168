"""Lockstep itself: public API only, defaults only (SQLite file, `synchronous=FULL`)."""

from __future__ import annotations

import asyncio
import inspect
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.gauge import (
    Calls,
    journal_mode,
    latency_figures,
    long_figures,
    rate_figures,
    resident_bytes,
)
from benchmarks.job import Job, Outcome, hold
from engine import (
    Client,
    Engine,
    InstanceCancelled,
    InstanceFailed,
    ResultTimeout,
    StartRequest,
    activity,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

DEFINITIONS = Path(__file__).parent.parent / "workflows"
RESULT_TIMEOUT = 600
calls = Calls()


@activity("bench.increment")
async def increment(value: int) -> int:
    calls.mark()
    return value + 1


class Ends:
    """Counts how instances ended."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.failed = 0
        self.lost = 0

    async def expect(self, instance: str, expected: Any) -> None:
        try:
            output = await self._client.result(instance, timeout=RESULT_TIMEOUT)
            self.failed += output != expected
        except (InstanceFailed, InstanceCancelled):
            self.failed += 1
        except ResultTimeout:
            self.lost += 1


class Bench:
    """An open engine, for the length of one workload."""

    def __init__(self, job: Job, engine: Engine) -> None:
        self.job = job
        self.engine = engine
        self.client = engine.client
        self.ends = Ends(engine.client)

    async def start(
        self, workflow: str, value: Mapping[str, Any], count: int, *, label: str = "i"
    ) -> list[str]:
        """Start `count` instances together; the ids, once all are durable."""
        handles = await self.client.start_many(
            [
                StartRequest(workflow=workflow, input=dict(value), id=f"{label}{n}")
                for n in range(count)
            ]
        )
        return [handle.id for handle in handles]

    async def expect_all(self, instances: list[str], expected: Any) -> None:
        await asyncio.gather(*(self.ends.expect(instance, expected) for instance in instances))

    def outcome(self, figures: dict[str, float]) -> Outcome:
        return Outcome(
            figures,
            failed=self.ends.failed,
            lost=self.ends.lost,
            settings={
                "durability": f"{journal_mode(self.job.database)}, "
                f"synchronous={default_synchronous()} (default of Engine.open)",
                "options": "defaults",
            },
            counters={name: float(count) for name, count in self.engine.node.counters.items()},
        )


def default_synchronous() -> str:
    """What a user gets who does not ask; the benchmark does not ask either."""
    return str(inspect.signature(Engine.open).parameters["synchronous"].default)


async def rate(
    bench: Bench, workflow: str, value: Mapping[str, Any], expected: Any, units: int
) -> dict[str, float]:
    """Passes of starting all instances at once and waiting for all of them."""
    count = bench.job.sizes["instances"]
    passes = []
    for turn in range(bench.job.sizes["passes"]):
        began = time.perf_counter()
        instances = await bench.start(workflow, value, count, label=f"{turn}-")
        await bench.expect_all(instances, expected)
        passes.append(time.perf_counter() - began)
    return rate_figures(f"{workflow}.rate", count * units, passes)


async def hello(bench: Bench) -> dict[str, float]:
    return await rate(bench, "hello", {"value": 1}, 2, 1)


async def chain(bench: Bench) -> dict[str, float]:
    return await rate(bench, "chain", {"value": 0}, 20, 20)


async def fanout(bench: Bench) -> dict[str, float]:
    width = bench.job.sizes["width"]
    return await rate(bench, "fanout", {"items": list(range(width))}, width, width)


async def latency(bench: Bench) -> dict[str, float]:
    seconds = []
    for number in range(bench.job.sizes["instances"]):
        began = time.perf_counter()
        handle = await bench.client.start("hello", {"value": number}, id=f"i{number}")
        await bench.ends.expect(handle.id, number + 1)
        seconds.append(time.perf_counter() - began)
    return latency_figures(seconds)


async def long(bench: Bench) -> dict[str, float]:
    steps = bench.job.sizes["steps"]
    began = time.perf_counter()
    instances = await bench.start("long", {"items": list(range(steps))}, 1)
    await bench.expect_all(instances, steps)
    return long_figures(time.perf_counter() - began, calls.times)


async def until_waiting(bench: Bench, instances: list[str]) -> None:
    """Return when every instance waits; a poll, outside of what is timed."""
    for instance in instances:
        while not (await bench.client.get(instance)).waiting_for:  # noqa: ASYNC110 - not timed
            await asyncio.sleep(0.02)


async def signals(bench: Bench) -> dict[str, float]:
    count, rounds = bench.job.sizes["instances"], bench.job.sizes["rounds"]
    instances = await bench.start("signals", {"rounds": list(range(rounds))}, count)
    while len(calls) < count:  # noqa: ASYNC110 - not timed
        await asyncio.sleep(0.02)
    await until_waiting(bench, instances)
    began = time.perf_counter()
    for number in range(rounds):
        await asyncio.gather(
            *(bench.client.signal(instance, "poke", {"n": number}) for instance in instances)
        )
    await bench.expect_all(instances, rounds)
    return {"signals.rate": count * rounds / (time.perf_counter() - began)}


async def fall_asleep(bench: Bench, seconds: int) -> None:
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    value = {"until": until.isoformat()}
    instances = await bench.start("sleeper", value, bench.job.sizes["instances"])
    await until_waiting(bench, instances)


async def idle(bench: Bench) -> dict[str, float]:
    if bench.job.phase in ("empty", "after"):
        await asyncio.sleep(3.0)  # Whatever it loads by itself is loaded now.
        return {"idle.resident": resident_bytes()}
    warm = await bench.client.start("hello", {"value": 1}, id="warm")
    await bench.ends.expect(warm.id, 2)
    empty = resident_bytes()
    await fall_asleep(bench, 36_000)
    return {"idle.empty": empty, "idle.resident": resident_bytes()}


async def recovery(bench: Bench) -> dict[str, float]:
    if bench.job.phase == "before":
        await fall_asleep(bench, bench.job.sizes["sleep"])
        return {"recovery.asleep_at": time.monotonic()}
    instances = [f"i{number}" for number in range(bench.job.sizes["instances"])]
    await bench.expect_all(instances, 1)
    done = time.monotonic()
    return {
        "recovery.seconds": done - bench.job.spawned,
        "recovery.first": calls.times[0] - bench.job.spawned,
    }


def _blocking(run: Callable[[Bench], Awaitable[dict[str, float]]]) -> Callable[[Job], Outcome]:
    async def whole(job: Job) -> Outcome:
        opened = time.monotonic()
        async with Engine.open(job.url, workflows=DEFINITIONS, activities=[increment]) as engine:
            bench = Bench(job, engine)
            figures = await run(bench)
            if "recovery.seconds" in figures:
                late = opened - job.spawned
                figures["recovery.from_open"] = figures["recovery.seconds"] - late
                figures["recovery.first_from_open"] = figures["recovery.first"] - late
            outcome = bench.outcome(figures)
            if job.phase == "before":
                await hold(job, outcome)
            return outcome

    return lambda job: asyncio.run(whole(job))


WORKLOADS: dict[str, Callable[[Job], Outcome]] = {
    "hello": _blocking(hello),
    "chain": _blocking(chain),
    "fanout": _blocking(fanout),
    "latency": _blocking(latency),
    "long": _blocking(long),
    "signals": _blocking(signals),
    "idle": _blocking(idle),
    "recovery": _blocking(recovery),
}
