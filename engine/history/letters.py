"""Letters: what the payload of an inbox message is: a fact for the receiver, and whom to answer."""

from __future__ import annotations

import msgspec

from engine.history.events import Fact, Parent


class Letter(msgspec.Struct, frozen=True, omit_defaults=True):
    """`reply` is the step that sent a signal and waits to hear whether it was taken.

    The fact's time is set when it is taken up. A sender sets 0.
    """

    fact: Fact
    reply: Parent | None = None


_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[Letter] = msgspec.json.Decoder(Letter)


def write_letter(fact: Fact, reply: Parent | None = None) -> bytes:
    """A message payload."""
    return _encode(Letter(fact, reply))


def read_letter(payload: bytes) -> Letter:
    """The reverse."""
    return _decoder.decode(payload)
