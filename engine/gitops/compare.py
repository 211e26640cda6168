"""Two graphs compared, for people and programs: what changed, and the bump it asks for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from engine.gitops.compat import Verdict, required_bump
from engine.gitops.target import Target
from engine.graph.diff import Change, diff
from engine.graph.revision import revision
from engine.values.digest import short

if TYPE_CHECKING:
    from engine.values.json import Json, JsonObject

FORMAT: Final = 1


class Comparison(msgspec.Struct, frozen=True):
    """What leads from `a` to `b`. `changes` are of the graph, `verdict` says what they weigh."""

    a: Target
    b: Target
    changes: tuple[Change, ...]
    verdict: Verdict

    @property
    def equal(self) -> bool:
        """Whether both mean the same."""
        return not self.changes


def compare_targets(a: Target, b: Target) -> Comparison:
    """Compare two graphs."""
    verdict = required_bump(a.graph, b.graph, previous=a.version)
    return Comparison(a, b, diff(a.graph, b.graph), verdict)


def as_text(comparison: Comparison) -> str:
    """For people: a line per change, the contract, and the bump."""
    a, b = comparison.a, comparison.b
    lines = [f"--- {_title(a)}", f"+++ {_title(b)}"]
    if comparison.equal:
        return "\n".join([*lines, "no difference: both have the same revision", ""])
    lines += [change.line for change in comparison.changes]
    contract = [one for one in comparison.verdict.reasons if one.rule in _CONTRACT_RULES]
    if contract:
        lines += ["", "contract:", *(f"  {one.line} ({one.bump})" for one in contract)]
    lines += ["", f"least bump: {comparison.verdict.bump}", ""]
    return "\n".join(lines)


def as_json(comparison: Comparison) -> JsonObject:
    """For programs; `format` rises when a field changes its meaning."""
    changes: list[Json] = [
        {
            "kind": change.kind,
            "path": change.path,
            "field": change.field,
            "before": change.before,
            "after": change.after,
            "line": change.line,
        }
        for change in comparison.changes
    ]
    reasons: list[Json] = [
        {"rule": one.rule, "bump": one.bump, "line": one.line} for one in comparison.verdict.reasons
    ]
    return {
        "format": FORMAT,
        "a": _record(comparison.a),
        "b": _record(comparison.b),
        "equal": comparison.equal,
        "changes": changes,
        "least_bump": comparison.verdict.bump,
        "reasons": reasons,
    }


_CONTRACT_RULES: Final = frozenset(
    (
        "input-added", "input-widened", "input-told", "input-narrowed", "input-removed",
        "input-changed", "output-added", "output-narrowed", "output-told", "output-removed",
        "output-widened", "output-changed", "signal-added", "signal-widened", "signal-removed",
        "signal-narrowed", "accepts", "refuses-previous",
    )
)  # fmt: skip


def _title(target: Target) -> str:
    version = "" if f"@{target.version}" in target.label else f" ({target.version})"
    return f"{target.label}{version} {short(revision(target.graph))}"


def _record(target: Target) -> JsonObject:
    return {
        "label": target.label,
        "name": target.graph.name,
        "version": target.version,
        "revision": revision(target.graph),
    }
