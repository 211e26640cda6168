"""The tree of an instance: events in, rows out."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from engine.cli.progress import Progress
from engine.cli.tree import Tree, tree_of
from engine.cli.tree_view import render_events
from engine.values.instant import format_instant

S = 1_000_000
BEGIN = 1_800_000_000 * S


def events(*given: tuple[int, str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Events as the client gives them, from (second, kind, fields), after a start."""
    started = {
        "instance_id": "i-1",
        "workflow": "order",
        "version": "1.2.0",
        "revision": "r",
        "semantics": 1,
    }
    told = [(0, "started", started), *given]
    return [
        {
            "seq": seq,
            "execution": 1,
            "at": format_instant(BEGIN + second * S),
            "kind": kind,
            **fields,
        }
        for seq, (second, kind, fields) in enumerate(told, 1)
    ]


def scheduled(second: int, path: str, attempt: int = 1) -> tuple[int, str, dict[str, Any]]:
    fields: dict[str, Any] = {"path": path, "activity": "shop.charge"}
    return second, "activity_scheduled", fields | ({"attempt": attempt} if attempt > 1 else {})


def completed(second: int, ref: int) -> tuple[int, str, dict[str, Any]]:
    return second, "activity_completed", {"ref": ref}


def failed(second: int, ref: int) -> tuple[int, str, dict[str, Any]]:
    error = {"type": "card.declined", "message": "no money\nsecond line"}
    return second, "activity_failed", {"ref": ref, "error": error}


def timer(second: int, path: str, purpose: str, due: int) -> tuple[int, str, dict[str, Any]]:
    fields = {"path": path, "purpose": purpose, "due_at": BEGIN + due * S}
    return second, "timer_created", fields


def outline(tree: Tree) -> list[str]:
    """Rows as text: indented label, state, what is special."""
    lines = []
    for row in tree.rows():
        line = f"{'  ' * row.depth}{row.label} {row.state}"
        if row.attempt > 1:
            line += f" attempt {row.attempt}"
        if row.due_at is not None:
            line += f" due {(row.due_at - BEGIN) // S}"
        if row.error:
            line += f" ({row.error})"
        lines.append(line)
    return lines


DETACHED = {"detached": True}

