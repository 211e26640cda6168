"""The outcomes of a whole run and the figures drawn from them: medians, spreads, ratios.

A ratio is taken within a round, between runs that stood beside each other, and then its median
over the rounds.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.contestants import CONTENDERS

if TYPE_CHECKING:
    from benchmarks.job import Outcome
    from benchmarks.workloads import Metric


@dataclass(frozen=True)
class Spread:
    median: float
    low: float
    high: float

    @staticmethod
    def of(values: list[float]) -> Spread | None:
        return Spread(median(values), min(values), max(values)) if values else None


@dataclass
class Record:
    """outcomes: (contender, workload) to one outcome per round, None where it had no turn."""

    outcomes: dict[tuple[str, str], dict[int, Outcome]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def add(self, contender: str, workload: str, round_: int, outcome: Outcome) -> None:
        self.outcomes[contender, workload][round_] = outcome

    def values(self, contender: str, metric: Metric) -> dict[int, float]:
        """Figure by round; a run that broke has none."""
        rounds = self.outcomes.get((contender, metric.workload), {})
        return {
            round_: outcome.figures[metric.name]
            for round_, outcome in rounds.items()
            if metric.name in outcome.figures
        }

    def spread(self, contender: str, metric: Metric) -> Spread | None:
        return Spread.of(list(self.values(contender, metric).values()))

    def ratio(self, ours: str, other: str, metric: Metric) -> Spread | None:
        """ours : other, over the rounds in which both have a figure."""
        mine, theirs = self.values(ours, metric), self.values(other, metric)
        return Spread.of([mine[r] / theirs[r] for r in mine if theirs.get(r)])

    def best_peer(self, metric: Metric) -> str | None:
        """The peer whose median is best for this figure."""
        figures = {
            contender.name: spread.median
            for contender in CONTENDERS
            if contender.peer and (spread := self.spread(contender.name, metric))
        }
        if not figures:
            return None
        return (max if metric.at_least else min)(figures, key=lambda name: figures[name])

    def incidents(self) -> list[str]:
        """Every run with failed or lost instances, and every run without figures."""
        found = []
        for (contender, workload), rounds in self.outcomes.items():
            for round_, outcome in sorted(rounds.items()):
                where = f"{contender}, {workload}, round {round_}"
                if outcome.error is not None:
                    found.append(f"{where}: {outcome.error}")
                elif outcome.failed or outcome.lost:
                    found.append(f"{where}: {outcome.failed} failed, {outcome.lost} lost")
        return found

    def settings(self, contender: str) -> dict[str, str]:
        for (name, _), rounds in self.outcomes.items():
            for outcome in rounds.values():
                if name == contender and outcome.settings:
                    return outcome.settings
        return {}
