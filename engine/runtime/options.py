"""Limits and sizes of a node. Each limit has a name, a default and a typed error."""

from __future__ import annotations

import msgspec

from engine.values.json import JsonObject

MIB = 1024 * 1024
SECOND = 1_000_000


class NodeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are bytes, durations microseconds."""

    queues: tuple[str, ...] = ("default",)
    activity_slots: int = 1_000
    threads: int = 32
    processes: int = 2
    memory_limit: int | None = None  # of an activity subprocess
    payload_limit: int = MIB
    history_limit: int = 50_000  # events of one execution
    history_warning: int = 10_000
    signal_backlog: int = 10_000
    cache_bytes: int = 256 * MIB
    snapshot_every: int = 500  # events
    group_limit: int = 512  # turns in one commit
    claim_limit: int = 500
    poison_attempts: int = 5
    shutdown_grace: int = 10 * SECOND
    foreign_poll: int = 20_000  # how often another process's writes are looked for
    stranded_check: int = 30 * SECOND
    semantics: tuple[int, ...] | None = None  # levels to claim; None: those this build supports
    config: JsonObject = {}
