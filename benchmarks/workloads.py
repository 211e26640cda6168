"""The workloads and the budget of each figure: two tables, no behaviour.

The budget is the contract of the engine; `at_least` says which side of it is good. Ratios to the
skeleton are ours : skeleton, so a rate wants a large one and a duration a small one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.job import Sizes


@dataclass(frozen=True)
class Workload:
    """timeout: seconds after which one run is reported as hung."""

    name: str
    what: str
    full: Sizes
    quick: Sizes
    timeout: int
    phases: tuple[str, ...] = ("run",)


@dataclass(frozen=True)
class Metric:
    name: str
    label: str
    at_least: bool
    floor: float | None = None
    goal: float | None = None
    stretch: float | None = None
    skeleton_floor: float | None = None
    skeleton_goal: float | None = None

    @property
    def workload(self) -> str:
        return self.name.partition(".")[0]

    def meets(self, value: float, bound: float) -> bool:
        return value >= bound if self.at_least else value <= bound


WORKLOADS = (
    Workload(
        "hello",
        "{instances} instances of one activity, all started at once; median of {passes} passes in "
        "one process (peers: one pass)",
        {"instances": 500, "passes": 7},
        {"instances": 200, "passes": 5},
        120,
    ),
    Workload(
        "chain",
        "{instances} instances of 20 activities, one after the other; {passes} passes",
        {"instances": 100, "passes": 5},
        {"instances": 30, "passes": 5},
        180,
    ),
    Workload(
        "fanout",
        "{instances} instances that run {width} activities at once and join them; {passes} passes",
        {"instances": 20, "width": 100, "passes": 5},
        {"instances": 8, "width": 100, "passes": 5},
        180,
    ),
    Workload(
        "latency",
        "{instances} instances of one activity, one at a time, start to result",
        {"instances": 300},
        {"instances": 60},
        120,
    ),
    Workload(
        "long",
        "one instance of {steps} activities, one after the other",
        {"steps": 2000},
        {"steps": 600},
        400,
    ),
    Workload(
        "signals",
        "{instances} instances wait, each is sent {rounds} signals and consumes them",
        {"instances": 300, "rounds": 5},
        {"instances": 100, "rounds": 5},
        180,
    ),
    Workload(
        "idle",
        "{instances} instances asleep: resident memory of each, as started (cached: growth of the "
        "process) and after a restart (parked: excess over a process with an empty file)",
        {"instances": 5000},
        {"instances": 1000},
        300,
        ("empty", "before", "after"),
    ),
    Workload(
        "recovery",
        "{instances} instances asleep for {sleep} s, kill -9, restart when all are due: seconds "
        "from the start of the new process, and from the opening of the engine in it (without "
        "Python and its imports)",
        {"instances": 1000, "sleep": 25},
        {"instances": 200, "sleep": 6},
        180,
        ("before", "after"),
    ),
)

METRICS = (
    Metric("hello.rate", "hello, instances/s", True, 2000, 4000, 8000, 0.12, 0.25),
    Metric("chain.rate", "chain, activities/s", True, 4000, 8000, 15000, 0.12, 0.25),
    Metric("fanout.rate", "fan-out, activities/s", True, 5000, 10000, 18000, 0.12, 0.25),
    Metric("latency.p50", "latency p50, ms", False, 2.0, 1.0, 0.8, 3.0, 1.7),
    Metric("latency.p95", "latency p95, ms", False, 4.0, 2.0, None, None, None),
    Metric("long.seconds", "long history, s", False, 2.0, 1.2, 0.8, 3.0, 1.7),
    Metric("long.drift", "long history, last tenth : first", False, 1.1, 1.05),
    Metric("signals.rate", "signals, events/s", True, 2000, 4500, 8000),
    Metric("idle.cached", "idle cached, KiB each", False, 16, 8),
    Metric("idle.parked", "idle parked, KiB each", False, 1, 0.1, 0),
    Metric("recovery.seconds", "recovery of all, s", False, 1.5, 0.4, 0.25),
    Metric("recovery.first", "recovery, first progress, s", False, 1.0),
    Metric("recovery.from_open", "recovery of all, from open, s", False, 1.5, 0.4, 0.25),
    Metric("recovery.first_from_open", "recovery, first progress, from open, s", False, 1.0),
)

BY_NAME = {workload.name: workload for workload in WORKLOADS}
