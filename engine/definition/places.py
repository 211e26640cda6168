"""Where the characters of a scalar stand: the way back from a value to the file.

A diagnostic about an expression must point at the offending token even inside a block scalar, a
folded line or behind an escape. The parser gives us the value and the stretch of source it came
from; here the two are walked side by side and the verbatim pieces (`Run`) are noted.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from engine.definition.document import Run, ScalarStyle, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

# In a quoted scalar a newline with the blanks around it folds; `breaks` are further empty lines.
_QUOTED_PIECE: Final = {
    "single": re.compile(r"(?P<fold>[ \t]*\n(?P<breaks>(?:[ \t]*\n)*)[ \t]*)|(?P<escape>'')"),
    "double": re.compile(
        r"(?P<fold>[ \t]*\n(?P<breaks>(?:[ \t]*\n)*)[ \t]*)"
        r"|(?P<joined>\\\n(?P<empty>(?:[ \t]*\n)*)[ \t]*)"
        r"|(?P<escape>\\(?:x..|u.{4}|U.{8}|.))",
        re.DOTALL,
    ),
}


class Lines:
    """Turns character indexes of a text into lines and columns."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0]
        self._starts.extend(match.end() for match in re.finditer("\n", text))

    def place(self, index: int) -> tuple[int, int]:
        """Line and column of an index."""
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def line_at(self, index: int) -> tuple[int, int]:
        """Where the line that holds an index begins and ends, the newline left out."""
        line = bisect_right(self._starts, index)
        end = self._starts[line] - 1 if line < len(self._starts) else len(self.text)
        return self._starts[line - 1], end

    def span(self, start: int, end: int) -> Span:
        """The place of `text[start:end]`."""
        return Span(*self.place(start), *self.place(max(end, start)))


def scalar_end(text: str, start: int, end: int, style: ScalarStyle) -> int:
    """The end of a scalar without the blank lines that follow a block one."""
    if style in ("literal", "folded"):
        return start + len(text[start:end].rstrip())
    return end


def runs_of(lines: Lines, start: int, end: int, style: ScalarStyle, value: str) -> tuple[Run, ...]:
    """The verbatim pieces of `value`, which was read from `text[start:end]`."""
    source = lines.text[start:end]
    if style in ("single", "double"):
        if (
            "\n" not in source
            and (style == "single" or "\\" not in source)
            and "''" not in source[1:-1]
        ):
            return ()
        pairs = _quoted(source, style)
    elif style == "plain":
        if "\n" not in source:
            return ()
        pairs = _aligned(source, value, 0, indent=None)
    else:
        body = source.find("\n") + 1
        pairs = _aligned(source, value, body, indent=_indent(source[body:], value))
    return tuple(Run(offset, *lines.place(start + index)) for offset, index in pairs)


def _quoted(source: str, style: ScalarStyle) -> Iterator[tuple[int, int]]:
    offset, position = 0, 1
    end = len(source) - 1
    yield 0, 1
    for piece in _QUOTED_PIECE[style].finditer(source, 1, end):
        offset += piece.start() - position
        yield offset, piece.start()
        groups = piece.groupdict()
        if groups["escape"] is not None:
            offset += 1
        elif groups["fold"] is not None:
            offset += groups["breaks"].count("\n") or 1
        else:
            offset += groups["empty"].count("\n")
        position = piece.end()
        yield offset, position


def _indent(body: str, value: str) -> int:
    """How many columns a block scalar's content is indented: what the value has lost."""
    written = next((line for line in body.split("\n") if line.strip(" ")), "")
    read = next((line for line in value.split("\n") if line.strip(" ")), "")
    return _blanks(written) - _blanks(read)


def _blanks(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _aligned(
    source: str, value: str, position: int, *, indent: int | None
) -> Iterator[tuple[int, int]]:
    """Find each line of the source in the value; `indent` None means: ignore outer blanks."""
    offset = 0
    last = len(value.rstrip("\n"))
    for line in source[position:].split("\n"):
        if offset >= last:
            return
        content = line.strip(" \t") if indent is None else line[indent:]
        if content.strip(" \t"):
            found = value.find(content, offset)
            if found < 0:
                return
            skipped = len(line) - len(line.lstrip(" \t")) if indent is None else indent
            yield found, position + skipped
            offset = found + len(content)
        position += len(line) + 1
