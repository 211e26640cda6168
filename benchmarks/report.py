"""Writes the record as one Markdown page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contestants import CONTENDERS, Contender, takes_part
from benchmarks.workloads import METRICS, Metric, Workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from benchmarks.job import Sizes
    from benchmarks.record import Record, Spread

OURS = "lockstep"


def number(value: float) -> str:
    """Three significant digits, no exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def spread_text(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    if spread.low == spread.high:
        return number(spread.median)
    return f"{number(spread.median)} [{number(spread.low)} to {number(spread.high)}]"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


class Report:
    """One page about one record."""

    def __init__(
        self,
        record: Record,
        workloads: Sequence[tuple[Workload, Sizes]],
        contenders: Sequence[Contender],
        facts: Sequence[tuple[str, str]],
        command: str,
        *,
        judged: bool,
    ) -> None:
        self.record = record
        self.workloads = workloads
        self.contenders = contenders
        self.facts = facts
        self.command = command
        self.judged = judged
        names = {workload.name for workload, _ in workloads}
        self.metrics = [metric for metric in METRICS if metric.workload in names]

    def write(self, path: Path) -> None:
        path.write_text("\n".join(self.lines()))

    def lines(self) -> list[str]:
        return [
            "# Benchmark results",
            "",
            f"Made by `{self.command}`; do not edit by hand.",
            "Figures are the median [lowest to highest] of the rounds.",
            "What decides is the ratio within a round; absolute figures belong to the machine.",
            "",
            *table(("What", "Value"), self.facts),
            "## Figures",
            "",
            *self._figures(),
            "## Budget: ours against floor and goal",
            "",
            *self._budget(),
            "## Ours : skeleton, ours : best peer",
            "",
            "The skeleton decides nothing and stores one row per step (`contenders/skeleton.py`).",
            "",
            "The first steps of a fresh file extend its log: a drift below 1 is the disk's.",
            "",
            *self._ratios(),
            "## Failed, lost, hung",
            "",
            *self._incidents(),
            "## Settings and durability",
            "",
            *self._settings(),
            *self._counters(),
            "## Workloads",
            "",
            *self._workloads(),
            "## How to reproduce",
            "",
            "`make bench` runs everything; `python -m benchmarks --help` names the options.",
            "Peers are installed from `benchmarks/peers-requirements.txt` on first use.",
            "Close what else uses the machine; every database lies in the checkout, on its disk.",
            "",
        ]

    def _figures(self) -> list[str]:
        return table(
            ("Figure", *(contender.name for contender in self.contenders)),
            (
                (metric.label, *(self._figure(c, metric) for c in self.contenders))
                for metric in self.metrics
            ),
        )

    def _figure(self, contender: Contender, metric: Metric) -> str:
        if not takes_part(contender, metric.workload):
            return ""
        spread = self.record.spread(contender.name, metric)
        rounds = self.record.outcomes.get((contender.name, metric.workload), {})
        if spread is None and any(outcome.error for outcome in rounds.values()):
            return "no figure"
        return spread_text(spread)

    def _budget(self) -> list[str]:
        if not self.judged:
            return ["Not judged: the sizes of a quick run are not those of the budget.", ""]
        rows = []
        for metric in self.metrics:
            if metric.floor is None:
                continue
            spread = self.record.spread(OURS, metric)
            bounds = (metric.floor, metric.goal, metric.stretch)
            cells = [_bound(metric, bound, spread) for bound in bounds]
            rows.append((metric.label, spread_text(spread), *cells))
        return table(("Figure", "ours", "floor", "goal", "stretch"), rows)

    def _ratios(self) -> list[str]:
        rows = []
        for metric in self.metrics:
            skeleton = self.record.ratio(OURS, "skeleton", metric)
            peer = self.record.best_peer(metric)
            against = self.record.ratio(OURS, peer, metric) if peer else None
            rows.append(
                (
                    metric.label,
                    spread_text(skeleton),
                    _bound(metric, metric.skeleton_floor, skeleton),
                    _bound(metric, metric.skeleton_goal, skeleton),
                    spread_text(against),
                    peer or "-",
                )
            )
        head = ("Figure", "ours : skeleton", "floor", "goal", "ours : best peer", "best peer")
        return table(head, rows)

    def _incidents(self) -> list[str]:
        incidents = self.record.incidents()
        return [*(f"- {line}" for line in incidents or ["none"]), ""]

    def _settings(self) -> list[str]:
        rows = []
        for contender in self.contenders:
            settings = self.record.settings(contender.name)
            rows.append(
                (contender.name, settings.get("durability", "-"), settings.get("options", ""))
            )
        return table(("Contender", "durability", "options"), rows)

    def _counters(self) -> list[str]:
        """What our engine counted, of the last round of each workload."""
        rows = []
        for workload, _ in self.workloads:
            for contender in CONTENDERS:
                rounds = self.record.outcomes.get((contender.name, workload.name), {})
                last = rounds[max(rounds)] if rounds else None
                if last and last.counters:
                    counted = ", ".join(f"{k} {number(v)}" for k, v in last.counters.items())
                    rows.append((workload.name, contender.name, counted))
        if not rows:
            return []
        return ["## Counters of the last round", "", *table(("Workload", "of", "counted"), rows)]

    def _workloads(self) -> list[str]:
        return [
            *(f"- **{work.name}**: {work.what.format(**sizes)}." for work, sizes in self.workloads),
            "",
        ]


def _bound(metric: Metric, bound: float | None, spread: Spread | None) -> str:
    if bound is None:
        return ""
    sign = "≥" if metric.at_least else "≤"
    if spread is None:
        return f"{sign} {number(bound)}"
    verdict = "pass" if metric.meets(spread.median, bound) else "**FAIL**"
    return f"{sign} {number(bound)} {verdict}"
