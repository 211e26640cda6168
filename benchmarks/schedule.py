"""Runs one workload of one contender: fresh processes, a fresh file, a bound on the time.

Owns the two-phase workloads' kill -9 and restart. A run that breaks or hangs yields an outcome
that says so; nothing is retried.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.job import Job, Outcome, Sizes
from benchmarks.peers import WORK

if TYPE_CHECKING:
    from benchmarks.contestants import Contender
    from benchmarks.workloads import Workload

ROOT = Path(__file__).parent.parent


class Hung(Exception):
    """A child did not answer in time."""


class Child:
    """One child process in a session of its own, so that ending it ends what it started."""

    def __init__(self, python: Path, job: Job, log: Path) -> None:
        self.job = replace(job, spawned=time.monotonic())
        self._log = log
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                [python, "-m", "benchmarks.child"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        assert self.process.stdin is not None
        self.process.stdin.write(self.job.dump().encode())
        self.process.stdin.close()

    def answer(self, deadline: float) -> Outcome:
        """Its outcome, as soon as it is written. Raises Hung."""
        path = Path(self.job.answer)
        while not path.exists():
            if time.monotonic() > deadline:
                raise Hung
            if self.process.poll() is not None and not path.exists():
                return Outcome(error=f"died with {self.process.returncode}: {self.last_words()}")
            time.sleep(0.02)
        return Outcome.read(path)

    def last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:160] if lines else "nothing said"

    def kill(self) -> None:
        """kill -9 of the whole session."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def run(contender: Contender, workload: Workload, sizes: Sizes, python: Path) -> Outcome:
    """One run. Its folder lies in the checkout (a real disk) and is removed afterwards."""
    WORK.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=WORK))
    try:
        job = Job(
            module=contender.module,
            workload=workload.name,
            phase="run",
            sizes=sizes,
            database=str(folder / "bench.db"),
            answer=str(folder / "answer.json"),
            tuned=contender.tuned,
        )
        return _phases(job, workload, python, folder)
    finally:
        shutil.rmtree(folder)


def _phases(job: Job, workload: Workload, python: Path, folder: Path) -> Outcome:
    answers: list[Outcome] = []
    for phase in workload.phases:
        database = str(folder / "empty.db") if phase == "empty" else job.database
        answer = str(folder / f"{phase}.json")
        part = replace(job, phase=phase, database=database, answer=answer)
        child = Child(python, part, folder / f"{phase}.log")
        try:
            outcome = child.answer(time.monotonic() + workload.timeout)
        except Hung:
            return Outcome(error=f"hung: no end within {workload.timeout} s ({phase})")
        finally:
            child.kill()
        if outcome.error is not None:
            return outcome
        answers.append(outcome)
        if phase == "before" and workload.name == "recovery":
            due = outcome.figures["recovery.asleep_at"] + job.sizes["sleep"] + 0.2
            time.sleep(max(0.0, due - time.monotonic()))
    if workload.name == "idle":
        return _idle(*answers, instances=job.sizes["instances"])
    return answers[-1]


def _idle(empty: Outcome, before: Outcome, after: Outcome, *, instances: int) -> Outcome:
    """Cached: growth of the process that started them. Parked: what they add to a fresh one."""
    cached = before.figures["idle.resident"] - before.figures["idle.empty"]
    parked = after.figures["idle.resident"] - empty.figures["idle.resident"]
    each = 1024 * instances
    return replace(
        after,
        figures={"idle.cached": cached / each, "idle.parked": parked / each},
        failed=before.failed + after.failed,
        lost=before.lost + after.lost,
    )
