"""Reading: rows and pages of the store as what people see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine.client.models import InstanceInfo
from engine.history.codec import decode_page, encode_event
from engine.values.instant import format_instant

if TYPE_CHECKING:
    from engine.storage.records import InstanceRecord, Page
    from engine.values.json import JsonObject

decode_json = msgspec.json.Decoder().decode


def info_of(record: InstanceRecord, **more: Any) -> InstanceInfo:
    """An instance row as `InstanceInfo`."""

    def json(data: bytes | None) -> Any:
        return decode_json(data) if data is not None else None

    return InstanceInfo(
        instance_id=record.instance_id,
        workflow=record.pin.workflow,
        version=record.pin.version,
        revision=record.pin.revision,
        semantics=record.pin.semantics,
        execution=record.execution,
        status=record.status,
        output=json(record.output),
        error=json(record.error),
        custom_status=json(record.custom_status),
        parent=record.parent_id,
        suspended_reason=record.suspended_reason,
        upgrade_blocked=record.upgrade_blocked,
        awaits_version=record.awaits_version,
        created_at=format_instant(record.created_at),
        updated_at=format_instant(record.updated_at),
        finished_at=format_instant(record.finished_at) if record.finished_at is not None else None,
        **more,
    )


def awaited_version(workflow: str, version: str) -> JsonObject:
    """How an instance waits for a version, as an entry of `waiting_for`."""
    return {"kind": "version", "step": "continue_as_new", "workflow": workflow, "version": version}


def events_of(page: Page, at: int) -> tuple[int, list[JsonObject]]:
    """The events of a page as {seq, execution, at, kind, …}, and the time of its last fact.

    `at` is the time of the last fact before the page; a decision has that of its fact.
    """
    events: list[JsonObject] = []
    for offset, event in enumerate(decode_page(page.payload)):
        data: Any = decode_json(encode_event(event))
        at = data.pop("at", at)
        head: JsonObject = {
            "seq": page.first_seq + offset,
            "execution": page.execution,
            "at": format_instant(at),
            "kind": data.pop("kind"),
        }
        events.append({**head, **data})
    return at, events
