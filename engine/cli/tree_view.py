"""The tree of an instance on a terminal, drawn anew as it changes."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text
from rich.tree import Tree as Drawing

from engine.cli.clean import clean_line
from engine.cli.output import STYLES
from engine.cli.times import ago, lasted, now
from engine.cli.tree import OPEN, Tree, error_line, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import RenderableType

    from engine.cli.tree import Head, Row

SIGNS: Final = {
    "running": ("●", "cyan"),
    "waiting": ("◷", "blue"),
    "retrying": ("↻", "yellow"),
    "completed": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("⊘", "magenta"),
    "ended": ("·", "dim"),
}
REFRESH_PER_SECOND: Final = 8
# Beside the steps there are the head, its status and error, and the prompt.
_OTHER_LINES: Final = 5
_MOST_AT_END: Final = 500


def render_events(
    events: Iterable[Mapping[str, Any]], *, at: int | None = None, most: int | None = None
) -> RenderableType:
    """What these events make, ready to be printed by rich. `at`: the time it is (µs UTC)."""
    return render(tree_of(events), at=now() if at is None else at, most=most)


def render(tree: Tree, *, at: int, most: int | None = None) -> RenderableType:
    """A tree as it stands at a time."""
    drawing = Drawing(_head(tree.head, at), guide_style="dim")
    parents = [drawing]
    for row in tree.rows(most):
        del parents[row.depth + 1 :]
        parents.append(parents[row.depth].add(_row(row, at)))
    if tree.head.error is None or tree.head.status == "continued":
        return drawing
    line = clean_line(error_line(tree.head.error))
    return Group(drawing, Text(f"✗ {line}", style="red"))


class LiveTree:
    """`with LiveTree() as live: live.add(event)` shows the tree while it grows."""

    def __init__(self, console: Console | None = None) -> None:
        self.tree = Tree()
        self._console = console or Console(stderr=True, highlight=False)
        self._lock = threading.Lock()  # rich draws in a thread of its own
        self._most: int | None = None
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=REFRESH_PER_SECOND,
            vertical_overflow="visible",
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._most = _MOST_AT_END
        self._live.stop()

    def add(self, event: Mapping[str, Any]) -> None:
        """Take the next event."""
        with self._lock:
            self.tree.add(event)

    def _render(self) -> RenderableType:
        most = self._most or max(self._console.height - _OTHER_LINES, 5)
        with self._lock:
            return render(self.tree, at=now(), most=most)


def _head(head: Head, at: int) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(clean_line(head.instance_id), style="bold")
    text.append(f"  {clean_line(head.workflow)} {head.version}")
    if head.execution > 1:
        text.append(f"  execution {head.execution}", style="dim")
    text.append(f"  {head.status}", style=STYLES.get(head.status, ""))
    if head.started_at is not None:
        text.append(f"  {lasted((head.ended_at or at) - head.started_at)}", style="dim")
    if head.custom_status is not None:
        shown = json.dumps(head.custom_status, ensure_ascii=False)
        text.append(f"  {clean_line(shown)}", style="italic")
    return text


def _row(row: Row, at: int) -> Text:
    sign, style = SIGNS[row.state]
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{sign} ", style=style)
    text.append(clean_line(row.label), style="bold" if row.state in OPEN else "")
    if row.about:
        text.append(f"  {clean_line(row.about)}", style="dim")
    if row.state not in ("completed", "ended"):
        text.append(f"  {row.state}", style=style)
    if row.due_at is not None:
        text.append(f"  {ago(row.due_at, at)}", style="dim")
    if row.attempt > 1:
        text.append(f"  attempt {row.attempt}", style="yellow")
    if row.started_at and (row.ended_at is None or row.ended_at > row.started_at):
        text.append(f"  {lasted((row.ended_at or at) - row.started_at)}", style="dim")
    if row.error:
        text.append(f"\n  {clean_line(row.error)}", style="red")
    return text