CASES: dict[str, tuple[list[tuple[int, str, dict[str, Any]]], list[str]]] = {
    "an activity runs": ([scheduled(0, "pay")], ["pay running"]),
    "an activity is done": ([scheduled(0, "pay"), completed(2, 2)], ["pay completed"]),
    "a failed attempt is tried again": (
        [scheduled(0, "pay"), failed(1, 2), timer(1, "pay", "retry", 6)],
        ["pay retrying due 6 (card.declined: no money)"],
    ),
    "the next attempt shows the last error": (
        [
            scheduled(0, "pay"),
            failed(1, 2),
            timer(1, "pay", "retry", 6),
            (6, "timer_fired", {"ref": 4}),
            scheduled(6, "pay", attempt=2),
        ],
        ["pay running attempt 2 (card.declined: no money)"],
    ),
    "an attempt that succeeds has no error": (
        [scheduled(0, "pay"), failed(1, 2), scheduled(1, "pay", attempt=2), completed(2, 4)],
        ["pay completed attempt 2"],
    ),
    "blocks are known by the steps in them": (
        [scheduled(0, "a/b/c"), scheduled(0, "a/d"), completed(1, 2)],
        ["a running", "  b ended", "    c completed", "  d running"],
    ),
    "iterations stand inside their loop": (
        [scheduled(0, "each[0]/x"), scheduled(0, "each[1]/x"), completed(1, 2)],
        [
            "each running",
            "  each[0] ended",
            "    x completed",
            "  each[1] running",
            "    x running",
        ],
    ),
    "a loop waits for its next round": (
        [timer(0, "poll", "every", 5), scheduled(0, "poll[0]/x"), completed(0, 3)],
        ["poll waiting due 5", "  poll[0] ended", "    x completed"],
    ),
    "a time-out is no step": ([timer(0, "", "timeout", 9), scheduled(0, "x")], ["x running"]),
    "a sleep": ([timer(0, "nap", "sleep", 5)], ["nap waiting due 5"]),
    "a sleep is over": (
        [timer(0, "nap", "sleep", 5), (5, "timer_fired", {"ref": 2})],
        ["nap completed"],
    ),
    "a wait that is answered": (
        [
            (0, "wait_opened", {"path": "w", "name": "go"}),
            (1, "signal_received", {"name": "go"}),
            (1, "signal_taken", {"path": "w", "name": "go", "ordinal": 1}),
        ],
        ["w completed"],
    ),
    "a wait that is given up": (
        [(0, "wait_opened", {"path": "w", "name": "go"}), (1, "wait_closed", {"ref": 2})],
        ["w cancelled"],
    ),
    "a child is open until it answers": (
        [
            (0, "child_scheduled", {"path": "c", "workflow": "w", "instance_id": "i-1.c"}),
            (1, "child_started", {"ref": 2, "instance_id": "i-1.c"}),
        ],
        ["c running"],
    ),
    "a child fails": (
        [
            (0, "child_scheduled", {"path": "c", "workflow": "w", "instance_id": "i-1.c"}),
            (1, "child_started", {"ref": 2, "instance_id": "i-1.c"}),
            (2, "child_failed", {"ref": 2, "error": {"type": "t", "message": "m"}}),
        ],
        ["c failed (t: m)"],
    ),
    "a detached start is done when it exists": (
        [
            (0, "child_scheduled", {"path": "c", "workflow": "w", "instance_id": "x"} | DETACHED),
            (1, "child_started", {"ref": 2, "instance_id": "x"}),
        ],
        ["c completed"],
    ),
    "what is open when the instance ends is cancelled": (
        [scheduled(0, "pay"), (1, "terminated", {"reason": "enough"})],
        ["pay cancelled"],
    ),
    "a new execution begins with nothing": (
        [
            scheduled(0, "pay"),
            completed(1, 2),
            (1, "continued_as_new", {}),
            (1, "started", {"instance_id": "i-1", "workflow": "order", "version": "1.2.0"}),
        ],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_events_make_rows(name: str) -> None:
    given, wanted = CASES[name]
    assert outline(tree_of(events(*given))) == wanted


@pytest.mark.parametrize(
    ("last", "status", "error"),
    [
        ((3, "completed", {"output": 1}), "completed", None),
        ((3, "failed", {"error": {"type": "t"}}), "failed", {"type": "t"}),
        ((3, "cancelled", {}), "cancelled", None),
        (
            (3, "terminated", {"reason": "no"}),
            "terminated",
            {"type": "sys.terminated", "message": "no"},
        ),
        ((3, "aborted", {"error": {"type": "sys.limit"}}), "failed", {"type": "sys.limit"}),
        ((3, "continued_as_new", {}), "continued", None),
        ((3, "status_set", {"path": "s", "value": 1}), "running", None),
    ],
)
def test_the_head_says_how_it_stands(last: Any, status: str, error: Any) -> None:
    head = tree_of(events(last)).head
    assert (head.status, head.error) == (status, error)
    assert (head.ended_at is None) == (status == "running")


def test_finished_iterations_give_way_first() -> None:
    done = [scheduled(0, f"each[{n}]/x") for n in range(50)]
    ends = [completed(1, n + 2) for n in range(49)]
    rows = tree_of(events(*done, *ends)).rows(most=10)
    assert [row.label for row in rows] == ["each", "each[0] … each[48]", "each[49]", "x"]
    assert rows[1].about == "49 iterations"


def test_a_long_tree_keeps_its_end() -> None:
    rows = tree_of(events(*[scheduled(0, f"s{n}") for n in range(30)])).rows(most=5)
    assert [row.label for row in rows] == ["… 26 more", "s26", "s27", "s28", "s29"]


def drawn(given: list[dict[str, Any]], second: int) -> str:
    console = Console(width=100, no_color=True, highlight=False)
    with console.capture() as capture:
        console.print(render_events(given, at=BEGIN + second * S))
    return capture.get()


def test_the_drawing(golden: Any) -> None:
    given = events(
        scheduled(0, "pay"),
        completed(2, 2),
        (2, "status_set", {"path": "status", "value": {"phase": "packing"}}),
        scheduled(2, "pack[0]/box"),
        completed(3, 5),
        scheduled(3, "pack[1]/box"),
        failed(4, 7),
        timer(4, "pack[1]/box", "retry", 64),
        (4, "wait_opened", {"path": "hold", "name": "go"}),
        timer(4, "nap", "sleep", 3604),
        (4, "logged", {"path": "log", "level": "info", "text": "tab\there \x1b[31mred"}),
    )
    golden("cli/tree.txt", drawn(given, 10))


def test_progress_tells_the_same_in_lines(golden: Any) -> None:
    given = events(
        scheduled(0, "pay"),
        failed(1, 2),
        timer(1, "pay", "retry", 6),
        (6, "timer_fired", {"ref": 4}),
        scheduled(6, "pay", attempt=2),
        completed(7, 6),
        (7, "cancel_requested", {"reason": "changed my mind"}),
        (7, "cancelled", {"reason": "changed my mind"}),
    )
    progress = Progress()
    lines = [line for event in given if (line := progress.line(event)) is not None]
    golden("cli/progress.txt", "\n".join(lines) + "\n")
