"""The form of a scenario: what to deploy, what to do, what must come of it.

A file `cases/<group>.yaml` is a list of cases. Unknown keys are refused, so a typo cannot make an
expectation vanish. Workflows are bodies: the runner writes `dsl`, `name` and `version` above them.

    workflows   {"name": body} are deployed when the engine opens, {"name@2.0.0": body} by `deploy`
    start       one start, done first; `workflow` is `main` and `id` is `main` unless said
    do          actions in order; `after` delays one until the history or the stage has got so far
    expect      about the instance `main`; `instances` about others; `calls` about the activities

Durations are milliseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

CASES = Path(__file__).parent / "cases"


class Part(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of everything in a case."""


class Start(Part, frozen=True, kw_only=True):
    """Start an instance."""

    workflow: str = "main"
    id: str = "main"
    input: Any = None
    version: str | None = None
    on_duplicate: str | None = None


class Signal(Part, frozen=True, kw_only=True):
    """Send a signal."""

    name: str
    payload: Any = msgspec.field(default=None, name="with")
    id: str = "main"


class Cancel(Part, frozen=True, kw_only=True):
    """Cancel or terminate an instance."""

    id: str = "main"
    reason: str | None = None


class Restart(Part, frozen=True, kw_only=True):
    """Close the engine, stay away for a while, open it again on the same store."""

    down_ms: int = 0


class After(Part, frozen=True, kw_only=True):
    """What must have happened before the action: an event, a call, or the end of an instance."""

    event: str | None = None
    count: int = 1
    id: str = "main"
    called: str | None = None
    ended: str | None = None


class Action(Part, frozen=True, kw_only=True):
    """One thing a caller does. At most one of the verbs is set."""

    after: After | None = None
    start: Start | None = None
    signal: Signal | None = None
    cancel: Cancel | None = None
    terminate: Cancel | None = None
    restart: Restart | None = None
    deploy: str | None = None
    ensure: Start | None = None
    open: str | None = None
    raises: str | dict[str, dict[str, Any]] | None = None


class Span(Part, frozen=True, kw_only=True):
    """Bounds of a time, in milliseconds."""

    at_least: float = 0
    at_most: float = 10_000


class Outcome(Part, frozen=True, kw_only=True):
    """What is known of one instance afterwards.

    `history` is an ordered part of the events of all executions; `delays` are those of the timers.
    An event is written `kind` or `kind detail`, the detail being its path, name, activity or text.
    """

    status: str = "completed"
    output: Any = msgspec.UNSET
    error: dict[str, Any] | None = None
    reason: str | None = None
    version: str | None = None
    executions: int | None = None
    history: list[str] = []
    counts: dict[str, int] = {}
    absent: list[str] = []
    statuses: list[Any] | None = None
    logs: list[str] | None = None
    delays: list[int] | None = None
    elapsed: Span | None = None


class Expect(Outcome, frozen=True, kw_only=True):
    """What is known afterwards of the instance `main`, of others, and of the activities."""

    instances: dict[str, Outcome | None] = {}
    calls: list[str] | None = None
    calls_in_any_order: list[str] | None = None
    stopped: list[str] | None = None


class Case(Part, frozen=True, kw_only=True):
    """One scenario. `main: false` when there is no instance `main`."""

    case: str | int
    title: str
    workflows: dict[str, str]
    start: Start | None = None
    do: list[Action] = []
    expect: Expect = Expect()
    main: bool = True
    queues: tuple[str, ...] = ("default",)

    def __str__(self) -> str:
        return f"{self.case}-{self.title.replace(' ', '_')}"


def load_group(path: Path) -> list[Case]:
    """All cases of one file."""
    return msgspec.convert(YAML(typ="safe", pure=True).load(path), list[Case])


def load_all() -> dict[str, Case]:
    """Every case by `<group>-<case>-<title>`."""
    return {
        f"{path.stem}-{case}": case
        for path in sorted(CASES.glob("*.yaml"))
        for case in load_group(path)
    }


def with_header(key: str, body: str) -> tuple[str, str, str]:
    """Name, version and the whole file of a workflow written as `name[@version]: body`."""
    name, _, version = key.partition("@")
    version = version or "1.0.0"
    return name, version, f'dsl: 1\nname: {name}\nversion: "{version}"\n{body}'
