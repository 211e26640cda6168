"""Saving: a changed file becomes a development version, or says why it does not.

Rule 1: a file that does not compile, or is gone, changes nothing: the last good version stays the
one that new starts get.
Rule 2: all good files of one change are deployed together, in one transaction, with their policies.
Rule 3: running instances are never touched here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from engine.client.deploying import (
    SUFFIXES,
    Candidate,
    compile_file,
    release_of,
    workflow_files,
)
from engine.client.development import DIGITS, development_version
from engine.definition.diagnostic import Diagnostic
from engine.errors import SettingsError, VersionLocked
from engine.registry.policy import Exact
from engine.storage.versions import ChangeSet, PolicyChange

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.client.client import Client
    from engine.values.clock import Clock

MORE_DIGITS: Final = 16  # of the revision, should two of a file look alike in `DIGITS`


class Saved(msgspec.Struct, frozen=True):
    """New starts of this name get this version."""

    file: str
    name: str
    version: str
    revision: str


class Refused(msgspec.Struct, frozen=True):
    """The file does not compile; new starts get the last version that did."""

    file: str
    diagnostics: tuple[Diagnostic, ...]


class Gone(msgspec.Struct, frozen=True):
    """The file was removed; the last version of its name stays."""

    file: str


Outcome: TypeAlias = Saved | Refused | Gone


class _Compiled(msgspec.Struct, frozen=True):
    file: str
    candidate: Candidate | None
    diagnostics: tuple[Diagnostic, ...]


class Saves:
    """The workflow files of one folder, as they become versions."""

    def __init__(self, client: Client, folder: Path, *, clock: Clock, actor: str | None) -> None:
        self._client = client
        self._folder = folder
        self._clock = clock
        self._actor = actor
        self._files: set[Path] = set()

    async def take(self, paths: frozenset[Path], *, everything: bool) -> list[Outcome]:
        """What has become of changed paths; `everything` looks at the whole folder."""
        known, compiled = await asyncio.to_thread(self._look, paths, everything)
        gone = [Gone(str(file)) for file in sorted(self._files - known)]
        self._files = known
        good = [one.candidate for one in compiled if one.candidate is not None]
        bad = [Refused(one.file, one.diagnostics) for one in compiled if one.candidate is None]
        return [*await self._deploy(good), *bad, *gone]

    def _look(self, paths: frozenset[Path], everything: bool) -> tuple[set[Path], list[_Compiled]]:
        try:
            known = set(workflow_files(self._folder))
        except (SettingsError, OSError):  # the folder is away, all of it
            return self._files, []
        everything = everything or any(map(_concerns_others, paths - known))
        compiled = []
        for file in sorted(known if everything else known & paths):
            candidate, diagnostics = compile_file(file, root=self._folder)
            compiled.append(_Compiled(str(file), candidate, tuple(diagnostics)))
        return known, compiled

    async def _deploy(self, candidates: Sequence[Candidate]) -> list[Saved]:
        _, catalog = await self._client.catalog()
        for digits in (DIGITS, MORE_DIGITS):
            made = [
                msgspec.structs.replace(
                    one, version=development_version(one.version, one.revision, digits=digits)
                )
                for one in candidates
            ]
            new = [one for one in made if catalog.policy(one.name) != Exact(one.version)]
            if not new:
                return []
            try:
                await self._client.change(self._change(new))
            except VersionLocked:
                if digits == MORE_DIGITS:
                    raise
                continue
            return [Saved(one.file, one.name, one.version, one.revision) for one in new]
        raise AssertionError("unreachable")

    def _change(self, candidates: Sequence[Candidate]) -> ChangeSet:
        now = self._clock.now()
        return ChangeSet(
            at=now,
            actor=self._actor,
            releases=tuple(release_of(one, at=now, actor=self._actor) for one in candidates),
            policies=tuple(
                PolicyChange(one.name, one.version, (one.version,)) for one in candidates
            ),
        )


def _concerns_others(path: Path) -> bool:
    """Whether definitions may refer to it: a schema, or a folder that came or went."""
    schema = path.suffix in SUFFIXES and "schemas" in path.parts
    return schema or path.suffix == ".json" or path.is_dir()
