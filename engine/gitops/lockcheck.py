"""`lock --check`: the lock, the frozen files and the working files agree, and nothing vanished.

Rule 1: all findings in one run, each at a line of the file to mend; nothing is written.
Rule 2: what a release is, the lock line says; the base's lines say what the lock must say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.client.deploying import Candidate, compile_text
from engine.definition.build import load_file
from engine.definition.diagnostic import Diagnostic
from engine.definition.document import Span
from engine.errors import DefinitionError
from engine.gitops import codes
from engine.gitops.lockfile import Lock, LockEntry, contract_of
from engine.gitops.refusals import LockUnreadable, OutsideFolder, UnknownTarget
from engine.gitops.release import free_version
from engine.gitops.snapshot import lock_against
from engine.gitops.workspace import Workspace, open_workspace, release_path
from engine.graph.diff import diff
from engine.interpreter.semantics import SUPPORTED
from engine.values.digest import digest, short

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.graph.steps import StepGraph

MOST_CHANGES: Final = 20


def lock_check(folder: Path, against: str | None = None) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with the releases of a workflow folder; empty when it is sound.

    `against` is a lock file or a git commit whose lines must all be there, unchanged.

    Raises:
        UnknownTarget, GitUnavailable: `against` cannot be had.
        SettingsError: there is no such folder.
    """
    workspace = open_workspace(folder)
    try:
        lock = workspace.read_lock()
        base = lock_against(workspace, against) if against is not None else Lock()
    except LockUnreadable as error:
        return (_finding(codes.LOCK_LINE, error.file, error.line, error.problem, mend=error.mend),)
    except OutsideFolder as error:
        what = error.message
        return (_finding(codes.LOCK_LINE, workspace.lock_file, 1, what, mend=error.hint),)
    return (
        *_unsorted(workspace, lock),
        *_vanished(workspace, lock, base, against or ""),
        *_frozen(workspace, lock),
        *_strays(workspace, lock),
        *_working(workspace, lock),
    )


def _unsorted(workspace: Workspace, lock: Lock) -> Iterator[Diagnostic]:
    if lock.unsorted is not None:
        yield _finding(
            codes.LOCK_LINE,
            workspace.lock_file,
            lock.unsorted,
            "this line stands before its turn",
            mend="`lockstep lock` writes the lines in order",
        )


def _vanished(workspace: Workspace, lock: Lock, base: Lock, against: str) -> Iterator[Diagnostic]:
    for key, there in base.entries.items():
        here = lock.entries.get(key)
        if here == there:
            continue
        title = f"`{there.name}` {there.version}"
        if here is None:
            yield _finding(
                codes.BASE_LINE,
                workspace.lock_file,
                1,
                f"the line of {title} is gone; {against} has it with revision "
                f"{short(there.revision)}",
                mend=f"put it back: {there.line}",
            )
            continue
        yield _finding(
            codes.BASE_LINE,
            workspace.lock_file,
            lock.lines[key],
            f"the line of {title} changed: {_changed_fields(there, here)}",
            why=f"{against} has: {there.line}",
            mend="put that line back; a change is a new version, "
            f"{_free(lock, base, there)} is free",
        )


def _changed_fields(old: LockEntry, new: LockEntry) -> str:
    pairs = zip(old.line.split(" ")[2:], new.line.split(" ")[2:], strict=True)
    said = []
    for before, after in pairs:
        if before != after:
            name, _, value = before.partition("=")
            said.append(f"{name} {short(value)} -> {short(after.partition('=')[2])}")
    return ", ".join(said)


def _free(lock: Lock, base: Lock, entry: LockEntry) -> str:
    both = Lock({**base.entries, **lock.entries})
    return free_version(both, entry)


def _frozen(workspace: Workspace, lock: Lock) -> Iterator[Diagnostic]:
    for entry in lock.entries.values():
        yield from _one_frozen(workspace, lock, entry)


def _one_frozen(workspace: Workspace, lock: Lock, entry: LockEntry) -> Iterator[Diagnostic]:
    inner = release_path(entry.name, entry.version)
    file = str(workspace.base / inner)
    restore = f"restore it from the base branch: `git checkout <base> -- {file}`"
    try:
        data = workspace.read_frozen(entry.name, entry.version)
    except (OutsideFolder, UnknownTarget) as error:
        yield _finding(codes.FROZEN_FILE, file, 1, error.message, mend=restore)
        return
    if data is None:
        line = lock.lines[entry.key]
        what = f"`{file}` is gone, the frozen file of this line"
        yield _finding(codes.FROZEN_FILE, workspace.lock_file, line, what, mend=restore)
        return
    try:
        found = compile_text(data, file=file)
    except DefinitionError as error:
        yield _finding(
            codes.FROZEN_FILE,
            file,
            1,
            f"this frozen file does not compile; {_digests(entry, data)}",
            mend=restore,
        )
        yield from error.diagnostics
        return
    yield from _compared(workspace, lock, entry, found)


