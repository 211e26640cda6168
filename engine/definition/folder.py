"""Where workflow files live: the workflow root, and how a file's path gives its workflow's name.

The root is the nearest folder above the file that holds `lockstep.toml` or a `pyproject.toml` with
`[tool.lockstep]`; else the nearest folder named `workflows`; else the file's own folder. Names
count from the folder `workflows` of a root that has one on the way to the file. A frozen copy
`releases/<name>/<version>.yaml` stands for the workflow `<name>` at that version.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from engine.definition.document import Mapping, Scalar
from engine.definition.source import is_folder, is_root
from engine.definition.wording import shorten

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report

_WORKFLOWS: Final = "workflows"
_RELEASES: Final = "releases"


class Folder(msgspec.Struct, frozen=True):
    """`root` confines what may be read; names and `$ref`s count from `base`, in or at the root."""

    root: Path
    base: Path


def workflow_folder(path: Path | None, root: Path | None) -> Folder | None:
    """The folder a file belongs to; None for a text that comes from nowhere."""
    if path is None:
        return None if root is None else Folder(root.absolute(), _below(root.absolute()))
    absolute = path.absolute()
    found = root.absolute() if root is not None else _root_of(absolute)
    base = found
    if absolute.is_relative_to(found) and absolute.relative_to(found).parts[:1] == (_WORKFLOWS,):
        base = found / _WORKFLOWS
    return Folder(found, base)


def _below(root: Path) -> Path:
    inner = root / _WORKFLOWS
    return inner if is_folder(inner) else root


def _root_of(path: Path) -> Path:
    for folder in path.parents:
        if is_root(folder):
            return folder
    for folder in path.parents:
        if folder.name == _WORKFLOWS:
            return folder
    return path.parent


def check_name(tree: Mapping, path: Path, folder: Folder, report: Report) -> None:
    """Note a name, or a frozen version, that is not the one the path says."""
    absolute = path.absolute()
    if not absolute.is_relative_to(folder.base):
        return
    parts = absolute.relative_to(folder.base).with_suffix("").parts
    name, version = tree.get("name"), tree.get("version")
    if parts[0] == _RELEASES and len(parts) > 2:
        frozen = absolute.name.removesuffix(absolute.suffix)
        _compare(name, "/".join(parts[1:-1]), "name", path, report)
        _compare(version, frozen, "version", path, report)
    else:
        _compare(name, "/".join(parts), "name", path, report)


def _compare(node: object, wanted: str, key: str, path: Path, report: Report) -> None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or node.value == wanted:
        return
    report.error(
        "E105",
        node.span,
        f"the {key} `{shorten(node.value)}` is not the one the file's path says",
        why=f"`{path}` is `{wanted}`",
        mend=f"write `{key}: {wanted}`, or move the file",
    )
