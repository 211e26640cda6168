"""What a node and its subprocess say to each other: frames of JSON over a socket pair.

A frame is its length in four bytes, then that many bytes. JSON and not msgpack, because integers
of any length are values of the engine.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

import msgspec

from engine.activities.context import ActivityCall
from engine.activities.outcome import Outcome
from engine.activities.process.locator import Locator
from engine.values.json import Json

HEADER: Final = struct.Struct(">I")


class Run(msgspec.Struct, frozen=True, tag="run"):
    """Run this attempt."""

    call: ActivityCall
    locator: Locator
    result_limit: int


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """The running attempt is no longer wanted."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The subprocess takes attempts."""


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """A heartbeat of the running attempt."""

    details: Json = None


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The attempt ended. `last`: the subprocess takes no other and exits."""

    outcome: Outcome
    last: bool = False


Order: TypeAlias = Run | Cancel
Report: TypeAlias = Ready | Beat | Ended

_encode = msgspec.json.Encoder().encode
decode_order = msgspec.json.Decoder(Order).decode
decode_report = msgspec.json.Decoder(Report).decode


def frame(message: Order | Report) -> bytes:
    """The bytes of one message."""
    body = _encode(message)
    return HEADER.pack(len(body)) + body
