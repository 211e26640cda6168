"""What an instance does, in lines: one for each event worth telling."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from engine.cli.tree import error_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_LINES: Final[dict[str, Callable[[Any], str]]] = {
    "started": lambda e: f"started {e['workflow']} {e['version']}{_execution(e)}",
    "activity_scheduled": lambda e: f"call {e['activity']}{_attempt(e)}",
    "activity_completed": lambda e: "done",
    "activity_failed": lambda e: f"failed: {error_line(e['error'])}",
    "activity_cancelled": lambda e: "cancelled",
    "child_scheduled": lambda e: f"start {e['workflow']} as {e['instance_id']}{_attempt(e)}",
    "child_completed": lambda e: "done",
    "child_failed": lambda e: f"failed: {error_line(e['error'])}",
    "signal_sent": lambda e: f"send signal {e['name']} to {e['to']}",
    "signal_refused": lambda e: f"failed: {error_line(e['error'])}",
    "signal_received": lambda e: f"signal {e['name']} received",
    "wait_opened": lambda e: f"wait for signal {e['name']}",
    "signal_taken": lambda e: f"took signal {e['name']}",
    "status_set": lambda e: f"status {json.dumps(e.get('value'), ensure_ascii=False)}",
    "logged": lambda e: f"{e['level']}: {e['text']}",
    "cancel_requested": lambda e: f"cancel requested{_reason(e)}",
    "terminated": lambda e: f"terminated{_reason(e)}",
    "aborted": lambda e: f"failed: {error_line(e['error'])}",
    "rebased": lambda e: f"goes over to version {e['version']}",
    "completed": lambda e: "completed",
    "failed": lambda e: f"failed: {error_line(e['error'])}",
    "cancelled": lambda e: f"cancelled{_reason(e)}",
    "continued_as_new": lambda e: "continues as new",
}
_TIMERS: Final = {"sleep": "sleep", "retry": "try again", "every": "next round"}


class Progress:
    """Turns events into lines; remembers which step a later event refers to."""

    def __init__(self) -> None:
        self._paths: dict[int, str] = {}

    def line(self, event: Mapping[str, Any]) -> str | None:
        """The line of an event; None when it is not worth one."""
        kind = event["kind"]
        if kind == "started":
            self._paths.clear()
        path = event.get("path")
        if path is not None:
            self._paths[event["seq"]] = path
        else:
            path = self._paths.get(event.get("ref", 0))
        text = self._text(kind, event)
        if text is None:
            return None
        clock = str(event["at"])[11:19]
        return f"{clock} {path}: {text}" if path else f"{clock} {text}"

    def _text(self, kind: str, event: Mapping[str, Any]) -> str | None:
        if kind == "timer_created":
            from engine.values.instant import format_instant

            word = _TIMERS.get(event.get("purpose", "sleep"))
            return word and f"{word} at {format_instant(event['due_at'])[11:19]}"
        told = _LINES.get(kind)
        return told(event) if told is not None else None


def _attempt(event: Mapping[str, Any]) -> str:
    attempt = event.get("attempt", 1)
    return f" (attempt {attempt})" if attempt > 1 else ""


def _execution(event: Mapping[str, Any]) -> str:
    return f" (execution {event['execution']})" if event["execution"] > 1 else ""


def _reason(event: Mapping[str, Any]) -> str:
    return f": {event['reason']}" if event.get("reason") else ""
