"""The peer duroxide: its Rust runtime through its own Python package, on an SQLite file.

Tuned: a poll interval of 1 ms and two slots of each kind (more slots meet more locked databases).
Its queues of events (`dequeue_event`) stand for signals: its other kind drops what comes early.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Generator
from typing import Any

from duroxide import Client, Runtime, RuntimeOptions, SqliteProvider

from benchmarks.gauge import (
    Calls,
    ask_outside,
    journal_mode,
    latency_figures,
    long_figures,
    resident_bytes,
)
from benchmarks.job import Job, Outcome

Steps = Generator[Any, Any, Any]
TUNED: dict[str, Any] = {
    "dispatcher_poll_interval_ms": 1,
    "orchestration_concurrency": 2,
    "worker_concurrency": 2,
}
# The provider asks for `synchronous = WAL`; what SQLite makes of that word is read back.
REQUESTED_SYNCHRONOUS = "WAL"
LEVELS = {0: "OFF", 1: "NORMAL", 2: "FULL"}


def level_of(word: str) -> str:
    """What SQLite makes of `PRAGMA synchronous = word`."""
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"PRAGMA synchronous = {word}")
    level = LEVELS[int(connection.execute("PRAGMA synchronous").fetchone()[0])]
    connection.close()
    return level


class Bench:
    """A running runtime with every orchestration registered."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.calls = Calls()
        options = TUNED if job.tuned else {}
        self.options = ", ".join(f"{name}={value}" for name, value in options.items())
        provider = SqliteProvider.open(job.database)
        runtime = Runtime(provider, RuntimeOptions(log_level="error", **options))
        runtime.register_activity("increment", self.increment)
        for orchestration in (hello, chain, fanout, long, signals, sleeper):
            runtime.register_orchestration(orchestration.__name__, orchestration)
        runtime.start()
        self.client = Client(provider)
        self.deadline = time.monotonic() + 1000

    def increment(self, _context: object, value: int) -> int:
        self.calls.mark()
        return value + 1

    def start(self, name: str, instance: str, value: Any) -> None:
        self.client.start_orchestration(instance, name, value)

    def output(self, instance: str, expected: Any) -> tuple[int, int]:
        """(failed, lost) of one instance, once it has ended or its time is over."""
        left = max(1, int((self.deadline - time.monotonic()) * 1000))
        status = self.client.wait_for_orchestration(instance, left)
        if status.status == "Completed":
            return int(status.output != expected), 0
        return (1, 0) if status.status == "Failed" else (0, 1)

    def outcome(self, figures: dict[str, float], ends: list[tuple[int, int]]) -> Outcome:
        return Outcome(
            figures,
            failed=sum(failed for failed, _ in ends),
            lost=sum(lost for _, lost in ends),
            settings={
                "durability": f"{journal_mode(self.job.database)}, "
                f"synchronous={level_of(REQUESTED_SYNCHRONOUS)} (from its source)",
                "options": self.options or "defaults",
            },
        )


def hello(context: Any, value: int) -> Steps:
    return (yield context.schedule_activity("increment", value))


def chain(context: Any, value: int) -> Steps:
    for _ in range(20):
        value = yield context.schedule_activity("increment", value)
    return value


def fanout(context: Any, width: int) -> Steps:
    results = yield context.all_typed(
        [context.schedule_activity("increment", number) for number in range(width)]
    )
    return len(results)


def long(context: Any, steps: int) -> Steps:
    value = 0
    for _ in range(steps):
        value = yield context.schedule_activity("increment", value)
    return value


def signals(context: Any, rounds: int) -> Steps:
    yield context.schedule_activity("increment", 0)
    for _ in range(rounds):
        yield context.dequeue_event("poke")
    return rounds


def sleeper(context: Any, seconds: int) -> Steps:
    yield context.schedule_timer(seconds * 1000)
    return (yield context.schedule_activity("increment", 0))


