"""What a child process is asked, and what it answers: plain data that crosses as JSON.

Must not import anything but the standard library: the peers' environment holds no engine.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

Sizes = dict[str, int]


@dataclass(frozen=True)
class Job:
    """One run of one workload by one contender.

    phase: "run", or "before" and "after" for a workload that spans a kill or a restart.
    spawned: monotonic time at which the process was started (one clock for all processes).
    tuned: whether the contender runs at its best settings or at its defaults.
    """

    module: str
    workload: str
    phase: str
    sizes: Sizes
    database: str
    answer: str
    tuned: bool = False
    spawned: float = 0.0

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database}"

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def load(text: str) -> Job:
        return Job(**json.loads(text))


@dataclass(frozen=True)
class Outcome:
    """What came out.

    figures: metric name to value, in the metric's unit.
    failed: instances that ended in another way than completed; lost: that did not end in time.
    settings: how it ran, durability first. counters: what the contender counts about itself.
    error: why there are no figures.
    """

    figures: dict[str, float] = field(default_factory=dict)
    failed: int = 0
    lost: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    counters: dict[str, float] = field(default_factory=dict)
    error: str | None = None

    def write(self, path: Path) -> None:
        """Write whole or not at all: the parent reads as soon as the file is there."""
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self)))
        partial.replace(path)

    @staticmethod
    def read(path: Path) -> Outcome:
        return Outcome(**json.loads(path.read_text()))


async def hold(job: Job, outcome: Outcome) -> None:
    """Answer while everything is still open, then run on until the parent's kill -9."""
    outcome.write(Path(job.answer))
    await asyncio.Event().wait()
