"""A diagnostic as text for a terminal: place, source line, caret, why, mend.

Pure: takes the source text, returns text. Columns are characters; on the screen a tab goes to the
next multiple of four and a wide (East Asian) character takes two cells, so the carets stand right.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.definition.diagnostic import Diagnostic

TAB_WIDTH: Final = 4
# A line longer than this is shown around the place only.
MAX_WIDTH: Final = 160

_RESET: Final = "\x1b[0m"
_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"
_COLOURS: Final = {"error": "\x1b[31m", "warning": "\x1b[33m"}
_GREEN: Final = "\x1b[32m"


def render(diagnostic: Diagnostic, source: str, *, colour: bool = False) -> str:
    """One diagnostic with its excerpt; the last line has no newline."""
    paint = _paint if colour else _plain
    span = diagnostic.span
    severity = _COLOURS[diagnostic.severity]
    head = (
        paint(f"{diagnostic.file}:{span.line}:{span.column}: ", _BOLD)
        + paint(f"{diagnostic.severity} {diagnostic.code}", severity)
        + paint(f": {diagnostic.what}", _BOLD)
    )
    lines = [head]
    shown = _line(source, span.line)
    if shown is not None:
        end = span.end_column if span.end_line == span.line else len(shown) + 1
        text, before, carets = _window(shown, span.column - 1, end - 1)
        number = f"{span.line:>5} | "
        lines.append(paint(number, _DIM) + text)
        lines.append(
            paint(f"{'|':>7} ", _DIM) + " " * before + paint("^" * max(carets, 1), severity)
        )
    if diagnostic.why:
        lines.append(_part("why: ", diagnostic.why))
    if diagnostic.mend:
        lines.append(_part(paint("mend:", _GREEN), diagnostic.mend))
    if diagnostic.suggestions:
        meant = " or ".join(f"`{one}`" for one in diagnostic.suggestions)
        lines.append(_part(paint("did you mean", _GREEN), f"{meant}?"))
    return "\n".join(line.rstrip() for line in lines)


def render_all(
    diagnostics: Iterable[Diagnostic], sources: dict[str, str], *, colour: bool = False
) -> str:
    """Several diagnostics, an empty line between; `sources` maps files to their text."""
    return "\n\n".join(render(one, sources.get(one.file, ""), colour=colour) for one in diagnostics)


def _part(title: str, text: str) -> str:
    first, *more = text.split("\n")
    return "\n".join([f"   {title} {first}", *(f"         {line}" for line in more)])


def _line(source: str, number: int) -> str | None:
    lines = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[number - 1] if 0 < number <= len(lines) and source else None


def _window(line: str, start: int, end: int) -> tuple[str, int, int]:
    """The line as shown, the cells before the carets, and the number of carets."""
    end = max(min(end, len(line)), start)
    first, last = 0, len(line)
    if _cells(line, 0) > MAX_WIDTH:
        first = max(0, start - MAX_WIDTH // 4)
        last = min(len(line), first + MAX_WIDTH // 2)
        end = min(end, last)
    left = "…" if first else ""
    right = "…" if last < len(line) else ""
    before = _cells(line[first:start], len(left))
    marked = _cells(line[start:end], len(left) + before)
    return left + _shown(line[first:last], len(left)) + right, len(left) + before, marked


def _shown(text: str, column: int) -> str:
    """The text with tabs written out and control characters made visible."""
    pieces: list[str] = []
    for char in text:
        if char == "\t":
            width = TAB_WIDTH - column % TAB_WIDTH
            pieces.append(" " * width)
        elif unicodedata.category(char) in ("Cc", "Cs"):
            width = 1
            pieces.append("�")
        else:
            width = _width(char)
            pieces.append(char)
        column += width
    return "".join(pieces)


def _cells(text: str, column: int) -> int:
    """How many cells a text takes when it begins in this column."""
    start = column
    for char in text:
        column += TAB_WIDTH - column % TAB_WIDTH if char == "\t" else _width(char)
    return column - start


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _paint(text: str, colour: str) -> str:
    return f"{colour}{text}{_RESET}"


def _plain(text: str, colour: str) -> str:
    del colour
    return text
