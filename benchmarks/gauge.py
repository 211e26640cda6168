"""Gauges that every contender reads the same way: resident memory, percentiles, step times."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

SYNCHRONOUS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}


def resident_bytes() -> int:
    """RSS of this process after garbage and free heap pages were given back."""
    gc.collect()
    with contextlib.suppress(OSError):  # Not glibc: the figure then includes free heap pages.
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def rate_figures(metric: str, units: int, passes: Sequence[float]) -> dict[str, float]:
    """A rate out of the durations of equal passes in one process.

    The median pass decides: a pass is tens of milliseconds, and one pause of the disk would be the
    figure. The first, cold pass stands beside it.
    """
    return {
        metric: units / percentile(passes, 0.5),
        f"{metric}_cold": units / passes[0],
    }


def latency_figures(seconds: Sequence[float]) -> dict[str, float]:
    """Figures of the latency workload out of one duration per request."""
    return {
        "latency.p50": percentile(seconds, 0.50) * 1000,
        "latency.p95": percentile(seconds, 0.95) * 1000,
    }


def long_figures(elapsed: float, marks: Sequence[float]) -> dict[str, float]:
    """Figures of the long workload out of the time of every step's activity call.

    The drift is the time of the last tenth of the steps over that of the first, as it was; beside
    it the same of the median step, which a pause of the machine does not move.
    """
    gaps = [after - before for before, after in pairwise(marks)]
    tenth = max(1, len(gaps) // 10)
    first, last = gaps[:tenth], gaps[-tenth:]
    return {
        "long.seconds": elapsed,
        "long.drift": sum(last) / sum(first),
        "long.drift_of_median": percentile(last, 0.5) / percentile(first, 0.5),
    }


def read_back(connection: sqlite3.Connection) -> str:
    """Durability as this very connection reports it."""
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    return f"{str(mode).upper()}, synchronous={SYNCHRONOUS[int(level)]}"


def ask_outside(database: str, query: str) -> str:
    """The first value of a query, asked in another process.

    A peer may carry an SQLite of its own. Two of them must not meet at one file in one process:
    closing it in one drops the locks of the other (SQLite: How To Corrupt, section 2.2), and the
    peer would die of our measuring.
    """
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        "print(c.execute(sys.argv[2]).fetchone()[0])"
    )
    command = [sys.executable, "-c", program, database, query]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def journal_mode(database: str) -> str:
    """Journal mode as the file has it: WAL is the file's, any other is a connection's."""
    return ask_outside(database, "PRAGMA journal_mode").upper()


class Calls:
    """When each activity call happened, in this process."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def mark(self) -> None:
        self.times.append(time.monotonic())

    def __len__(self) -> int:
        return len(self.times)
