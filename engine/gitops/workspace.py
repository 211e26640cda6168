"""The workflow folder: which file is the working one, which the frozen one, where the lock is.

::

    workflows/billing/order.yaml                   the working file
    workflows/releases/billing/order/1.2.0.yaml    a frozen one
    workflows/workflows.lock                       the line of each frozen one

Rule 1: a name or version from outside makes a path only when it has the form of one; `..` has not.
Rule 2: a frozen file is compiled from its bytes alone, so it can need no other file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from engine.client.deploying import SUFFIXES, Candidate, candidate_of, compile_path, compile_text
from engine.definition.build import load_file
from engine.definition.document import Document
from engine.definition.folder import workflow_folder
from engine.definition.literals import WORKFLOW_NAME
from engine.definition.source import MAX_BYTES
from engine.definition.spell import suggest
from engine.errors import DefinitionError, SettingsError
from engine.gitops.files import MAX_LOCK_BYTES, files_below, held, read_bytes, write_bytes
from engine.gitops.lockfile import LOCK_NAME, MAX_NAME, Lock, parse_lock, write_lock
from engine.gitops.refusals import LockUnreadable, OutsideFolder, UnknownTarget
from engine.graph.compile import compile_document
from engine.values.version import VersionError, parse_version

if TYPE_CHECKING:
    from engine.definition.diagnostic import Diagnostic

RELEASES: Final = "releases"


class Working(msgspec.Struct, frozen=True):
    """A working file that was read. `inner` is its path below the workflow folder."""

    inner: str
    document: Document


class Workspace(msgspec.Struct, frozen=True):
    """A workflow folder: names count from it, and nothing outside of it is read or written."""

    base: Path

    @property
    def lock_file(self) -> str:
        """The lock, as findings name it."""
        return str(self.base / LOCK_NAME)

    def read_lock(self) -> Lock:
        """The lock; without the file, an empty one. Raises `LockUnreadable`."""
        data = read_bytes(self.base, LOCK_NAME, limit=MAX_LOCK_BYTES)
        return Lock() if data is None else lock_of(data, file=self.lock_file)

    def tidy_lock(self) -> Lock:
        """Write the lines of the lock in their order. Raises `LockUnreadable`."""
        with held(self.base):
            lock = self.read_lock()
            self.write_lock(lock)
        return lock

    def write_lock(self, lock: Lock) -> None:
        """Put the lock in its place, in one move."""
        write_bytes(self.base, LOCK_NAME, write_lock(lock.entries.values()).encode())

    def read_frozen(self, name: str, version: str) -> bytes | None:
        """The bytes of a frozen file, or None."""
        return read_bytes(self.base, release_path(name, version), limit=MAX_BYTES)

    def frozen(self, name: str, version: str) -> Candidate | None:
        """A frozen file compiled; None when it is not there. Raises `DefinitionError`."""
        data = self.read_frozen(name, version)
        if data is None:
            return None
        return compile_text(data, file=str(self.base / release_path(name, version)))

    def frozen_files(self) -> list[str]:
        """Every file below `releases`, as a path below the workflow folder."""
        return files_below(self.base, RELEASES, SUFFIXES)

    def working(self, name: str) -> Working:
        """The working file of a workflow.

        Raises:
            DefinitionError: it cannot be read as a workflow.
            UnknownTarget: there is none.
        """
        check_name(name)
        found = [suffix for suffix in SUFFIXES if (self.base / f"{name}{suffix}").exists()]
        if not found:
            raise UnknownTarget(
                f"there is no `{self.base / name}{SUFFIXES[0]}`", hint=self._near(name)
            )
        if len(found) > 1:
            raise UnknownTarget(
                f"`{name}` has two files, {' and '.join(found)}", hint="delete one of them"
            )
        file = self.base / f"{name}{found[0]}"
        loaded = load_file(file, root=self.base)
        if loaded.document is None:
            raise DefinitionError(loaded.diagnostics, subject=str(file))
        return Working(f"{name}{found[0]}", loaded.document)

    def compiled(self) -> tuple[list[Candidate], list[Diagnostic]]:
        """Every working file."""
        return compile_path(self.base)

    def _near(self, name: str) -> str:
        names = [
            path.relative_to(self.base).with_suffix("").as_posix()
            for suffix in SUFFIXES
            for path in self.base.rglob(f"*{suffix}")
            if path.relative_to(self.base).parts[0] != RELEASES
        ]
        near = suggest(name, names)
        if near:
            return f"did you mean {' or '.join(f'`{one}`' for one in near)}?"
        return "names count from the workflow folder, like `billing/order`"


def open_workspace(folder: Path) -> Workspace:
    """The workflow folder, or the project that has one.

    Raises:
        SettingsError: there is no such folder.
    """
    if not folder.is_dir():
        raise SettingsError(f"there is no workflow folder `{folder}`")
    # Relative paths stay as the user knows them; only what is compared needs the absolute one.
    found = workflow_folder(None, folder)
    assert found is not None
    base = folder if found.base == found.root else folder / found.base.name
    return Workspace(base)


def lock_of(data: bytes, *, file: str) -> Lock:
    """The lock that some bytes are. Raises `LockUnreadable`."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LockUnreadable(
            file, line, "the lock is not UTF-8 text", mend="take it from the base branch"
        ) from error
    return parse_lock(text, file=file)


def compile_working(working: Working) -> Candidate:
    """A working file compiled. Raises `DefinitionError`."""
    document = working.document
    compiled = compile_document(document)
    if compiled.graph is None:
        raise DefinitionError(compiled.diagnostics, subject=document.file)
    return candidate_of(document, compiled.graph)


def release_path(name: str, version: str) -> str:
    """Where a release stands below the workflow folder.

    Raises:
        OutsideFolder: the name or version is not one.
    """
    check_name(name)
    try:
        parse_version(version)
    except VersionError as error:
        raise OutsideFolder(str(error)) from error
    return f"{RELEASES}/{name}/{version}{SUFFIXES[0]}"


def check_name(name: str) -> None:
    """Raises `OutsideFolder` when a text is not the name of a workflow."""
    if len(name) > MAX_NAME or not WORKFLOW_NAME.fullmatch(name):
        raise OutsideFolder(
            f"`{name[:60]}` is not the name of a workflow",
            hint="names are like `order` or `billing/order`",
        )
