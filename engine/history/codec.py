"""Events to bytes and back. One page is the JSON array of the events of one turn.

A replayed decision is compared with the recorded one byte for byte, so decisions need no decoding:
`split_page` cuts a page into the raw bytes of its events and `is_fact` reads only the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.history.events import FACTS, Decision, Event, Fact

if TYPE_CHECKING:
    from collections.abc import Sequence

_encoder = msgspec.json.Encoder()
_fact_decoder: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)
_event_decoder: msgspec.json.Decoder[Fact | Decision] = msgspec.json.Decoder(Fact | Decision)
_page_decoder: msgspec.json.Decoder[list[Fact | Decision]] = msgspec.json.Decoder(
    list[Fact | Decision]
)
_raw_decoder: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])

_FACT_PREFIXES = tuple(
    b'{"kind":"' + str(kind.__struct_config__.tag).encode() + b'"' for kind in FACTS
)


def encode_event(event: Event) -> bytes:
    """The canonical bytes of one event."""
    return _encoder.encode(event)


def encode_page(events: Sequence[bytes]) -> bytes:
    """One page out of already encoded events."""
    return b"[" + b",".join(events) + b"]"


def split_page(page: bytes) -> list[bytes]:
    """The encoded events of a page, in order."""
    return [bytes(raw) for raw in _raw_decoder.decode(page)]


def is_fact(event: bytes) -> bool:
    """Whether these are the bytes of a fact."""
    return event.startswith(_FACT_PREFIXES)


def decode_fact(event: bytes) -> Fact:
    """Decode one fact, as it stands in a page or in an inbox message."""
    return _fact_decoder.decode(event)


def decode_event(event: bytes) -> Fact | Decision:
    """Decode any event."""
    return _event_decoder.decode(event)


def decode_page(page: bytes) -> list[Fact | Decision]:
    """Decode a whole page."""
    return _page_decoder.decode(page)
