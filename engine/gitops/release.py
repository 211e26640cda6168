"""Releasing: the working file's version is frozen and gets its line in the lock.

Rule 1: the frozen copy stands alone and has the revision of the working file; that is proved before
anything is written.
Rule 2: first the copy, then the lock. A crash in between leaves a copy without a line, which the
next `release` takes up when it is the same and refuses when it is not.
Rule 3: what is released already with the same revision is left as it is, byte for byte; comments
may go on changing in the working file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.client.deploying import Candidate, compile_text
from engine.errors import DefinitionError
from engine.gitops.bump import raise_version
from engine.gitops.compat import part_for, required_bump
from engine.gitops.files import held, write_bytes
from engine.gitops.freeze import frozen_text
from engine.gitops.lockfile import Lock, LockEntry, entry_of
from engine.gitops.refusals import ReleaseLocked, ReleaseRefused
from engine.gitops.workspace import (
    Workspace,
    check_name,
    compile_working,
    open_workspace,
    release_path,
)
from engine.graph.diff import diff
from engine.values.digest import digest
from engine.values.version import next_free, parse_version

if TYPE_CHECKING:
    from engine.gitops.workspace import Working
    from engine.graph.steps import StepGraph
    from engine.values.version import Part

DEV = "dev"


class Released(msgspec.Struct, frozen=True):
    """A release. `fresh` is false when it was there already, the same."""

    entry: LockEntry
    file: Path
    fresh: bool


def release(folder: Path, name: str, part: Part | None = None) -> Released:
    """Freeze the version of a working file; with `part`, raise it there first.

    Raises:
        ReleaseLocked: that version is released with another revision.
        ReleaseRefused: the version is one of development, or a stray copy stands in its place.
        DefinitionError: the working file does not compile.
        UnknownTarget, OutsideFolder, LockUnreadable: the folder is not as it should be.
    """
    check_name(name)
    workspace = open_workspace(folder)
    with held(workspace.base):
        if part is not None:
            compile_working(workspace.working(name))  # nothing is raised that cannot be released
            raise_version(workspace, name, part)
        return _release(workspace, name)


def _release(workspace: Workspace, name: str) -> Released:
    lock = workspace.read_lock()
    working = workspace.working(name)
    candidate = compile_working(working)
    _check_version(candidate)
    known = lock.entries.get((name, candidate.version))
    file = workspace.base / release_path(name, candidate.version)
    if known is not None:
        if known.revision != candidate.revision:
            raise locked(workspace, lock, known, candidate)
        _check_frozen(workspace, known, file)
        return Released(known, file, fresh=False)
    return _freeze(workspace, lock, working, candidate, file)


def _check_frozen(workspace: Workspace, known: LockEntry, file: Path) -> None:
    data = workspace.read_frozen(known.name, known.version)
    if data is None or digest(data) != known.source:
        raise ReleaseRefused(
            f"`{known.name}` {known.version} is released, but `{file}` "
            f"{'is gone' if data is None else 'was changed'}",
            hint="restore it from the base branch; `lockstep lock --check` tells more",
        )


def _freeze(
    workspace: Workspace, lock: Lock, working: Working, candidate: Candidate, file: Path
) -> Released:
    data = _frozen(working, candidate, file)
    there = workspace.read_frozen(candidate.name, candidate.version)
    if there is not None and there != data:
        raise ReleaseRefused(
            f"`{file}` is there, differs, and has no line in the lock",
            hint="delete it when it was left over; else restore its line from the base branch",
        )
    entry = entry_of(
        candidate.graph, version=candidate.version, revision=candidate.revision, source=data
    )
    if there is None:
        write_bytes(workspace.base, release_path(candidate.name, candidate.version), data)
    workspace.write_lock(lock.with_entry(entry))
    return Released(entry, file, fresh=True)


def _frozen(working: Working, candidate: Candidate, file: Path) -> bytes:
    try:
        data = frozen_text(working.document)
        alone = compile_text(data, file=str(file))
    except DefinitionError as error:
        first = error.diagnostics[0] if error.diagnostics else ""
        raise ReleaseRefused(
            f"`{candidate.name}` cannot be frozen: with its schema files in it, it does not "
            f"compile: {first}"
        ) from error
    if alone.revision != candidate.revision:
        raise ReleaseRefused(
            f"`{candidate.name}` cannot be frozen: with its schema files in it, it means something "
            f"else: {'; '.join(one.line for one in diff(candidate.graph, alone.graph))}",
            hint="write the schema into the workflow itself",
        )
    return data


def _check_version(candidate: Candidate) -> None:
    version = parse_version(candidate.version)
    if version.build is not None:
        raise ReleaseRefused(
            f"`{candidate.version}` has build metadata, which never counts in comparing versions",
            hint=f"write `version: {str(version).partition('+')[0]}`",
        )
    if version.prerelease is not None and version.prerelease.partition(".")[0] == DEV:
        raise ReleaseRefused(
            f"`{candidate.version}` is a version of development", hint="give it a number of its own"
        )


def locked(
    workspace: Workspace, lock: Lock, known: LockEntry, candidate: Candidate
) -> ReleaseLocked:
    """The refusal of another revision under a released version."""
    frozen = workspace.frozen(known.name, known.version)
    changes = diff(frozen.graph, candidate.graph) if frozen is not None else ()
    return ReleaseLocked(
        known.name,
        known.version,
        released=known.revision,
        offered=candidate.revision,
        next_free=free_version(lock, known, frozen.graph if frozen else None, candidate.graph),
        changes=[change.line for change in changes],
    )


def free_version(
    lock: Lock, entry: LockEntry, old: StepGraph | None = None, new: StepGraph | None = None
) -> str:
    """The next version that is not released, raised as far as leading from `old` to `new` asks."""
    taken = [parse_version(one.version) for one in lock.of(entry.name)]
    part: Part = "patch"
    if old is not None and new is not None:
        part = part_for(entry.version, required_bump(old, new, previous=entry.version).bump)
    return str(next_free(parse_version(entry.version), taken, part))
