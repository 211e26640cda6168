"""Exported histories: the file that `history -o json` writes and `replay` verifies.

The events stand in it as people see them (a time and the execution on each); `page_of` turns them
back into the very bytes that were recorded, because a replayed decision is compared byte for byte.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.errors import SettingsError
from engine.history.codec import encode_event, encode_page
from engine.history.events import FACTS, Decision, Fact
from engine.values.instant import parse_instant
from engine.values.json import JsonObject

if TYPE_CHECKING:
    from pathlib import Path

FORMAT: Final = 1
MOST_BYTES: Final = 256 * 1024 * 1024

_FACT_KINDS: Final = frozenset(str(kind.__struct_config__.tag) for kind in FACTS)


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """One execution with what it was pinned to."""

    instance_id: str
    execution: int
    workflow: str
    version: str
    revision: str
    semantics: int
    status: str
    events: list[JsonObject]


def document(exported: Exported) -> JsonObject:
    """The export as JSON data."""
    return {"lockstep_history": FORMAT, **msgspec.structs.asdict(exported)}


def read_export(path: Path) -> Exported:
    """Read an exported history.

    Raises:
        SettingsError: it is no such file, or of another format.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SettingsError(f"{path} is too large to be an exported history")
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict) or data.get("lockstep_history") != FORMAT:
        raise SettingsError(
            f"{path} is not an exported history of format {FORMAT}",
            hint="`lockstep history ID -o json` writes one",
        )
    del data["lockstep_history"]
    try:
        return msgspec.convert(data, Exported)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path} is not an exported history: {error}") from error


def page_of(exported: Exported) -> bytes:
    """The recorded bytes of all events.

    Raises:
        SettingsError: an event is none, or they do not count from 1 without a gap.
    """
    encoded = []
    for position, event in enumerate(exported.events, 1):
        if event.get("seq") != position:
            raise SettingsError(f"event {position} has the number {event.get('seq')!r}")
        try:
            encoded.append(_encoded(event))
        except (msgspec.ValidationError, ValueError, TypeError) as error:
            raise SettingsError(f"event {position} cannot be read: {error}") from error
    return encode_page(encoded)


def _encoded(event: JsonObject) -> bytes:
    data: dict[str, Any] = dict(event)
    del data["seq"]
    kind = data.get("kind")
    at: Any = data.pop("at", "")
    if kind in _FACT_KINDS:
        data["at"] = parse_instant(at)
    if kind != "started":
        data.pop("execution", None)
    return encode_event(msgspec.convert(data, Fact | Decision))
