"""`python -m benchmarks`: run the workloads, contenders taking turns, and write the table."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import machine, peers, schedule
from benchmarks.contestants import CONTENDERS, Contender, takes_part
from benchmarks.record import Record
from benchmarks.report import Report, number
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.job import Outcome

RESULTS = Path(__file__).parent / "RESULTS.md"


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ",".join(workload.name for workload in WORKLOADS)
    families = ",".join(dict.fromkeys(contender.family for contender in CONTENDERS))
    parser.add_argument("--only", default=names, help=f"workloads (default: {names})")
    parser.add_argument("--contenders", default=families, help=f"default: {families}")
    parser.add_argument("--rounds", type=int, help="default: 3, with --quick 1")
    parser.add_argument("--peer-rounds", type=int, help="rounds in which peers run; default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes, for a look")
    parser.add_argument("--out", type=Path, help="default: RESULTS.md, of a whole run only")
    return parser.parse_args(arguments)


def chosen(text: str) -> list[Contender]:
    wanted = text.split(",")
    unknown = set(wanted) - {c.family for c in CONTENDERS} - {c.name for c in CONTENDERS}
    if unknown:
        raise SystemExit(f"unknown contender: {', '.join(sorted(unknown))}")
    return [c for c in CONTENDERS if c.family in wanted or c.name in wanted]


def say(contender: Contender, workload: str, outcome: Outcome, seconds: float) -> None:
    figures = "  ".join(f"{name} {number(value)}" for name, value in outcome.figures.items())
    trouble = outcome.error or ""
    if outcome.failed or outcome.lost:
        trouble += f" {outcome.failed} FAILED, {outcome.lost} LOST"
    line = f"{workload:9} {contender.name:15} {figures} {trouble} ({seconds:.1f} s)"
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    chosen_options = options()
    contenders = chosen(chosen_options.contenders)
    wanted = chosen_options.only.split(",")
    unknown = set(wanted) - {workload.name for workload in WORKLOADS}
    if unknown:
        raise SystemExit(f"unknown workload: {', '.join(sorted(unknown))}")
    quick = chosen_options.quick
    workloads = [(w, w.quick if quick else w.full) for w in WORKLOADS if w.name in wanted]
    rounds = chosen_options.rounds or (1 if quick else 3)
    peer_rounds = rounds if chosen_options.peer_rounds is None else chosen_options.peer_rounds
    facts = machine.facts(Path(__file__).parent)
    peer_python = peers.interpreter() if any(c.peer for c in contenders) else None
    record = Record()
    for workload, sizes in workloads:
        for round_ in range(1, rounds + 1):
            for contender in contenders:
                if not takes_part(contender, workload.name):
                    continue
                if contender.peer and round_ > peer_rounds:
                    continue
                python = peer_python if contender.peer else None
                began = time.monotonic()
                outcome = schedule.run(contender, workload, sizes, python or Path(sys.executable))
                record.add(contender.name, workload.name, round_, outcome)
                say(contender, workload.name, outcome, time.monotonic() - began)
    command = " ".join(["python -m benchmarks", *sys.argv[1:]])
    page = Report(record, workloads, contenders, facts, command, judged=not quick)
    whole = len(workloads) == len(WORKLOADS) and contenders == list(CONTENDERS) and not quick
    if (out := chosen_options.out or (RESULTS if whole else None)) is not None:
        page.write(out)
    print("\n".join(page.lines()))
    return 1 if any(line.startswith("lockstep") for line in record.incidents()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
