"""What the client hands out."""

from __future__ import annotations

import msgspec

from engine.values.json import Json, JsonObject


class InstanceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An instance as people and programs see it; times are RFC 3339 text in UTC.

    `error` is the error tree (type, message, retryable, step, attempt, details, cause).
    `waiting_for` lists what is open: {kind, step, …}. `list` leaves `input` and `waiting_for` out.
    `upgrade_blocked` is why the execution did not go on with the version that the policy, or the
    step, would have given it. `awaits_version` has to be deployed before the instance goes on.
    """

    instance_id: str
    workflow: str
    version: str
    revision: str
    semantics: int
    execution: int
    status: str
    input: Json = None
    output: Json = None
    error: JsonObject | None = None
    custom_status: Json = None
    parent: str | None = None
    waiting_for: list[JsonObject] | None = None
    suspended_reason: str | None = None
    upgrade_blocked: str | None = None
    awaits_version: str | None = None
    created_at: str
    updated_at: str
    finished_at: str | None = None


class StartRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One start of `start_many`; as the arguments of `Client.start`."""

    workflow: str
    input: Json = None
    id: str | None = None
    version: str | None = None


class Ending(msgspec.Struct, frozen=True):
    """How an instance ended; `output` and `error` are JSON bytes."""

    status: str
    output: bytes | None
    error: bytes | None
