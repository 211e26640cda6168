"""Canonical JSON, and the digest of it.

Rule 1: equal values have equal bytes: keys sorted by code point, no whitespace, UTF-8, floats as
Python's `repr` writes them (the shortest text that reads back the same).
Rule 2: different values have different bytes: `1` is not `1.0`, `true` is not `1`.
Rule 3: these bytes never change; revisions and recorded arguments are compared by their digests.
Hence the standard library writes them, whose format is settled.
"""

from __future__ import annotations

import hashlib
from json import JSONEncoder
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.values.json import Json

SHORT: Final = 12

_ENCODER: Final = JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def canonical_json(value: Json) -> bytes:
    """The canonical bytes of a JSON value.

    Raises:
        ValueError: it holds NaN, an infinity or a lone surrogate.
        TypeError: it holds something that is not JSON.
    """
    return _ENCODER.encode(value).encode()


def digest(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def short(digest: str) -> str:
    """Enough of a digest for people to tell revisions apart."""
    return digest[:SHORT]
