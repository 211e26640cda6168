"""A workflow folder as it was at a git commit, in a temporary folder of its own.

Rule 1: nothing is checked out: contents are read as objects and written as plain files, so neither
the working tree nor the index is touched, and no filter or hook can run.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.client.deploying import SUFFIXES
from engine.gitops.files import MAX_LOCK_BYTES, read_bytes
from engine.gitops.git import Repository
from engine.gitops.lockfile import LOCK_NAME, Lock
from engine.gitops.workspace import Workspace, lock_of

if TYPE_CHECKING:
    from collections.abc import Iterator

READ: Final = (*SUFFIXES, ".json", LOCK_NAME)


@contextmanager
def folder_at(workspace: Workspace, ref: str, inner: str | None = None) -> Iterator[Workspace]:
    """The workflow folder at a commit; `inner` names another folder of the repository instead.

    Of a repository without commits, `HEAD` is an empty folder.

    Raises:
        UnknownTarget: git knows no such commit, or the folder is in no repository.
        GitUnavailable: git does not answer.
    """
    repository = Repository(workspace.base)
    folder = (repository.prefix if inner is None else inner).rstrip("/")
    with tempfile.TemporaryDirectory(prefix="lockstep-") as name:
        place = Path(name).resolve()
        commit = repository.commit(ref)
        if commit is not None:
            repository.export(commit, folder, place, suffixes=READ)
        yield Workspace(place)


def lock_against(workspace: Workspace, against: str) -> Lock:
    """The lock to compare with: a lock file, or the one of a git commit.

    Raises:
        UnknownTarget, GitUnavailable, LockUnreadable: it cannot be had.
    """
    file = Path(against)
    if file.is_file():
        data = read_bytes(file.absolute().parent, file.name, limit=MAX_LOCK_BYTES)
        return Lock() if data is None else lock_of(data, file=against)
    repository = Repository(workspace.base)
    commit = repository.commit(against)
    if commit is None:
        return Lock()
    path = f"{repository.prefix}{LOCK_NAME}"
    data = repository.read(commit, path, limit=MAX_LOCK_BYTES)
    return Lock() if data is None else lock_of(data, file=f"{against}:{path}")
