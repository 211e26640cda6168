"""Reading files: the one module of this package that touches the disk.

Owns how bytes become text: byte cap, strict UTF-8, one kind of newline, no control characters; and
how a path is confined to a root. Must not know YAML.

Rule 1: a file is opened only after its size and kind are known, so a huge one costs nothing.
Rule 2: below a root no symbolic link is followed while opening: the real path is computed first,
must lie below the real root, and is then walked one component at a time with `O_NOFOLLOW`. A link
that is swapped in between therefore makes opening fail instead of leading outside.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from engine.definition.document import Span

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report

MAX_BYTES: Final = 1 << 20

START: Final = Span(1, 1, 1, 2)

# U+0085, U+2028 and U+2029 are line ends to some readers and not to others; nobody means them.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)


class Source(msgspec.Struct, frozen=True):
    """One file in memory. `text` has LF newlines only; `raw` is what stood on disk."""

    file: str
    raw: bytes
    text: str


class Unreadable(Exception):
    """A file cannot be had; `why` is a clause for a person."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class TooLarge(Unreadable):
    """A file is over the byte cap."""


def decode(raw: bytes | str, report: Report) -> Source | None:
    """Bytes or text as a source; None, with the reason in the report, when they cannot be one."""
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(data) > MAX_BYTES:
        report_too_large(report, len(data))
        return None
    if isinstance(raw, str):
        text = raw
    else:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            _report_encoding(report, raw, error)
            return None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    found = _CONTROL.search(text)
    if found:
        _report_control(report, text, found.start())
        return None
    return Source(report.file, data, text)


def report_too_large(report: Report, size: int) -> None:
    """Note that a file is over the byte cap."""
    report.error(
        "E109",
        START,
        f"the file has {size:,} bytes; at most {MAX_BYTES:,} are read",
        mend="move data out of the workflow, or split it into sub-workflows",
    )


def read_file(path: Path, report: Report, *, root: Path | None = None) -> Source | None:
    """Read a file, confined to `root` when there is one."""
    try:
        raw = _read(path) if root is None else read_below(root, path)
    except TooLarge as error:
        report_too_large(report, int(error.why))
        return None
    except Unreadable as error:
        report.error("E100", START, f"the file cannot be read: {error.why}")
        return None
    return decode(raw, report)


def read_below(root: Path, path: Path) -> bytes:
    """The bytes of a file that lies below `root`, whatever links stand on the way.

    Raises:
        Unreadable: it is not there, not a file, or not below the root.
        TooLarge: `why` is its size.
    """
    try:
        real_root = Path(os.path.realpath(root, strict=True))
        real = Path(os.path.realpath(path, strict=True))
    except (OSError, ValueError) as error:
        raise Unreadable(_reason(error)) from error
    if not real.is_relative_to(real_root) or real == real_root:
        raise Unreadable("it is outside the workflow root")
    folder = -1
    try:
        folder = os.open(real_root, os.O_RDONLY | os.O_DIRECTORY)
        *parents, name = real.relative_to(real_root).parts
        for part in parents:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = below
        # O_NONBLOCK: opening a pipe must not wait for its other end.
        return _drain(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder))
    except OSError as error:
        raise Unreadable(_reason(error)) from error
    finally:
        if folder >= 0:
            os.close(folder)


def _read(path: Path) -> bytes:
    try:
        return _drain(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except (OSError, ValueError) as error:
        raise Unreadable(_reason(error)) from error


def _drain(descriptor: int) -> bytes:
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("it is not a regular file")
        if status.st_size > MAX_BYTES:
            raise TooLarge(str(status.st_size))
        pieces: list[bytes] = []
        left = MAX_BYTES + 1  # one more than allowed: the file may grow while it is read
        while left and (piece := os.read(descriptor, left)):
            pieces.append(piece)
            left -= len(piece)
        if not left:
            raise TooLarge(str(MAX_BYTES + 1))
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return "the path is not valid"


def place(text: str, index: int) -> tuple[int, int]:
    """Line and column of a character index."""
    start = text.rfind("\n", 0, index) + 1
    return text.count("\n", 0, index) + 1, index - start + 1


def _report_encoding(report: Report, raw: bytes, error: UnicodeDecodeError) -> None:
    before = raw[: error.start].decode("utf-8").removeprefix("\ufeff")
    before = before.replace("\r\n", "\n").replace("\r", "\n")
    line, column = place(before, len(before))
    report.error(
        "E101",
        Span(line, column, line, column + 1),
        f"byte 0x{raw[error.start]:02x} is not valid UTF-8",
        why="a workflow file is UTF-8 text",
        mend="save the file as UTF-8",
    )


def _report_control(report: Report, text: str, index: int) -> None:
    line, column = place(text, index)
    code = ord(text[index])
    report.error(
        "E101",
        Span(line, column, line, column + 1),
        f"the control character U+{code:04X} may not stand in a file",
        mend=f'delete it, or write it as the escape "\\u{code:04x}" in a double-quoted value',
    )


def is_folder(path: Path) -> bool:
    """Whether a folder stands there."""
    return path.is_dir()


def is_root(folder: Path) -> bool:
    """Whether a folder says that it is a workflow root."""
    if (folder / "lockstep.toml").is_file():
        return True
    project = folder / "pyproject.toml"
    if not project.is_file():
        return False
    try:
        return "lockstep" in tomllib.loads(_read(project).decode("utf-8")).get("tool", {})
    except (Unreadable, ValueError):
        return False  # a project file that is broken is for other tools to complain about
