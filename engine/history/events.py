"""Events: what a history is made of.

A history is the one ordered list of an execution's *facts* (came from outside and were recorded)
and *decisions* (what the graph decided on hearing a fact). `seq` counts from 1 without gaps and is
the event's position, so it is not repeated inside the event.

Rule 1: kinds are append-only; a field is never renamed or given another meaning.
Rule 2: only facts carry a time. A decision happens at the time of the fact before it.
Rule 3: `ref` is the seq of the decision that a later event belongs to.
Rule 4: a field at its default is left out, and msgspec compares texts by identity: a text that has
a default (`queue`, `purpose`, `level`, `version`) comes from a literal or is interned.

Times are microseconds since 1970 UTC, durations are microseconds.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from engine.values.json import Json, JsonObject
from engine.values.retry import RetryPolicy


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as workflows see it (LANGUAGE.md section 5)."""

    type: str
    message: str
    retryable: bool = False
    step: str | None = None
    attempt: int | None = None
    details: Json = None
    cause: Failure | None = None


class Parent(msgspec.Struct, frozen=True, kw_only=True):
    """Who waits for this instance: `ref` is the seq of its `child_scheduled`."""

    instance_id: str
    execution: int
    ref: int


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """Base of all events."""


class FactBase(Event, frozen=True):
    """Something that came from outside; `at` is when the runtime took it up."""

    at: int


class Mail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A signal that waits in the mailbox; carried over by continue_as_new."""

    name: str
    payload: Json = None


class Started(FactBase, tag="started", frozen=True):
    """First event of every execution. Pins everything that must not change under it."""

    instance_id: str
    execution: int
    workflow: str
    version: str
    revision: str
    semantics: int
    input: Json = None
    config: JsonObject = {}
    parent: Parent | None = None
    mailbox: tuple[Mail, ...] = ()
    custom_status: Json = None
    resolution: str | None = None  # why this version: "latest", "exact 1.2.0", "range ^1" …


class ActivityCompleted(FactBase, tag="activity_completed", frozen=True):
    """The activity returned."""

    ref: int
    result: Json = None


class ActivityFailed(FactBase, tag="activity_failed", frozen=True):
    """An attempt raised, timed out or was refused.

    `policy` is the activity's own retry policy, for a step that names none; `heartbeat` the last
    details the attempt reported, for the next one to go on from.
    """

    ref: int
    error: Failure
    policy: RetryPolicy | None = None
    heartbeat: Json = None


class TimerFired(FactBase, tag="timer_fired", frozen=True):
    """A durable timer became due."""

    ref: int


class SignalReceived(FactBase, tag="signal_received", frozen=True):
    """A message from outside entered the mailbox."""

    name: str
    payload: Json = None


class ChildStarted(FactBase, tag="child_started", frozen=True):
    """The child or detached instance exists, pinned to this version."""

    ref: int
    instance_id: str
    version: str
    revision: str


class ChildCompleted(FactBase, tag="child_completed", frozen=True):
    """The child ended well."""

    ref: int
    output: Json = None


class ChildFailed(FactBase, tag="child_failed", frozen=True):
    """The child failed, was cancelled or terminated, or could not be started."""

    ref: int
    error: Failure


class SignalDelivered(FactBase, tag="signal_delivered", frozen=True):
    """The signal this instance sent is in the other's mailbox."""

    ref: int


class SignalRefused(FactBase, tag="signal_refused", frozen=True):
    """The signal this instance sent was not taken."""

    ref: int
    error: Failure


class CancelRequested(FactBase, tag="cancel_requested", frozen=True):
    """Somebody asked the instance to stop; cleanup will run."""

    reason: str | None = None


class Terminated(FactBase, tag="terminated", frozen=True):
    """Somebody ended the instance; nothing more runs."""

    reason: str | None = None


class Aborted(FactBase, tag="aborted", frozen=True):
    """The engine ended the execution (a limit, for example); nothing more runs."""

    error: Failure


class Rebased(FactBase, tag="rebased", frozen=True):
    """The execution goes on with another revision, on which all events before it replay."""

    version: str
    revision: str


