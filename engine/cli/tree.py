"""What an instance does, as a tree of steps: the events of `client.events()` folded to rows.

A pure fold: it reads no clock and prints nothing; `tree_view` draws it, `progress` tells it in
lines. Only steps that left something in the history can be seen; a step that holds others is known
by their paths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from engine.values.instant import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

State = Literal["running", "waiting", "retrying", "completed", "failed", "cancelled", "ended"]

# States in which a step is not over.
OPEN: Final = ("running", "waiting", "retrying")
# So many finished iterations in a row are shown as one row when there is little room.
_FEW: Final = 2


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One step. Times are microseconds UTC; `due_at` is when what it waits for comes.

    `error` is the last error of the step, also of one that is tried again. A block is `ended` when
    nothing in it is open.
    """

    path: str
    depth: int
    label: str
    about: str = ""
    state: State = "running"
    attempt: int = 1
    started_at: int = 0
    ended_at: int | None = None
    due_at: int | None = None
    error: str | None = None


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The instance above its steps."""

    instance_id: str = ""
    workflow: str = ""
    version: str = ""
    execution: int = 1
    status: str = "pending"
    custom_status: Any = None
    started_at: int | None = None
    ended_at: int | None = None
    error: Any = None


class _Step:
    """A step while it is folded."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.about = ""
        self.state: State | None = None  # None: known only by the steps inside it
        self.attempt = 1
        self.started_at = 0
        self.ended_at: int | None = None
        self.due_at: int | None = None
        self.error: str | None = None
        self.inner: dict[str, _Step] = {}

    @property
    def open(self) -> bool:
        waits = self.state in OPEN or self.due_at is not None
        return waits or any(step.open for step in self.inner.values())

    def ends(self, state: State, at: int) -> None:
        self.state, self.ended_at, self.due_at = state, at, None


class Tree:
    """The fold. `add` takes events in order; `head` and `rows` are what came of them."""

    def __init__(self) -> None:
        self.head = Head()
        self._root = _Step("")
        self._refs: dict[int, tuple[str, _Step]] = {}  # seq of a decision -> kind and step

    def add(self, event: Mapping[str, Any]) -> None:
        """Take the next event."""
        take = _TAKE.get(event["kind"])
        if take is not None:
            take(self, event, parse_instant(event["at"]))

    def rows(self, most: int | None = None) -> list[Row]:
        """The steps from top to bottom, at most so many: finished ones give way first."""
        rows = list(self._rows(self._root, 0, fold=False))
        if most is None or len(rows) <= most:
            return rows
        rows = list(self._rows(self._root, 0, fold=True))
        if len(rows) <= most:
            return rows
        hidden = len(rows) - most + 1
        return [Row(path="…", depth=0, label=f"… {hidden} more", state="ended"), *rows[hidden:]]

    def step(self, path: str) -> _Step:
        """The step of a path, with the blocks around it; an iteration stands inside its loop."""
        step = self._root
        known = ""
        for part in path.split("/") if path else ():
            before = f"{known}/" if known else ""
            known = f"{before}{part}"
            for inner in dict.fromkeys((f"{before}{part.partition('[')[0]}", known)):
                step = step.inner.setdefault(inner, _Step(inner))
        return step

    def opens(self, event: Mapping[str, Any], at: int, about: str, state: State) -> _Step:
        """A decision whose answer will come."""
        step = self.step(event["path"])
        if step.state is None or step.state not in OPEN:
            step.started_at, step.ended_at = at, None
        step.about, step.state, step.due_at = about, state, None
        self._refs[event["seq"]] = (event["kind"], step)
        return step

    def refers(self, event: Mapping[str, Any]) -> tuple[str, _Step] | tuple[None, None]:
        """What the event answers."""
        return self._refs.pop(event["ref"], (None, None))

    def remember(self, seq: int, what: str, step: _Step) -> None:
        """Note what a later event may refer to."""
        self._refs[seq] = (what, step)

    def begins(self, head: Head) -> None:
        """An execution begins: nothing of the one before is open."""
        self.head = head
        self._root = _Step("")
        self._refs = {}

    def ends(self, status: str, at: int, error: Any = None) -> None:
        """The execution is over, and with it all that was open."""
        self.head = msgspec.structs.replace(self.head, status=status, ended_at=at, error=error)
        for _, step in self._refs.values():
            step.due_at = None
            if step.state in OPEN:
                step.ends("cancelled", at)
        self._refs = {}

    def _rows(self, step: _Step, depth: int, *, fold: bool) -> Iterable[Row]:
        run: list[_Step] = []  # finished iterations of one loop, in a row
        for inner in step.inner.values():
            if fold and "[" in _label(inner.path) and not inner.open:
                run.append(inner)
                continue
            yield from self._folded(run, depth)
            run = []
            yield self._row(inner, depth)
            yield from self._rows(inner, depth + 1, fold=fold)
        yield from self._folded(run, depth)

    def _folded(self, run: list[_Step], depth: int) -> Iterable[Row]:
        if len(run) <= _FEW:
            for step in run:
                yield self._row(step, depth)
                yield from self._rows(step, depth + 1, fold=True)
            return
        first, last = _label(run[0].path), _label(run[-1].path)
        yield Row(
            path=run[0].path,
            depth=depth,
            label=f"{first} … {last}",
            about=f"{len(run)} iterations",
            state="ended",
            started_at=_began(run[0]),
            ended_at=max(_over(step) for step in run),
        )

    def _row(self, step: _Step, depth: int) -> Row:
        inside: State = "waiting" if step.due_at is not None else "running"
        state: State = step.state or (inside if step.open else "ended")
        ended = step.ended_at
        if step.state is None and not step.open:
            ended = _over(step)
        return Row(
            path=step.path,
            depth=depth,
            label=_label(step.path),
            about=step.about,
            state=state,
            attempt=step.attempt,
            started_at=_began(step),
            ended_at=ended,
            due_at=step.due_at,
            error=step.error,
        )


