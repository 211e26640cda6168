"""What changed between two graphs, told in the words of the file."""

from __future__ import annotations

import pytest

from engine.graph.diff import diff
from engine.graph.revision import revision
from tests.unit.graph import test_revision
from tests.unit.graph.compiling import graph_of, graph_of_body

BASE = """\
vars: { total: 0 }
timeout: 1h
steps:
  - id: reserve
    activity: inventory.reserve
    timeout: 2m
  - id: place
    saga:
      - id: charge
        activity: payments.charge
        with: { cents: 1, deep: { a: [1] } }
      - id: ship
        activity: shipping.create
    catch:
      - on: [payments.declined]
        steps: [ { id: tell, log: declined } ]
  - id: last
    log: done
"""

CASES = {
    "an argument, down to what differs": (
        BASE.replace("a: [1]", "a: [2]"),
        ["~ place/charge: with.deep.a: [1] -> [2]"],
    ),
    "durations are told as durations": (
        BASE.replace("2m", "3m").replace("1h", "90m"),
        ["~ timeout: 1h -> 1h30m", "~ reserve: timeout: 2m -> 3m"],
    ),
    "an option comes": (
        BASE.replace("timeout: 2m", "timeout: 2m\n    queue: gpu"),
        ["~ reserve: queue: nothing -> gpu"],
    ),
    "an option goes": (
        BASE.replace("    timeout: 2m\n", ""),
        ["~ reserve: timeout: 2m -> nothing"],
    ),
    "a variable": (
        BASE.replace("total: 0", "sum: 0"),
        ["~ vars.sum: nothing -> 0", "~ vars.total: 0 -> nothing"],
    ),
    "a step comes": (
        BASE + "  - id: more\n    do: [ { log: a }, { log: b } ]\n",
        ["+ more (do) added"],
    ),
    "a step goes, with what is in it": (
        BASE[: BASE.index("  - id: place")] + "  - id: last\n    log: done\n",
        ["- place (saga) removed"],
    ),
    "another kind under the same id": (
        BASE.replace("log: done", "status: done"),
        ["~ last: log becomes status"],
    ),
    "a step changes its turn": (
        BASE.replace("  - id: last\n    log: done\n", "").replace(
            "steps:\n  - id: reserve", "steps:\n  - id: last\n    log: done\n  - id: reserve"
        ),
        ["~ last takes another turn among its neighbours"],
    ),
    "a step moves into another block": (
        BASE.replace("      - id: ship\n        activity: shipping.create\n", "")
        + "  - id: ship\n    activity: shipping.create\n",
        ["~ ship moved here from place/ship"],
    ),
    "a step moves to a clause of the same block": (
        BASE.replace("      - id: ship\n        activity: shipping.create\n", "").replace(
            "log: declined }", "log: declined }, { id: ship, activity: shipping.create }"
        ),
        ["~ place/ship moved from `steps` to `catch[0]`"],
    ),
    "what a clause catches": (
        BASE.replace("payments.declined]", "payments.*]"),
        ['~ place: catch[0].on: ["payments.declined"] -> ["payments.*"]'],
    ),
    "null is not nothing": (BASE + "output: null\n", ["~ output: nothing -> null"]),
    "nothing": (BASE + "title: only for people\n", []),
}


@pytest.mark.parametrize(("text", "lines"), CASES.values(), ids=CASES)
def test_a_change(text: str, lines: list[str]) -> None:
    assert [change.line for change in diff(graph_of_body(BASE), graph_of_body(text))] == lines


def test_a_change_as_data() -> None:
    (change,) = diff(graph_of_body(BASE), graph_of_body(BASE.replace("2m", "3m")))
    assert (change.kind, change.path, change.field) == ("changed", "reserve", "timeout")
    assert (change.before, change.after) == (120_000_000, 180_000_000)


FILES = {**test_revision.SAME, **test_revision.OTHER, **{k: text for k, (text, _) in CASES.items()}}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_there_are_changes_exactly_when_the_revisions_differ(text: str) -> None:
    whole = text if text.startswith("dsl") else f"dsl: 1\nname: order\nversion: 1.0.0\n{text}"
    one, other = graph_of(test_revision.BASE), graph_of(whole)
    assert (diff(one, other) == ()) == (revision(one) == revision(other))
