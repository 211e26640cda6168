"""Log lines of the engine on stderr: one line each, without tracebacks."""

from __future__ import annotations

import logging
import sys

from engine.cli.clean import clean_line

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class OneLine(logging.Formatter):
    """`12:00:01 WARNING what happened key=value`."""

    def format(self, record: logging.LogRecord) -> str:
        parts = [self.formatTime(record, "%H:%M:%S"), record.levelname, record.getMessage()]
        for name, value in vars(record).items():
            if name not in _STANDARD and value not in (None, {}, ""):
                parts.append(f"{name}={value}")
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            parts.append(f"{type(error).__name__}: {error}")
        return clean_line(" ".join(parts))


class _ToStderr(logging.Handler):
    """Writes to what `sys.stderr` is at that moment: a live tree stands above it."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)


def log_to_stderr(*, workflows: bool = False) -> None:
    """Show warnings; with `workflows` also what workflows log."""
    handler = _ToStderr()
    handler.setFormatter(OneLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("lockstep.workflow").setLevel(
        logging.DEBUG if workflows else logging.CRITICAL + 1
    )
