"""Deploying: files to locked versions in the store.

Everything is compiled and compared before anything is written, so one bad file stops the whole set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.client.development import is_development
from engine.definition.build import load_file, load_text
from engine.errors import DefinitionError, DevelopmentVersion, SettingsError, VersionLocked
from engine.graph.compile import compile_document, look_over
from engine.graph.revision import canonical
from engine.graph.steps import StepGraph
from engine.registry.bindings import exact_bindings
from engine.storage.records import Deployment
from engine.storage.versions import Changed, ChangeSet, Release, VersionName
from engine.values.digest import digest, short
from engine.values.version import next_free, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from engine.definition.build import Loaded
    from engine.definition.diagnostic import Diagnostic
    from engine.definition.document import Document
    from engine.storage.provider import Provider

SUFFIXES = (".yaml", ".yml")
LEFT_OUT = ("releases", "schemas")


class Candidate(msgspec.Struct, frozen=True):
    """A file that compiled."""

    file: str
    name: str
    version: str
    revision: str
    source: bytes
    graph: StepGraph


def workflow_files(path: Path) -> Iterator[Path]:
    """The workflow files of a folder (or the file itself): no tests, schemas or releases."""
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        raise SettingsError(f"there is no workflow file or folder `{path}`")
    for found in sorted(path.rglob("*")):
        inner = found.relative_to(path).parts
        hidden = any(part.startswith(".") or part in LEFT_OUT for part in inner)
        test = found.stem.endswith(".test")
        if found.suffix in SUFFIXES and found.is_file() and not hidden and not test:
            yield found


def compile_path(path: Path) -> tuple[list[Candidate], list[Diagnostic]]:
    """Compile a file or a folder; the candidates and everything that was found."""
    root = path if path.is_dir() else None
    candidates: list[Candidate] = []
    diagnostics: list[Diagnostic] = []
    for file in workflow_files(path):
        candidate, found = compile_file(file, root=root)
        diagnostics += found
        if candidate is not None:
            candidates.append(candidate)
    return candidates, diagnostics


def compile_file(file: Path, *, root: Path | None) -> tuple[Candidate | None, list[Diagnostic]]:
    """Compile one file of the folder `root`."""
    return _compile(load_file(file, root=root))


def compile_text(text: str | bytes, *, file: str = "<text>") -> Candidate:
    """Compile one definition from memory. Raises `DefinitionError`."""
    candidate, found = _compile(load_text(text, file=file))
    if candidate is None:
        raise DefinitionError(found, subject=file)
    return candidate


def candidate_of(document: Document, graph: StepGraph) -> Candidate:
    """A document and what it compiled to, ready to be stored."""
    return Candidate(
        file=document.file,
        name=document.name,
        version=document.version,
        revision=digest(canonical(graph)),
        source=document.source,
        graph=graph,
    )


def _compile(loaded: Loaded) -> tuple[Candidate | None, list[Diagnostic]]:
    document = loaded.document
    found = list(loaded.diagnostics)
    if document is None:
        if loaded.root is not None:
            found += look_over(loaded.root, found[0].file, loaded.diagnostics)
        return None, sorted(found, key=lambda one: (one.file, one.span))
    compiled = compile_document(document)
    found += compiled.diagnostics
    if compiled.graph is None:
        return None, found
    return candidate_of(document, compiled.graph), found


def release_of(
    candidate: Candidate, *, at: int, actor: str | None = None, commit: str | None = None
) -> Release:
    """What the store is to keep of a candidate."""
    deployment = Deployment(
        name=candidate.name,
        version=candidate.version,
        revision=candidate.revision,
        source=candidate.source,
        source_digest=digest(candidate.source),
        deployed_at=at,
        actor=actor,
        commit=commit,
    )
    binds = tuple(VersionName(*bound) for bound in exact_bindings(candidate.graph))
    return Release(deployment, canonical(candidate.graph), binds)


async def deploy_all(
    provider: Provider, candidates: Sequence[Candidate], *, now: int, actor: str | None
) -> list[Deployment]:
    """Store versions; what is there already with the same revision is left as it is.

    Raises:
        VersionLocked: a version is deployed with another revision. Nothing was stored.
    """
    releases = tuple(release_of(one, at=now, actor=actor) for one in candidates)
    done = await apply_change(provider, ChangeSet(at=now, actor=actor, releases=releases))
    return list(done.deployments)


async def apply_change(provider: Provider, change: ChangeSet) -> Changed:
    """Change the catalogue, all or nothing. Raises `VersionLocked` for the first conflict.

    Raises `DevelopmentVersion` for one that is to leave the store it was made in.
    """
    for release in change.releases:
        new = release.deployment
        if is_development(new.version) and await provider.mode() != "dev":
            raise DevelopmentVersion(new.name, new.version)
    done = await provider.change(change)
    for there in done.conflicts:
        offered = next(
            one.deployment
            for one in change.releases
            if (one.deployment.name, one.deployment.version) == (there.name, there.version)
        )
        taken = [one.version for one in await provider.deployments(there.name)]
        raise _locked(offered, there, taken)
    return done


def _locked(offered: Deployment, there: Deployment, taken: Sequence[str]) -> VersionLocked:
    version = parse_version(offered.version)
    free = next_free(version, [parse_version(text) for text in taken])
    return VersionLocked(
        offered.name,
        offered.version,
        deployed=short(there.revision),
        offered=short(offered.revision),
        next_free=str(free),
    )
