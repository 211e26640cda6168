"""The raw limit: the rows of the skeleton, written by bare sqlite3 in the largest groups allowed.

A group holds what may be durable at once: all instances of a workload move together, but a step
waits for the step before it. Nothing is decided, called or encoded here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.contenders.skeleton import CREATE, INSERT, connect
from benchmarks.gauge import latency_figures, long_figures, rate_figures, read_back
from benchmarks.job import Job, Outcome

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

Row = tuple[str, int, bytes]
PAYLOAD = b'{"kind":"activity_completed","at":1700000000000000,"ref":1,"result":1}'


def groups(instances: int, width: int, steps: int, label: str = "i") -> Iterable[list[Row]]:
    """The start of every instance, then group after group of `width` rows per instance."""
    names = [f"{label}{number}" for number in range(instances)]
    yield [(name, 1, PAYLOAD) for name in names]
    for step in range(steps):
        first = 2 + step * width
        yield [(name, first + offset, PAYLOAD) for name in names for offset in range(width)]


def write(connection: sqlite3.Connection, rows: list[Row]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT, rows)
    connection.execute("COMMIT")


def rate(metric: str, job: Job, *, width: int, steps: int) -> Outcome:
    """The rate of instances x width x steps rows, beside the rows that start the instances."""
    connection = connect(job.database)
    connection.execute(CREATE)
    instances = job.sizes["instances"]
    passes = []
    for turn in range(job.sizes["passes"]):
        prepared = list(groups(instances, width, steps, f"{turn}-"))
        began = time.perf_counter()
        for rows in prepared:
            write(connection, rows)
        passes.append(time.perf_counter() - began)
    figures = rate_figures(metric, instances * width * steps, passes)
    return Outcome(figures, settings={"durability": read_back(connection)})


def hello(job: Job) -> Outcome:
    return rate("hello.rate", job, width=1, steps=1)


def chain(job: Job) -> Outcome:
    return rate("chain.rate", job, width=1, steps=20)


def fanout(job: Job) -> Outcome:
    return rate("fanout.rate", job, width=job.sizes["width"], steps=1)


def latency(job: Job) -> Outcome:
    connection = connect(job.database)
    connection.execute(CREATE)
    seconds = []
    for number in range(job.sizes["instances"]):
        began = time.perf_counter()
        write(connection, [(f"i{number}", 1, PAYLOAD)])
        write(connection, [(f"i{number}", 2, PAYLOAD)])
        seconds.append(time.perf_counter() - began)
    return Outcome(latency_figures(seconds), settings={"durability": read_back(connection)})


def long(job: Job) -> Outcome:
    connection = connect(job.database)
    connection.execute(CREATE)
    marks = []
    began = time.perf_counter()
    for rows in groups(1, 1, job.sizes["steps"]):
        marks.append(time.perf_counter())
        write(connection, rows)
    elapsed = time.perf_counter() - began
    return Outcome(long_figures(elapsed, marks), settings={"durability": read_back(connection)})


WORKLOADS: dict[str, Callable[[Job], Outcome]] = {
    "hello": hello,
    "chain": chain,
    "fanout": fanout,
    "latency": latency,
    "long": long,
}
