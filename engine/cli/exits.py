"""Exit codes: what they mean, and which error gives which. Stated here once."""

from __future__ import annotations

from typing import Final

from engine import errors
from engine.errors import EngineError
from engine.gitops import refusals

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
LOCKED: Final = 3
TOO_SMALL: Final = 4
DIVERGED: Final = 5
NOT_FOUND: Final = 8
TIMED_OUT: Final = 11
UNAVAILABLE: Final = 75
INTERRUPTED: Final = 130

MEANINGS: Final = {
    OK: "what was asked for is done",
    FAILED: "the thing asked about failed: findings, a refused start, a failed instance",
    USAGE: "the command line, the settings or an input cannot be used",
    LOCKED: "a deployed or released version was changed, or the lock is broken",
    TOO_SMALL: "a version is raised less than its changes ask for",
    DIVERGED: "a replay decides something else than the history says",
    NOT_FOUND: "no such instance, workflow, version or code",
    TIMED_OUT: "the instance did not end in time; it goes on running",
    UNAVAILABLE: "the database cannot be used now, or has another node; trying again may help",
    INTERRUPTED: "interrupted by Ctrl-C; what was started can go on",
}

# The first class that fits decides.
_CODES: Final[tuple[tuple[type[EngineError], int], ...]] = (
    (errors.UnknownWorkflow, NOT_FOUND),
    (errors.UnknownVersion, NOT_FOUND),
    (errors.InstanceNotFound, NOT_FOUND),
    (errors.ExecutionNotFound, NOT_FOUND),
    (refusals.UnknownTarget, NOT_FOUND),
    (refusals.OutsideFolder, USAGE),
    (errors.VersionLocked, LOCKED),
    (refusals.ReleaseLocked, LOCKED),
    (refusals.LockUnreadable, LOCKED),
    (errors.ResultTimeout, TIMED_OUT),
    (errors.InputRefused, USAGE),
    (errors.LimitExceeded, USAGE),
    (errors.SettingsError, USAGE),
    (errors.ReplayError, DIVERGED),
    (errors.StorageUnavailable, UNAVAILABLE),
    (errors.NodeBusy, UNAVAILABLE),
    (errors.LeaseLost, UNAVAILABLE),
    (EngineError, FAILED),
)


class CommandFailed(EngineError):
    """A command ends here; what there is to see has been printed, but for the message."""

    code = "cli.failed"

    def __init__(self, message: str, *, hint: str | None = None, exit_code: int = FAILED) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


def code_for(error: EngineError) -> int:
    """The exit code of an error."""
    if isinstance(error, CommandFailed):
        return error.exit_code
    return next(code for kind, code in _CODES if isinstance(error, kind))
