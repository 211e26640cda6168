"""What a person may name to be compared: a file, a release, a file of a git commit.

| written | means |
|---|---|
| `workflows/order.yaml` | that file, as it stands |
| `order` | the working file of that workflow |
| `order@1.2.0` | that release; else that deployment, when the caller has a store |
| `main:workflows/order.yaml` | the file at that commit, with the schema files of that commit |
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.client.deploying import compile_path
from engine.definition.build import load_file
from engine.definition.literals import WORKFLOW_NAME
from engine.errors import DefinitionError
from engine.gitops.git import Repository
from engine.gitops.refusals import UnknownTarget
from engine.gitops.snapshot import folder_at
from engine.gitops.workspace import compile_working
from engine.graph.compile import compile_document
from engine.graph.steps import StepGraph

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.definition.diagnostic import Diagnostic
    from engine.gitops.workspace import Workspace

    # Name and version -> the graph that a store has under them.
    Stored = Callable[[str, str], StepGraph | None]


class Target(msgspec.Struct, frozen=True):
    """A graph with the name a person gave it."""

    label: str
    version: str
    graph: StepGraph


def find_target(text: str, workspace: Workspace, stored: Stored | None = None) -> Target:
    """The graph that a text names.

    Raises:
        UnknownTarget: it names nothing.
        DefinitionError: what it names does not compile.
    """
    name, at, version = text.partition("@")
    if at and WORKFLOW_NAME.fullmatch(name):
        return _release(text, name, version, workspace, stored)
    if Path(text).is_file():
        return _file(text, Path(text))
    if WORKFLOW_NAME.fullmatch(text):
        candidate = compile_working(workspace.working(text))
        return Target(text, candidate.version, candidate.graph)
    ref, colon, path = text.partition(":")
    if colon and ref:
        return _committed(text, ref, path, workspace)
    raise UnknownTarget(
        f"`{text}` names nothing to compare",
        hint="name a file, `order`, `order@1.2.0` or `main:workflows/order.yaml`",
    )


def _release(
    text: str, name: str, version: str, workspace: Workspace, stored: Stored | None
) -> Target:
    candidate = workspace.frozen(name, version)
    if candidate is not None:
        return Target(text, candidate.version, candidate.graph)
    graph = stored(name, version) if stored is not None else None
    if graph is not None:
        return Target(text, version, graph)
    known = [entry.version for entry in workspace.read_lock().of(name)]
    raise UnknownTarget(
        f"`{name}` {version} is neither released nor deployed here",
        hint=f"released: {', '.join(known) or 'none'}",
    )


def _file(text: str, path: Path) -> Target:
    candidates, diagnostics = compile_path(path)
    if not candidates:
        raise DefinitionError(diagnostics, subject=text)
    return Target(text, candidates[0].version, candidates[0].graph)


def _committed(text: str, ref: str, path: str, workspace: Workspace) -> Target:
    path = posixpath.normpath(path)
    prefix = Repository(workspace.base).prefix
    folder = prefix if path.startswith(prefix) else f"{posixpath.dirname(path)}/"
    inner = path.removeprefix(folder) if folder != "/" else path
    with folder_at(workspace, ref, folder) as there:
        loaded = load_file(there.base / inner, root=there.base)
        document = loaded.document
        if document is None:
            raise DefinitionError(_named(loaded.diagnostics, text), subject=text)
        compiled = compile_document(document)
        if compiled.graph is None:
            raise DefinitionError(_named(compiled.diagnostics, text), subject=text)
        return Target(text, document.version, compiled.graph)


def _named(found: tuple[Diagnostic, ...], text: str) -> list[Diagnostic]:
    """Findings of a temporary file, under the name the person gave it."""
    return [msgspec.structs.replace(one, file=text) for one in found]
