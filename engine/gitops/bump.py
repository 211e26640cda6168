"""Raising the version of a working file, in its place; every other byte stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import msgspec

from engine.definition.document import Scalar
from engine.gitops.compat import (
    declared_bump,
    last_before,
    part_for,
    required_bump,
    suffices,
)
from engine.gitops.files import held, write_bytes
from engine.gitops.freeze import replaced
from engine.gitops.refusals import ReleaseRefused
from engine.gitops.workspace import compile_working, open_workspace
from engine.values.version import Part, Version, VersionError, next_free, parse_version

if TYPE_CHECKING:
    from engine.gitops.lockfile import Lock
    from engine.gitops.workspace import Working, Workspace

PARTS: Final = get_args(Part)
_QUOTE: Final = {"single": "'", "double": '"'}


class Bumped(msgspec.Struct, frozen=True):
    """A version that was raised. `reasons` say why that far, when nobody said how far."""

    file: Path
    before: str
    after: str
    reasons: tuple[str, ...] = ()


def bump(folder: Path, name: str, to: str | None = None) -> Bumped:
    """Raise the version at a part, to an exact one, or as far as it is needed.

    As far as the changes since the last release ask for, that is: not at all when the version is
    not released and high enough. `to` is `major`, `minor`, `patch` or a version.

    Raises:
        ReleaseRefused: the exact version is none, no higher one, or released.
        DefinitionError: the working file cannot be read.
        UnknownTarget, OutsideFolder, LockUnreadable: the folder is not as it should be.
    """
    workspace = open_workspace(folder)
    with held(workspace.base):
        return raise_version(workspace, name, to)


def raise_version(workspace: Workspace, name: str, to: str | None) -> Bumped:
    """`bump`, for who holds the folder already."""
    working = workspace.working(name)
    lock = workspace.read_lock()
    before = parse_version(working.document.version)
    reasons: tuple[str, ...] = ()
    if to is not None and to not in PARTS:
        after = _exact(to, before, lock, name)
    else:
        part = to
        if part is None:
            part, reasons = _needed(workspace, working, lock)
        if part == "none":
            return Bumped(workspace.base / working.inner, str(before), str(before), reasons)
        taken = [parse_version(entry.version) for entry in lock.of(name)]
        after = next_free(before, taken, _PART[part])
    data = _with_version(working, str(after))
    write_bytes(workspace.base, working.inner, data)
    return Bumped(workspace.base / working.inner, str(before), str(after), reasons)


_PART: Final[dict[str, Part]] = {"major": "major", "minor": "minor", "patch": "patch"}


def _exact(text: str, before: Version, lock: Lock, name: str) -> Version:
    try:
        after = parse_version(text)
    except VersionError as error:
        raise ReleaseRefused(str(error), hint=f"or one of {', '.join(PARTS)}") from error
    if after <= before:
        raise ReleaseRefused(f"{after} is not higher than {before}, which the file has")
    if (name, str(after)) in lock.entries:
        taken = [parse_version(entry.version) for entry in lock.of(name)]
        raise ReleaseRefused(
            f"`{name}` {after} is released already", hint=f"{next_free(after, taken)} is free"
        )
    return after


def _needed(workspace: Workspace, working: Working, lock: Lock) -> tuple[str, tuple[str, ...]]:
    """The part that the changes since the last release ask for, and why.

    `none` when the version, which is not released, is high enough for them.
    """
    name, version = working.document.name, working.document.version
    last = last_before(lock, name, version, inclusive=True)
    frozen = workspace.frozen(name, last.version) if last is not None else None
    if last is None or frozen is None:
        return ("none" if (name, version) not in lock.entries else "patch"), ()
    verdict = required_bump(frozen.graph, compile_working(working).graph, previous=last.version)
    lines = tuple(reason.line for reason in verdict.deciding)
    if last.version != version and suffices(declared_bump(last.version, version), verdict.bump):
        return "none", lines
    return part_for(version, verdict.bump), lines


def _with_version(working: Working, version: str) -> bytes:
    """The file's bytes with another version."""
    document = working.document
    node = document.root.get("version")
    assert isinstance(node, Scalar)  # the reader of the file has seen to it
    quote = _QUOTE.get(node.style, "")
    return replaced(document.source, [(node.span, f"{quote}{version}{quote}")])