def together(job: Job, name: str, value: Any, expected: Any, metric: str, units: int) -> Outcome:
    bench = Bench(job)
    names = [f"i{number}" for number in range(job.sizes["instances"])]
    began = time.perf_counter()
    for instance in names:
        bench.start(name, instance, value)
    ends = [bench.output(instance, expected) for instance in names]
    elapsed = time.perf_counter() - began
    return bench.outcome({metric: units / elapsed}, ends)


def run_hello(job: Job) -> Outcome:
    return together(job, "hello", 1, 2, "hello.rate", job.sizes["instances"])


def run_chain(job: Job) -> Outcome:
    return together(job, "chain", 0, 20, "chain.rate", job.sizes["instances"] * 20)


def run_fanout(job: Job) -> Outcome:
    width = job.sizes["width"]
    units = job.sizes["instances"] * width
    return together(job, "fanout", width, width, "fanout.rate", units)


def run_latency(job: Job) -> Outcome:
    bench = Bench(job)
    seconds, ends = [], []
    for number in range(job.sizes["instances"]):
        began = time.perf_counter()
        bench.start("hello", f"i{number}", number)
        ends.append(bench.output(f"i{number}", number + 1))
        seconds.append(time.perf_counter() - began)
    return bench.outcome(latency_figures(seconds), ends)


def run_long(job: Job) -> Outcome:
    bench = Bench(job)
    steps = job.sizes["steps"]
    began = time.perf_counter()
    bench.start("long", "i0", steps)
    ends = [bench.output("i0", steps)]
    return bench.outcome(long_figures(time.perf_counter() - began, bench.calls.times), ends)


def run_signals(job: Job) -> Outcome:
    bench = Bench(job)
    rounds = job.sizes["rounds"]
    names = [f"i{number}" for number in range(job.sizes["instances"])]
    for instance in names:
        bench.start("signals", instance, rounds)
    while len(bench.calls) < len(names):
        time.sleep(0.05)
    time.sleep(1.0)  # The turns after the last activity: all wait now.
    began = time.perf_counter()
    for number in range(rounds):
        for instance in names:
            bench.client.enqueue_event(instance, "poke", number)
    ends = [bench.output(instance, rounds) for instance in names]
    elapsed = time.perf_counter() - began
    return bench.outcome({"signals.rate": rounds * len(names) / elapsed}, ends)


def fall_asleep(bench: Bench, seconds: int) -> None:
    """Start the sleepers and wait until the timer of each is stored."""
    count = bench.job.sizes["instances"]
    for number in range(count):
        bench.start("sleeper", f"i{number}", seconds)
    asleep = "SELECT count(*) FROM history WHERE event_type = 'TimerCreated'"
    while int(ask_outside(bench.job.database, asleep)) < count:
        time.sleep(0.05)


def run_idle(job: Job) -> Outcome:
    bench = Bench(job)
    if job.phase in ("empty", "after"):
        time.sleep(3.0)  # Whatever it loads by itself is loaded now.
        return bench.outcome({"idle.resident": resident_bytes()}, [])
    bench.start("hello", "warm", 1)
    bench.output("warm", 2)
    empty = resident_bytes()
    fall_asleep(bench, 36_000)
    return bench.outcome({"idle.empty": empty, "idle.resident": resident_bytes()}, [])


def run_recovery(job: Job) -> Outcome:
    opened = time.monotonic()
    bench = Bench(job)
    if job.phase == "before":
        fall_asleep(bench, job.sizes["sleep"])
        return bench.outcome({"recovery.asleep_at": time.monotonic()}, [])
    ends = [bench.output(f"i{number}", 1) for number in range(job.sizes["instances"])]
    done = time.monotonic()
    return bench.outcome(
        {
            "recovery.seconds": done - job.spawned,
            "recovery.first": bench.calls.times[0] - job.spawned,
            "recovery.from_open": done - opened,
            "recovery.first_from_open": bench.calls.times[0] - opened,
        },
        ends,
    )


WORKLOADS: dict[str, Callable[[Job], Outcome]] = {
    "hello": run_hello,
    "chain": run_chain,
    "fanout": run_fanout,
    "latency": run_latency,
    "long": run_long,
    "signals": run_signals,
    "idle": run_idle,
    "recovery": run_recovery,
}
