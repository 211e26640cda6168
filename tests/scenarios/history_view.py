"""Histories as the cases read them: plain events in order, each with words to find it by."""

from __future__ import annotations

from typing import Any

import msgspec

from engine import Client
from engine.history.codec import encode_event, encode_page
from engine.history.events import TERMINAL, Decision, Event, Fact, Terminated
from engine.values.instant import parse_instant

WORDS = ("path", "activity", "workflow", "instance_id", "name", "text", "purpose", "label")
ENDS = (*TERMINAL, Terminated)


def kind_of(event: Event) -> str:
    """The kind as it is written in a history."""
    return str(type(event).__struct_config__.tag)


def words_of(event: Event) -> set[str]:
    """What an event may be called beside its kind."""
    found = {str(getattr(event, field)) for field in WORDS if getattr(event, field, None)}
    given = getattr(event, "input", None)
    if isinstance(given, dict) and "label" in given:
        found.add(str(given["label"]))
    return found


def fits(event: Event, pattern: str) -> bool:
    """Whether the event is what `kind` or `kind detail` says."""
    kind, _, detail = pattern.partition(" ")
    return kind_of(event) == kind and (not detail or detail in words_of(event))


async def history_of(client: Client, instance_id: str, execution: int) -> list[Event]:
    """The events of one execution, which must be numbered from 1 without a gap."""
    entries = await client.history(instance_id, execution)
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    return [event_of(entry) for entry in entries]


def event_of(entry: dict[str, Any]) -> Event:
    """The event of an entry that the client gave."""
    event: Event = msgspec.convert({**entry, "at": parse_instant(entry["at"])}, Fact | Decision)
    return event


def page_of(events: list[Event]) -> bytes:
    """The events as the store keeps them."""
    return encode_page([encode_event(event) for event in events])
