"""The step graph: what a workflow file means, and nothing else.

Rule 1: everything here is frozen; a graph never changes after `compile`.
Rule 2: the graph holds only what a running instance could notice, fully resolved: defaults are
merged into each step, named retry policies are inlined, `$ref`s are expanded. Titles, descriptions,
tags and the version are not in it, so they do not change the revision.
Rule 3: a VALUE stays YAML data (JSON) whose strings may hold `${{ … }}`; a COND is the source of
its one expression, without the delimiters. They are compiled when a program is loaded.

Durations are microseconds. Every step has an id: its own, or `<kind>`, `<kind>_2`, … among the
children of the step around it (see `outline`). Mappings are in the order of their keys.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from engine.values.json import Json, JsonObject
from engine.values.retry import RetryPolicy

Condition: TypeAlias = str
Value: TypeAlias = Json


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every frozen part of a graph that is not a step."""


class StepBase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What every step has."""

    id: str
    when: Condition | None = None
    output: Value | UnsetType = UNSET


class Clause(Record, frozen=True):
    """One `catch` clause. Empty `on` catches everything that may be caught."""

    steps: tuple[Step, ...]
    on: tuple[str, ...] = ()
    when: Condition | None = None


class Branch(Record, frozen=True):
    """One branch of `parallel` or `race`."""

    name: str
    steps: tuple[Step, ...]
    output: Value | UnsetType = UNSET
    vars: JsonObject = {}


class Case(Record, frozen=True):
    """One case of `switch`; `when` is None for `else`."""

    steps: tuple[Step, ...]
    when: Condition | None = None


class ActivityStep(StepBase, tag="activity", frozen=True):
    """Call a registered Python function."""

    activity: str
    args: Value = {}  # the `with` mapping
    retry: RetryPolicy | None = None
    timeout: int | None = None  # all attempts and waits
    queue: str = "default"
    heartbeat: int | None = None
    compensate: tuple[Step, ...] = ()
    continue_on_error: bool = False


class WorkflowStep(StepBase, tag="workflow", frozen=True):
    """Run a child and wait for it."""

    workflow: str
    range: str | None = None
    args: Value = {}
    instance_id: Value | None = None
    retry: RetryPolicy | None = None
    timeout: int | None = None
    compensate: tuple[Step, ...] = ()
    continue_on_error: bool = False


class StartStep(StepBase, tag="start", frozen=True):
    """Start a detached instance; succeeds once it exists."""

    workflow: str
    range: str | None = None
    args: Value = {}
    instance_id: Value | None = None


class SetStep(StepBase, tag="set", frozen=True):
    """Assign declared variables. All values are rendered before any is assigned."""

    assignments: JsonObject


class DoStep(StepBase, tag="do", frozen=True):
    """A block with its own variables."""

    steps: tuple[Step, ...]
    vars: JsonObject = {}
    timeout: int | None = None
    retry: RetryPolicy | None = None
    continue_on_error: bool = False


class IfStep(StepBase, tag="if", frozen=True):
    """`if / then / else`."""

    condition: Condition
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...] = ()


class SwitchStep(StepBase, tag="switch", frozen=True):
    """The first case whose condition holds."""

    cases: tuple[Case, ...]


class ForeachStep(StepBase, tag="foreach", frozen=True):
    """Run a body per item. At most one of `max_failures`, `max_failures_percent` is set."""

    items: Value
    steps: tuple[Step, ...]
    name: str = "item"  # `as`
    concurrency: int = 1
    batch: int | None = None
    max_failures: int = 0
    max_failures_percent: float | None = None
    vars: JsonObject = {}


class LoopStep(StepBase, tag="loop", frozen=True):
    """`while` (negated false: tested before the body) and `until` (tested after it)."""

    mode: Literal["while", "until"]
    condition: Condition
    steps: tuple[Step, ...]
    max_iterations: int
    every: int | None = None
    vars: JsonObject = {}


class ParallelStep(StepBase, tag="parallel", frozen=True):
    """Run branches side by side. `join` None means all."""

    branches: tuple[Branch, ...]
    join: int | None = None
    on_error: Literal["fail_fast", "wait_all"] = "fail_fast"


class RaceStep(StepBase, tag="race", frozen=True):
    """The first branch to end wins, error or not."""

    branches: tuple[Branch, ...]


class TryStep(StepBase, tag="try", frozen=True):
    """`try` and, with `saga` set, the block whose compensations run when it is left by error."""

    steps: tuple[Step, ...]
    saga: bool = False
    catch: tuple[Clause, ...] = ()
    finally_: tuple[Step, ...] = ()
    timeout: int | None = None


class SleepStep(StepBase, tag="sleep", frozen=True):
    """Wait for a time. Exactly one of the two is set; each may be an expression.

    `duration` yields duration text or a number of seconds; `until` an RFC 3339 instant.
    """

    duration: Value | None = None
    until: Value | None = None


class WaitStep(StepBase, tag="wait", frozen=True):
    """Take the oldest signal of that name which `where` accepts. `timeout` as in sleep."""

    signal: str
    where: Condition | None = None
    timeout: Value | None = None
    default: Value | UnsetType = UNSET


class SignalStep(StepBase, tag="signal", frozen=True):
    """Send a signal to another instance; succeeds once it is in its mailbox."""

    signal: str
    to: Value
    args: Value = None


class RaiseStep(StepBase, tag="raise", frozen=True):
    """Raise an error: either `error` (one expression, re-raised) or the fields."""

    error: Condition | None = None
    type: str | None = None
    message: Value = ""
    details: Value = None
    retryable: bool = False


class ReturnStep(StepBase, tag="return", frozen=True):
    """End the workflow with this output."""

    value: Value = None


class ContinueAsNewStep(StepBase, tag="continue_as_new", frozen=True):
    """End this execution, begin the next. `version`: policy, pinned, a range or exact."""

    input: Value = None
    version: str = "policy"


class LogStep(StepBase, tag="log", frozen=True):
    """One log line, never repeated by replay."""

    text: Value
    level: Literal["debug", "info", "warning", "error"] = "info"
    fields: JsonObject = {}


class StatusStep(StepBase, tag="status", frozen=True):
    """Set the custom status, shown live."""

    value: Value


Step: TypeAlias = (
    ActivityStep
    | WorkflowStep
    | StartStep
    | SetStep
    | DoStep
    | IfStep
    | SwitchStep
    | ForeachStep
    | LoopStep
    | ParallelStep
    | RaceStep
    | TryStep
    | SleepStep
    | WaitStep
    | SignalStep
    | RaiseStep
    | ReturnStep
    | ContinueAsNewStep
    | LogStep
    | StatusStep
)


class SignalDeclaration(Record, frozen=True):
    """A signal the workflow may await; `payload_schema` None accepts anything."""

    payload_schema: JsonObject | bool | None = None


class StepGraph(Record, frozen=True):
    """The compiled, immutable form of one workflow definition."""

    dsl: int
    name: str
    steps: tuple[Step, ...]
    input_schema: JsonObject | bool | None = None
    output_schema: JsonObject | bool | None = None
    output: Value | UnsetType = UNSET
    vars: JsonObject = {}
    signals: dict[str, SignalDeclaration] = {}
    timeout: int | None = None
    catch: tuple[Clause, ...] = ()
    finally_: tuple[Step, ...] = ()
    accepts_state_from: str | None = None