Fact: TypeAlias = (
    Started
    | ActivityCompleted
    | ActivityFailed
    | TimerFired
    | SignalReceived
    | ChildStarted
    | ChildCompleted
    | ChildFailed
    | SignalDelivered
    | SignalRefused
    | CancelRequested
    | Terminated
    | Aborted
    | Rebased
)


class ActivityScheduled(Event, tag="activity_scheduled", frozen=True):
    """Call an activity. `deadline` (absolute) bounds all attempts, `attempt_timeout` this one."""

    path: str
    activity: str
    input: Json = None
    queue: str = "default"
    attempt: int = 1
    attempt_timeout: int | None = None
    heartbeat: int | None = None
    deadline: int | None = None
    heartbeat_details: Json = None


class ActivityCancelled(Event, tag="activity_cancelled", frozen=True):
    """Tell the activity to stop; its result is no longer wanted."""

    ref: int


TimerPurpose: TypeAlias = Literal["sleep", "retry", "timeout", "every"]


class TimerCreated(Event, tag="timer_created", frozen=True):
    """Wake me at `due_at`."""

    path: str
    due_at: int
    purpose: TimerPurpose = "sleep"


class TimerCancelled(Event, tag="timer_cancelled", frozen=True):
    """The timer is no longer wanted."""

    ref: int


class ChildScheduled(Event, tag="child_scheduled", frozen=True):
    """Start a child (`detached` false) or a detached instance."""

    path: str
    workflow: str
    instance_id: str
    range: str | None = None
    input: Json = None
    attempt: int = 1
    detached: bool = False


class ChildCancelled(Event, tag="child_cancelled", frozen=True):
    """Ask the child to cancel; its outcome is no longer wanted."""

    ref: int
    instance_id: str
    reason: str | None = None


class SignalSent(Event, tag="signal_sent", frozen=True):
    """Put a signal into another instance's mailbox."""

    path: str
    to: str
    name: str
    payload: Json = None


class WaitOpened(Event, tag="wait_opened", frozen=True):
    """The step waits for a signal of that name."""

    path: str
    name: str


class SignalTaken(Event, tag="signal_taken", frozen=True):
    """A wait took this signal out of the mailbox. `signal`: how many of that name were taken."""

    path: str
    name: str
    ordinal: int


class WaitClosed(Event, tag="wait_closed", frozen=True):
    """The wait ended without a signal (deadline, lost race, cancel)."""

    ref: int


class StatusSet(Event, tag="status_set", frozen=True):
    """The custom status changed."""

    path: str
    value: Json = None


class Logged(Event, tag="logged", frozen=True):
    """One log line of the workflow."""

    path: str
    level: Literal["debug", "info", "warning", "error"]
    text: str
    fields: JsonObject = {}


class Completed(Event, tag="completed", frozen=True):
    """The execution ended well. Terminal."""

    output: Json = None


class Failed(Event, tag="failed", frozen=True):
    """The execution failed. Terminal."""

    error: Failure


class Cancelled(Event, tag="cancelled", frozen=True):
    """The execution was cancelled and cleaned up. Terminal."""

    reason: str | None = None
    error: Failure | None = None  # a failed undo or finally on the way out


class ContinuedAsNew(Event, tag="continued_as_new", frozen=True):
    """The execution ended; the next one begins with this input. Terminal for the execution."""

    input: Json = None
    version: str = "policy"


Decision: TypeAlias = (
    ActivityScheduled
    | ActivityCancelled
    | TimerCreated
    | TimerCancelled
    | ChildScheduled
    | ChildCancelled
    | SignalSent
    | WaitOpened
    | SignalTaken
    | WaitClosed
    | StatusSet
    | Logged
    | Completed
    | Failed
    | Cancelled
    | ContinuedAsNew
)

TERMINAL = (Completed, Failed, Cancelled, ContinuedAsNew)
FACTS: tuple[type[FactBase], ...] = (
    Started,
    ActivityCompleted,
    ActivityFailed,
    TimerFired,
    SignalReceived,
    ChildStarted,
    ChildCompleted,
    ChildFailed,
    SignalDelivered,
    SignalRefused,
    CancelRequested,
    Terminated,
    Aborted,
    Rebased,
)
