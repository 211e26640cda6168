"""The child process: `python -m benchmarks.child` reads a job from stdin, writes its outcome."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from pathlib import Path

from benchmarks.job import Job, Outcome


def main() -> None:
    job = Job.load(sys.stdin.read())
    contender = importlib.import_module(f"benchmarks.contenders.{job.module}")
    try:
        outcome = contender.WORKLOADS[job.workload](job)
    except Exception as error:  # noqa: BLE001 - whatever breaks a contender is its result
        traceback.print_exc()
        outcome = Outcome(error=f"{type(error).__name__}: {error}"[:200])
    outcome.write(Path(job.answer))
    if job.phase == "before":
        signal.pause()  # The parent ends this process with kill -9.
    # Peers keep threads alive that a normal exit would wait for; the figures are written.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