def tree_of(events: Iterable[Mapping[str, Any]]) -> Tree:
    """The tree that these events make."""
    tree = Tree()
    for event in events:
        tree.add(event)
    return tree


def error_line(error: Mapping[str, Any] | None) -> str:
    """`type: message`, the first line of it."""
    if not error:
        return ""
    message = str(error.get("message", "")).strip().partition("\n")[0]
    return f"{error.get('type')}: {message}" if message else str(error.get("type"))


def _label(path: str) -> str:
    return path.rpartition("/")[2]


def _began(step: _Step) -> int:
    if step.state is not None:
        return step.started_at
    return min((_began(inner) for inner in step.inner.values()), default=0)


def _over(step: _Step) -> int:
    own = step.ended_at or 0
    return max((own, *(_over(inner) for inner in step.inner.values())))


# -- what each kind of event does ------------------------------------------------------------------


def _started(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    tree.begins(
        Head(
            instance_id=event["instance_id"],
            workflow=event["workflow"],
            version=event["version"],
            execution=event["execution"],
            status="running",
            custom_status=event.get("custom_status"),
            started_at=at,
        )
    )


def _activity(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    step = tree.opens(event, at, event["activity"], "running")
    step.attempt = event.get("attempt", 1)


def _child(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    word = "start" if event.get("detached") else "workflow"
    step = tree.opens(event, at, f"{word} {event['workflow']} as {event['instance_id']}", "running")
    step.attempt = event.get("attempt", 1)
    if event.get("detached"):
        tree.remember(event["seq"], "detached", step)


def _child_started(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    what, step = tree.refers(event)
    if step is None:
        return
    if what == "detached":
        step.ends("completed", at)
    else:
        tree.remember(event["ref"], "child_scheduled", step)


def _timer(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    purpose = event.get("purpose", "sleep")
    step = tree.step(event["path"])
    if purpose == "sleep":
        step = tree.opens(event, at, "sleep", "waiting")
    elif purpose == "retry":
        step.state, step.ended_at = "retrying", None
    if purpose != "timeout":
        step.due_at = event["due_at"]
    tree.remember(event["seq"], purpose, step)


def _timer_fired(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    what, step = tree.refers(event)
    if step is not None and what == "sleep":
        step.ends("completed", at)
    elif step is not None and what != "timeout":
        step.due_at = None


def _timer_cancelled(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    what, step = tree.refers(event)
    if step is not None and what in ("sleep", "retry"):
        step.ends("cancelled", at)
    elif step is not None and what == "every":
        step.due_at = None


def _wait(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    tree.opens(event, at, f"signal {event['name']}", "waiting")


def _signal_taken(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    step = tree.step(event["path"])
    if step.state not in OPEN:
        step.started_at = at
    step.about = f"signal {event['name']}"
    step.ends("completed", at)


def _sent(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    tree.opens(event, at, f"signal {event['name']} to {event['to']}", "running")


def _logged(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    step = tree.step(event["path"])
    step.about, step.started_at = event["text"], at
    step.ends("completed", at)


def _status(tree: Tree, event: Mapping[str, Any], at: int) -> None:
    tree.head = msgspec.structs.replace(tree.head, custom_status=event.get("value"))


def _answer(state: State) -> Callable[[Tree, Mapping[str, Any], int], None]:
    def take(tree: Tree, event: Mapping[str, Any], at: int) -> None:
        _, step = tree.refers(event)
        if step is not None:
            step.ends(state, at)
            step.error = error_line(event["error"]) if "error" in event else None

    return take


def _ending(status: str) -> Callable[[Tree, Mapping[str, Any], int], None]:
    def take(tree: Tree, event: Mapping[str, Any], at: int) -> None:
        error = event.get("error")
        if error is None and event.get("reason") is not None:
            error = {"type": f"sys.{status}", "message": event["reason"]}
        tree.ends(status, at, error)

    return take


_TAKE: Final[dict[str, Callable[[Tree, Mapping[str, Any], int], None]]] = {
    "started": _started,
    "activity_scheduled": _activity,
    "activity_completed": _answer("completed"),
    "activity_failed": _answer("failed"),
    "activity_cancelled": _answer("cancelled"),
    "timer_created": _timer,
    "timer_fired": _timer_fired,
    "timer_cancelled": _timer_cancelled,
    "child_scheduled": _child,
    "child_started": _child_started,
    "child_completed": _answer("completed"),
    "child_failed": _answer("failed"),
    "child_cancelled": _answer("cancelled"),
    "signal_sent": _sent,
    "signal_delivered": _answer("completed"),
    "signal_refused": _answer("failed"),
    "wait_opened": _wait,
    "signal_taken": _signal_taken,
    "wait_closed": _answer("cancelled"),
    "status_set": _status,
    "logged": _logged,
    "completed": _ending("completed"),
    "failed": _ending("failed"),
    "cancelled": _ending("cancelled"),
    "terminated": _ending("terminated"),
    "aborted": _ending("failed"),
    "continued_as_new": _ending("continued"),
}