def _compared(
    workspace: Workspace, lock: Lock, entry: LockEntry, found: Candidate
) -> Iterator[Diagnostic]:
    file = found.file
    free = free_version(lock, entry)
    mend = (
        f"restore it from the base branch: `git checkout <base> -- {file}`; a change belongs into "
        f"the working file under a new version, {free} is free"
    )
    if (found.name, found.version) != entry.key:
        what = f"this frozen file is `{found.name}` {found.version}, not its path's"
        yield _finding(codes.FROZEN_FILE, file, 1, what, mend=mend)
    elif found.revision != entry.revision:
        yield _finding(
            codes.FROZEN_FILE,
            file,
            1,
            f"this frozen file was changed: locked revision {short(entry.revision)}, "
            f"now {short(found.revision)}",
            why=_difference_to_working(workspace, entry, found.graph),
            mend=mend,
        )
    elif digest(found.source) != entry.source:
        yield _finding(
            codes.FROZEN_FILE,
            file,
            1,
            f"the bytes of this frozen file were changed: {_digests(entry, found.source)}",
            why="it means the same, but frozen files are locked byte for byte"
            + _line_ends(entry, found.source),
            mend=mend,
        )
    else:
        yield from _line_agrees(workspace, lock, entry, found)


def _difference_to_working(workspace: Workspace, entry: LockEntry, now: StepGraph) -> str | None:
    """What was changed, as far as a text with the locked revision is still there to compare."""
    try:
        working = [one for one in workspace.compiled()[0] if one.revision == entry.revision]
    except OSError:
        return None
    return _told(working[0].graph, now) if working else None


def _line_ends(entry: LockEntry, source: bytes) -> str:
    unix = source.replace(b"\r\n", b"\n")
    if entry.source in (digest(unix), digest(unix.replace(b"\n", b"\r\n"))):
        return "; only its line ends differ: `releases/** -text` in .gitattributes keeps them"
    return ""


def _line_agrees(
    workspace: Workspace, lock: Lock, entry: LockEntry, found: Candidate
) -> Iterator[Diagnostic]:
    line = lock.lines[entry.key]
    if entry.contract != contract_of(found.graph) or entry.dsl != found.graph.dsl:
        what = f"this line does not say what `{found.file}` is"
        mend = "take the line from the base branch"
        yield _finding(codes.LOCK_LINE, workspace.lock_file, line, what, mend=mend)
    if entry.semantics > max(SUPPORTED):
        what = f"semantics level {entry.semantics} is newer than this lockstep"
        mend = "use the lockstep that released it, or a newer one"
        yield _finding(codes.LOCK_LINE, workspace.lock_file, line, what, mend=mend)


def _strays(workspace: Workspace, lock: Lock) -> Iterator[Diagnostic]:
    try:
        found = workspace.frozen_files()
    except OutsideFolder as error:
        file = str(workspace.base / "releases")
        yield _finding(codes.FROZEN_FILE, file, 1, error.message, mend=error.hint)
        return
    known = {release_path(entry.name, entry.version) for entry in lock.entries.values()}
    for inner in found:
        if inner not in known:
            yield _finding(
                codes.STRAY_FILE,
                str(workspace.base / inner),
                1,
                "this frozen file has no line in the lock",
                mend="run `lockstep release` again, or delete it, or restore its line from the "
                "base branch",
            )


def _working(workspace: Workspace, lock: Lock) -> Iterator[Diagnostic]:
    candidates, diagnostics = workspace.compiled()
    yield from (one for one in diagnostics if one.severity == "error")
    for candidate in candidates:
        entry = lock.entries.get((candidate.name, candidate.version))
        if entry is None or entry.revision == candidate.revision:
            continue
        frozen = _graph_of(workspace, entry)
        free = free_version(lock, entry, frozen, candidate.graph)
        yield Diagnostic(
            code=codes.SAME_VERSION,
            file=candidate.file,
            span=version_span(workspace, candidate),
            what=f"`{entry.name}` {entry.version} is released with another revision: "
            f"{short(entry.revision)} is locked, this file is {short(candidate.revision)}",
            why=_told(frozen, candidate.graph) if frozen is not None else None,
            mend=f'write `version: "{free}"`, or run `lockstep bump {entry.name}`',
        )


def version_span(workspace: Workspace, candidate: Candidate) -> Span:
    """Where a working file states its version."""
    document = load_file(candidate.file, root=workspace.base).document
    node = document.root.get("version") if document is not None else None
    return node.span if node is not None else _line(1)


def _graph_of(workspace: Workspace, entry: LockEntry) -> StepGraph | None:
    """What was released; None when the frozen file is spoilt, which is told elsewhere."""
    try:
        frozen = workspace.frozen(entry.name, entry.version)
    except (DefinitionError, OutsideFolder, UnknownTarget):
        return None
    return frozen.graph if frozen is not None and frozen.revision == entry.revision else None


def _told(old: StepGraph, new: StepGraph) -> str:
    lines = [change.line for change in diff(old, new)]
    more = len(lines) - MOST_CHANGES
    return "; ".join([*lines[:MOST_CHANGES], *([f"… and {more} more"] if more > 0 else [])])


def _digests(entry: LockEntry, data: bytes) -> str:
    return f"locked source {short(entry.source)}, now {short(digest(data))}"


def _finding(
    code: str, file: str, line: int, what: str, *, mend: str | None, why: str | None = None
) -> Diagnostic:
    return Diagnostic(code=code, file=file, span=_line(line), what=what, why=why, mend=mend)


def _line(number: int) -> Span:
    return Span(number, 1, number, 2)
