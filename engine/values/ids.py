"""Ids and names: identity derived from text, never drawn from the machine.

Rule 1: the same parts give the same id, for ever; recorded histories hold them. So the encoding of
parts below never changes within a semantics level.
Rule 2: parts are kept apart by their lengths: ("ab", "c") and ("a", "bc") differ.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORKFLOW_NAME: Final = re.compile(r"[a-z][a-z0-9-]*(?:/[a-z][a-z0-9-]*)*")
_ACTIVITY_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")


def derive_uuid(*parts: str) -> str:
    """A UUID of version 8 (RFC 9562 section 5.8: by the maker's own rule) in canonical text."""
    number = int.from_bytes(_seed(parts)[:16])
    number = number & ~(0xF << 76) | 8 << 76
    number = number & ~(0b11 << 62) | 0b10 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def derive_fraction(*parts: str) -> float:
    """A number in [0, 1), all of whose 53 bits come from the parts."""
    return (int.from_bytes(_seed(parts)[:8]) >> 11) / (1 << 53)


def is_identifier(text: str) -> bool:
    """Whether `text` may name a step, a variable, a signal, a query or a branch."""
    return _IDENTIFIER.fullmatch(text) is not None


def is_workflow_name(text: str) -> bool:
    """Whether `text` may name a workflow: `order`, `etl/extract`."""
    return _WORKFLOW_NAME.fullmatch(text) is not None


def is_activity_name(text: str) -> bool:
    """Whether `text` may name an activity: `cms.create_record`; one part alone will do."""
    return _ACTIVITY_NAME.fullmatch(text) is not None


def _seed(parts: tuple[str, ...]) -> bytes:
    # A lone surrogate is no valid text, but identity must be total.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
