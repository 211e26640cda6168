"""`compat`: each working file's version is raised as far as its changes since the base ask for.

The base of a file is the release it follows (the highest one below it in the base's lock); in a
repository that releases nothing, the working file of the base.

Rule 1: a workflow that is new, or was never released in a repository that releases, may change.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from engine.client.deploying import Candidate
from engine.definition.diagnostic import Diagnostic
from engine.gitops import codes
from engine.gitops.compat import (
    Bump,
    Verdict,
    declared_bump,
    last_before,
    part_for,
    required_bump,
    suffices,
)
from engine.gitops.lockcheck import version_span
from engine.gitops.refusals import UnknownTarget
from engine.gitops.snapshot import folder_at
from engine.gitops.workspace import Workspace, open_workspace
from engine.interpreter.semantics import CURRENT
from engine.values.version import next_free, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.gitops.lockfile import Lock

State = Literal["new", "same", "enough", "too-small"]


class Judged(msgspec.Struct, frozen=True):
    """One working file. `before` is the version it was compared with; None for a new workflow."""

    name: str
    file: str
    before: str | None
    version: str
    declared: Bump
    required: Bump
    reasons: tuple[str, ...]
    state: State
    mend: str | None = None  # the version that would do


class Compatibility(msgspec.Struct, frozen=True):
    """Every working file, and what is wrong; `findings` is empty when nothing is."""

    judged: tuple[Judged, ...]
    findings: tuple[Diagnostic, ...]


class _Base(msgspec.Struct, frozen=True):
    candidate: Candidate
    semantics: int


def compat_check(folder: Path, against: str) -> Compatibility:
    """Judge the working files of a folder against a git commit, or another workflow folder.

    Raises:
        UnknownTarget, GitUnavailable, LockUnreadable: the base cannot be had.
        DefinitionError: a release of the base does not compile.
        SettingsError: there is no such folder.
    """
    workspace = open_workspace(folder)
    if Path(against).is_dir():
        return _judge(workspace, open_workspace(Path(against)), against)
    with folder_at(workspace, against) as base:
        return _judge(workspace, base, against)


def _judge(workspace: Workspace, base: Workspace, against: str) -> Compatibility:
    lock = base.read_lock()
    working = {} if lock.entries else {one.name: one for one in base.compiled()[0]}
    candidates, diagnostics = workspace.compiled()
    judged: list[Judged] = []
    findings = [one for one in diagnostics if one.severity == "error"]
    for candidate in candidates:
        one = _one(candidate, _base_of(candidate, base, lock, working), lock)
        judged.append(one)
        findings += _findings(workspace, candidate, one, against)
    return Compatibility(tuple(judged), tuple(findings))


def _base_of(
    candidate: Candidate, base: Workspace, lock: Lock, working: dict[str, Candidate]
) -> _Base | None:
    entry = last_before(lock, candidate.name, candidate.version, inclusive=True)
    if entry is None:
        there = working.get(candidate.name)
        return _Base(there, CURRENT) if there is not None else None
    frozen = base.frozen(entry.name, entry.version)
    if frozen is None:
        raise UnknownTarget(
            f"the base has no frozen file of `{entry.name}` {entry.version}, which its lock names",
            hint="`lockstep lock --check` on the base tells more",
        )
    return _Base(frozen, entry.semantics)


def _one(candidate: Candidate, base: _Base | None, lock: Lock) -> Judged:
    if base is None:
        return _judged(candidate, None, "none", Verdict("none", ()), "new")
    before = base.candidate
    # A semantics level is raised by a new build, and counts once something else is released too.
    levels = (base.semantics, CURRENT) if before.revision != candidate.revision else (CURRENT,) * 2
    verdict = required_bump(
        before.graph,
        candidate.graph,
        previous=before.version,
        semantics=levels,
    )
    if verdict.bump == "none":
        return _judged(candidate, before.version, "none", verdict, "same")
    declared = declared_bump(before.version, candidate.version)
    if suffices(declared, verdict.bump):
        return _judged(candidate, before.version, declared, verdict, "enough")
    taken = [parse_version(entry.version) for entry in lock.of(candidate.name)]
    needed = str(
        next_free(parse_version(before.version), taken, part_for(before.version, verdict.bump))
    )
    return _judged(candidate, before.version, declared, verdict, "too-small", needed)


def _judged(
    candidate: Candidate,
    before: str | None,
    declared: Bump,
    verdict: Verdict,
    state: State,
    mend: str | None = None,
) -> Judged:
    return Judged(
        name=candidate.name,
        file=candidate.file,
        before=before,
        version=candidate.version,
        declared=declared,
        required=verdict.bump,
        reasons=tuple(one.line for one in verdict.deciding),
        state=state,
        mend=mend,
    )


def _findings(
    workspace: Workspace, candidate: Candidate, judged: Judged, against: str
) -> Iterator[Diagnostic]:
    if judged.state != "too-small":
        return
    yield Diagnostic(
        code=codes.SMALL_BUMP,
        file=candidate.file,
        span=version_span(workspace, candidate),
        what=f"`{judged.name}` goes from {judged.before} to {judged.version} ({judged.declared}), "
        f"its changes ask for {judged.required}",
        why=f"since {against}: {'; '.join(judged.reasons)}",
        mend=f'write `version: "{judged.mend}"`, or run `lockstep bump {judged.name}`',
    )
