"""Text from elsewhere, made harmless for a terminal.

Names, error texts and results may hold escape sequences that recolour, move or retitle a terminal,
and marks that turn the direction of writing. They are shown as escapes instead.
"""

from __future__ import annotations

import re
from typing import Final

# C0 but tab and newline, DEL, C1, line and paragraph separators, direction marks, surrogates.
_HARMFUL: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ufeff\ud800-\udfff"
)
_IN_TEXT: Final = re.compile(f"[{_HARMFUL}]")
_IN_LINE: Final = re.compile(f"[{_HARMFUL}\t\n]")
_NAMED: Final = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def clean(text: str) -> str:
    """Text of several lines; its newlines and tabs stay."""
    return _IN_TEXT.sub(_escape, text.replace("\r\n", "\n"))


def clean_line(text: str) -> str:
    """Text for one line: newlines and tabs are escaped too."""
    return _IN_LINE.sub(_escape, text)


def clean_json(text: str) -> str:
    r"""JSON as written by an encoder, with what is left of harmful characters as `\uXXXX`."""
    return _IN_TEXT.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def blanked(text: str) -> str:
    """Text in which every harmful character is one replacement sign, so that columns stay."""
    return _IN_TEXT.sub(lambda found: found[0] if found[0] == "\r" else "\ufffd", text)


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    if char in _NAMED:
        return _NAMED[char]
    return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"
