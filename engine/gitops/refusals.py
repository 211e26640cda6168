"""What the file side of versions refuses, as errors of the one tree.

Attributes first; the message is built from them. Which exit code each gets is the command line's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import EngineError, RegistryError, StorageUnavailable
from engine.values.digest import short

if TYPE_CHECKING:
    from collections.abc import Sequence


class ReleaseLocked(RegistryError):
    """The version is released with another revision; a release never changes.

    `changes` lead from what was released to what was offered, a line each.
    """

    code = "gitops.release_locked"

    def __init__(
        self,
        name: str,
        version: str,
        *,
        released: str,
        offered: str,
        next_free: str,
        changes: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.version = version
        self.released = released
        self.offered = offered
        self.next_free = next_free
        self.changes = tuple(changes)
        super().__init__(
            f"`{name}` {version} is locked: released revision {short(released)}, "
            f"this file is {short(offered)}",
            hint=f"`lockstep bump {name}` raises it; the next free version is {next_free}",
        )


class LockUnreadable(EngineError):
    """A line of the lock file is not what `lockstep release` writes. `line` counts from 1."""

    code = "gitops.lock_unreadable"

    def __init__(self, file: str, line: int, problem: str, *, mend: str) -> None:
        self.file = file
        self.line = line
        self.problem = problem
        self.mend = mend
        super().__init__(f"{file}:{line}: {problem}", hint=mend)


class ReleaseRefused(EngineError):
    """A version cannot be released or raised as asked; nothing was written."""

    code = "gitops.release_refused"


class OutsideFolder(EngineError):
    """A path leads out of the workflow folder, by `..` or by a symbolic link."""

    code = "gitops.outside"


class UnknownTarget(EngineError):
    """A file, release or git revision that was named is not there."""

    code = "gitops.unknown_target"


class GitUnavailable(StorageUnavailable):
    """git is not installed, does not answer, or broke off."""

    code = "gitops.git_unavailable"
