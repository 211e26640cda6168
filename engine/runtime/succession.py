"""Succession: which version the next execution of an instance runs on.

| asked | nothing fits | withdrawn | it refuses the state |
|---|---|---|---|
| `pinned` | | | |
| `policy` | stays, blocked | stays, blocked | stays, blocked |
| a range | the next execution fails, `sys.unknown_version` | | stays, blocked |
| one version | waits until it is deployed | stays, blocked | stays, blocked |

Rule 1: an instance never fails because of what an operator did: a policy, a yank, a newer contract.
Rule 2: whatever becomes of it, the reason is in the started event, and `blocked` in the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.client.starting import pin_of
from engine.errors import RegistryError, UnknownVersion
from engine.history import events as ev
from engine.registry.bindings import exact_version
from engine.values.version import VersionRange, parse_version

if TYPE_CHECKING:
    from engine.client.programs import Programs
    from engine.interpreter.program import Program
    from engine.registry.catalog import Resolved
    from engine.runtime.turn import Turn
    from engine.storage.records import Pin
    from engine.values.json import Json


class Awaited(msgspec.Struct, frozen=True):
    """The next execution cannot begin before this version is deployed."""

    version: str


class Next:
    """What the next execution runs on. `error`: why it fails as soon as it has begun."""

    __slots__ = ("blocked", "error", "input", "pin", "program", "reason")

    def __init__(
        self, pin: Pin, program: Program, input: Json, reason: str, *, blocked: str | None = None
    ) -> None:
        self.pin = pin
        self.program = program
        self.input = program.input_schema.fill(input)
        self.reason = reason if blocked is None else f"upgrade_blocked: {blocked}"
        self.blocked = blocked
        self.error: ev.Failure | None = None
        problem = program.input_schema.problem(self.input)
        if problem is not None:
            message = f"input refused at `{problem.path}`: {problem.message}"
            self.error = ev.Failure(type="sys.validation", message=message)


def next_version(turn: Turn, ended: ev.ContinuedAsNew) -> Next | Awaited:
    """The version of the next execution, or the one it waits for."""
    live = turn.live

    def stays(reason: str = "", *, blocked: str | None = None) -> Next:
        return Next(live.pin, live.program, ended.input, reason, blocked=blocked)

    if ended.version == "pinned":
        return stays("pinned")
    wanted = None if ended.version == "policy" else ended.version
    try:
        resolved, program = turn.programs.resolve(live.pin.workflow, wanted, instance_id=live.id)
    except UnknownVersion as error:
        if wanted is None:
            return stays(blocked=error.message)
        version = exact_version(wanted)
        if version is None:
            failed = stays(f"range {wanted}: {error.message}")
            failed.error = ev.Failure(type="sys.unknown_version", message=error.message)
            return failed
        if live.stops_waiting:
            return stays(f"told to end while it waited for version {version}")
        return Awaited(version)
    except RegistryError as error:
        return stays(blocked=error.message)
    refusal = _refusal(program, live.pin, resolved, ended.input)
    if refusal is not None:
        return stays(blocked=f"{resolved.version} {refusal}")
    return Next(pin_of(resolved), program, ended.input, resolved.reason)


def is_deployed(programs: Programs, workflow: str, version: str) -> bool:
    """Whether an instance need not wait for a version any more."""
    try:
        programs.catalog.resolve(workflow, version)
    except UnknownVersion:
        return False
    except RegistryError:
        return True  # withdrawn at once: that is an answer too
    return True


def _refusal(program: Program, before: Pin, resolved: Resolved, value: Json) -> str | None:
    """Why a version does not take over the state of another one, or None."""
    accepted = program.graph.accepts_state_from
    moves = resolved.revision != before.revision
    from_here = parse_version(before.version)
    if moves and accepted is not None and not VersionRange.parse(accepted).matches(from_here):
        return f"accepts state from {accepted}, not from {before.version}"
    problem = program.input_schema.problem(program.input_schema.fill(value)) if moves else None
    if problem is None:
        return None
    return f"refuses the input at `{problem.path}`: {problem.message}"
