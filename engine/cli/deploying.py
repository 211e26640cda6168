"""Deploying from the command line: findings with their excerpts, refusals with their difference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from engine.cli.clean import blanked, clean, clean_line
from engine.cli.exits import CommandFailed
from engine.cli.output import colour, say
from engine.client.deploying import Candidate, compile_path
from engine.definition.excerpt import render_all
from engine.errors import StorageError, VersionLocked
from engine.graph.diff import diff
from engine.graph.revision import load_graph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.cli.opening import Opened
    from engine.definition.diagnostic import Diagnostic
    from engine.storage.records import Deployment

MOST_CHANGES = 20


class Refusal(msgspec.Struct, frozen=True):
    """A file whose version is locked with another revision; `changes` lead from that to this."""

    candidate: Candidate
    error: VersionLocked
    changes: tuple[str, ...]


def compiled(path: Path) -> tuple[list[Candidate], list[Diagnostic]]:
    """The workflows of a file or folder, and everything that is wrong with them."""
    return compile_path(path)


def findings_text(diagnostics: Sequence[Diagnostic], *, coloured: bool) -> str:
    """Findings with their source lines."""
    sources = {clean_line(one.file): blanked(source_of(one.file)) for one in diagnostics}
    return render_all([harmless(one) for one in diagnostics], sources, colour=coloured)


def harmless(one: Diagnostic) -> Diagnostic:
    """The finding without what may harm a terminal: it quotes names of the file."""
    return msgspec.structs.replace(
        one,
        file=clean_line(one.file),
        what=clean(one.what),
        why=one.why and clean(one.why),
        mend=one.mend and clean(one.mend),
        suggestions=tuple(map(clean_line, one.suggestions)),
    )


def source_of(file: str) -> str:
    """The text of a file as far as it can be shown."""
    try:
        with Path(file).open("rb") as stream:
            return stream.read(1 << 20).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def tell_findings(diagnostics: Sequence[Diagnostic]) -> None:
    """Findings on stderr."""
    if diagnostics:
        coloured = colour(err=True)
        click.echo(findings_text(diagnostics, coloured=coloured) + "\n", err=True, color=coloured)


async def refused(opened: Opened, candidates: Sequence[Candidate]) -> list[Refusal]:
    """Those that cannot be deployed, because their versions are locked with other revisions."""
    found: list[Refusal] = []
    stored = {(one.name, one.version): one for one in await opened.client.deployments()}
    for candidate in candidates:
        there = stored.get((candidate.name, candidate.version))
        if there is None or there.revision == candidate.revision:
            continue
        try:
            await opened.client.deploy_compiled([candidate])
        except VersionLocked as error:
            found.append(Refusal(candidate, error, await _changes(opened, there, candidate)))
    return found


async def _changes(opened: Opened, there: Deployment, candidate: Candidate) -> tuple[str, ...]:
    graph = await opened.provider.graph(there.revision)
    if graph is None:
        raise StorageError(f"the graph of revision {there.revision} is missing")
    return tuple(change.line for change in diff(load_graph(graph), candidate.graph))


def tell_refusal(refusal: Refusal) -> None:
    """A refusal on stderr: both digests, what differs, the next free version."""
    error = refusal.error
    lines = [
        f"{refusal.candidate.file}: {error.name} {error.version} is locked and this file differs",
        f"  deployed  {error.deployed}",
        f"  this file {error.offered}",
        *(f"    {line}" for line in refusal.changes[:MOST_CHANGES]),
    ]
    if len(refusal.changes) > MOST_CHANGES:
        lines.append(f"    … and {len(refusal.changes) - MOST_CHANGES} more")
    lines.append(f'  mend: write `version: "{error.next_free}"` into the file')
    click.echo(clean("\n".join(lines)), err=True)


async def deploy_folder(opened: Opened, path: Path, *, wanted: str | None = None) -> None:
    """Deploy what can be deployed and tell the rest.

    Raises:
        CommandFailed: the workflow `wanted` itself is refused.
    """
    candidates, diagnostics = compiled(near(path))
    errors = [one for one in diagnostics if one.severity == "error"]
    tell_findings(errors)
    refusals = await refused(opened, candidates)
    for refusal in refusals:
        tell_refusal(refusal)
    locked = {refusal.candidate.name for refusal in refusals}
    done = [one for one in candidates if one.name not in locked]
    await opened.client.deploy_compiled(done)
    broken = {_name_of(Path(one.file), near(path)) for one in errors}
    if wanted is not None and wanted in locked | broken:
        raise CommandFailed(
            f"`{wanted}` is not started: its file cannot be deployed",
            hint=f"mend it, or name a deployed --version (`lockstep versions {wanted}`)",
        )
    if locked or broken:
        say(f"{len(done)} workflows of {near(path)} deployed, {len(locked | broken)} refused")


def near(path: Path) -> Path:
    """The path as short as it can be said from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _name_of(file: Path, folder: Path) -> str:
    """The name that a file's path gives its workflow."""
    inner = file.relative_to(folder) if file.is_relative_to(folder) else Path(file.name)
    return inner.with_suffix("").as_posix()
