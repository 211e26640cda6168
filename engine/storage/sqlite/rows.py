"""Rows of the tables as records."""

from __future__ import annotations

from typing import Any

from engine.storage.records import (
    Deployment,
    ExecutionRecord,
    InstanceRecord,
    Page,
    Pin,
    StoredMessage,
)

Row = tuple[Any, ...]


def instance_record(row: Row) -> InstanceRecord:
    """A row of `instance_records`."""
    return InstanceRecord(
        instance_id=row[1],
        pin=Pin(row[2], row[3], row[4], row[5]),
        execution=row[6],
        status=row[7],
        last_seq=row[8],
        epoch=row[9],
        owner=row[10],
        attempts=row[11],
        open_activities=row[12],
        open_waits=row[13],
        created_at=row[14],
        updated_at=row[15],
        finished_at=row[16],
        parent_id=row[17],
        custom_status=row[18],
        output=row[19],
        error=row[20],
        suspended_reason=row[21],
        upgrade_blocked=row[22],
        awaits_version=row[23],
    )


def execution_record(row: Row) -> ExecutionRecord:
    """A row of the query `executions`."""
    return ExecutionRecord(
        execution=row[0],
        pin=Pin(row[1], row[2], row[3], row[4]),
        status=row[5],
        last_seq=row[6],
        started_at=row[7],
        finished_at=row[8],
    )


def message(row: Row) -> StoredMessage:
    """A row of the queries of messages."""
    return StoredMessage(*row)


def page(row: Row) -> Page:
    """A row of the query `pages`."""
    return Page(*row)


def deployment(row: Row) -> Deployment:
    """A row of the queries of deployments."""
    return Deployment(
        name=row[0],
        version=row[1],
        revision=row[2],
        source=row[3],
        source_digest=row[4],
        deployed_at=row[5],
        actor=row[6],
        commit=row[7],
        state=row[8],
        state_reason=row[9],
    )
