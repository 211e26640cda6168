"""Checks of what callers hand in: plain JSON of a bounded size, and decent texts.

What is stored is what was read back from the encoded form, so that an instance sees the same values
now and after a restart. What Python can encode and JSON cannot say (NaN, sets, bytes, dates, keys
that are no text) is refused rather than changed on the way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import InputRefused, LimitExceeded

if TYPE_CHECKING:
    from engine.values.json import Json

ID_LENGTH = 255
FOUND_ID_LENGTH = 4_000  # a child's own id grows with its path
TEXT_LENGTH = 255
REASON_LENGTH = 10_000
PAYLOAD_LIMIT = 1024 * 1024
DEPTH = 100

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def plain_json(what: str, value: Any) -> Json:
    """The value as it will be stored. Raises `InputRefused`, `LimitExceeded`."""
    try:
        encoded = _encode(value)
        if len(encoded) > PAYLOAD_LIMIT:
            raise LimitExceeded(f"{what} in bytes", len(encoded), PAYLOAD_LIMIT)
        if encoded.count(b"[") + encoded.count(b"{") > DEPTH:
            _walk(what, value)
        stored: Json = _decode(encoded)
        if stored != value:
            _walk(what, value)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        text = str(error).encode("ascii", "backslashreplace").decode()
        raise InputRefused(what, "", f"this is not JSON: {text:.200}") from None
    return stored


def _walk(what: str, value: Any) -> None:
    """Find what is not plain, or too deep; tuples count as lists."""
    pending: list[tuple[str, Any, int]] = [("", value, 0)]
    while pending:
        path, part, depth = pending.pop()
        if depth > DEPTH:
            raise LimitExceeded(f"depth of {what}", depth, DEPTH)
        kind = type(part)
        if isinstance(part, dict):
            for key in part:
                if not isinstance(key, str):
                    raise InputRefused(what, path, f"a key must be text, not {key!r:.80}")
            pending.extend((f"{path}/{key}", child, depth + 1) for key, child in part.items())
        elif isinstance(part, (list, tuple)):
            pending.extend((f"{path}/{n}", child, depth + 1) for n, child in enumerate(part))
        elif isinstance(part, float) and not math.isfinite(part):
            raise InputRefused(what, path, f"{part} is no JSON number")
        elif not (part is None or isinstance(part, (str, int, float))):
            raise InputRefused(what, path, f"a {kind.__name__} is not JSON")


def decent_text(what: str, value: Any, *, limit: int = TEXT_LENGTH) -> str:
    """The text, if it is one of a decent length. Raises `InputRefused`."""
    if isinstance(value, str) and len(value) <= limit:
        try:
            value.encode()
        except UnicodeEncodeError:
            pass
        else:
            return value
    raise InputRefused(what, "", f"text of at most {limit} characters, not {value!r:.80}")


def new_id(value: Any) -> str:
    """An id for a new instance. Raises `InputRefused`."""
    if not isinstance(value, str) or not 1 <= len(value) <= ID_LENGTH or not value.isprintable():
        message = f"1 to {ID_LENGTH} printable characters, not {value!r:.80}"
        raise InputRefused("instance id", "", message)
    return value


def known_id(value: Any) -> str:
    """An id that an instance may have. Raises `InputRefused`."""
    return decent_text("instance id", value, limit=FOUND_ID_LENGTH)


def reason_text(value: Any) -> str | None:
    """Why somebody ends an instance. Raises `InputRefused`."""
    return None if value is None else decent_text("reason", value, limit=REASON_LENGTH)
