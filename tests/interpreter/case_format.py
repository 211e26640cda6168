"""The form of a case: a workflow, what it is told, and what must come of it.

A file `cases/<group>.yaml` is a list of cases; unknown keys are refused, so a typo cannot make an
expectation vanish. `workflow` is a body: `dsl`, `name` and `version` are written above it.

    begins   the decisions of the first fact, `started`
    facts    what is told then, one by one; each may say what must follow in `then`
    expect   how it stands or ended after the last fact

A fact is one verb with the step it answers; only that key, `at` and `then` stand beside it:

    completed: a | {step: a, result: …}         failed: {step: a, type: …, message: …, retryable: …}
    child_completed, child_failed               as above; the child's error becomes the cause
    child_started: a                            delivered: a            refused: {step: a, type: …}
    fired: a | {step: a, purpose: timeout}      the clock moves to the timer when it is behind it
    signal: name | {name: …, payload: …}        cancel: reason          terminate: reason
    rebased: {version: …, revision: …}
    all_completed: {…}                          every open activity, oldest first, with its `v`
    late: {completed: a}                        an answer that must not be accepted any more
    at: +5s                                     moves the clock; alone or before a verb

Decisions are written as lines, see `told`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

CASES = Path(__file__).parent / "cases"


class Part(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of everything in a case."""


class Told(Part):
    """One fact. At most one verb is set; `at` alone only moves the clock."""

    at: str | None = None
    then: list[str] | None = None
    completed: Any = None
    failed: Any = None
    fired: Any = None
    child_started: Any = None
    child_completed: Any = None
    child_failed: Any = None
    delivered: Any = None
    refused: Any = None
    signal: Any = None
    cancel: Any = msgspec.UNSET
    terminate: Any = msgspec.UNSET
    aborted: Any = None
    rebased: Any = None
    all_completed: Any = None
    late: Any = None

    def verb(self) -> tuple[str, Any] | None:
        """The verb and its operand."""
        names = (name for name in self.__struct_fields__ if name not in ("at", "then"))
        given = [(name, getattr(self, name)) for name in names]
        set_ = [(name, it) for name, it in given if it is not None and it is not msgspec.UNSET]
        if not set_ and None in (self.cancel, self.terminate):
            return ("cancel" if self.cancel is None else "terminate"), None
        assert len(set_) <= 1, set_
        return set_[0] if set_ else None


class Expect(Part):
    """Exactly one of the first six: how it ended, or what it waits for (`running`)."""

    completed: Any = msgspec.UNSET
    failed: dict[str, Any] | None = None
    cancelled: Any = msgspec.UNSET
    terminated: Any = msgspec.UNSET
    continued: Any = msgspec.UNSET
    running: list[str] | None = None
    error: dict[str, Any] | None = None  # of a cancelled one
    version: str | None = None  # of a continued one
    vars: dict[str, Any] | None = None
    steps: dict[str, Any] | None = None
    mailbox: dict[str, list[Any]] | None = None
    status: Any = msgspec.UNSET
    logs: list[str] | None = None
    inputs: dict[str, Any] | None = None  # of activities and children, by step path
    calls: list[str] | None = None  # step paths of activities in order, `#2` for attempts


class Case(Part):
    """One case."""

    case: str
    workflow: str
    expect: Expect
    input: Any = None
    started: dict[str, Any] = {}
    begins: list[str] | None = None
    facts: list[Told] = []


def load_all() -> dict[str, Case]:
    """Every case by `<group>: <title>`."""
    found: dict[str, Case] = {}
    for path in sorted(CASES.glob("*.yaml")):
        for case in msgspec.convert(YAML(typ="safe", pure=True).load(path), list[Case]):
            name = f"{path.stem}: {case.case}"
            assert name not in found, name
            found[name] = case
    return found
