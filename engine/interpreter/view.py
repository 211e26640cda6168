"""What people ask of a live state: where it stands, what it waits for, its calls in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.values.instant import format_instant

if TYPE_CHECKING:
    from engine.history.events import ActivityScheduled
    from engine.interpreter.execution import Execution
    from engine.values.json import JsonObject


def calls_in_flight(run: Execution) -> list[tuple[int, ActivityScheduled]]:
    """Activities that are scheduled and not answered, by ref."""
    calls = []
    for ref, frame in sorted(run.open.items()):
        if frame.refs is not None and frame.refs.get("activity") == ref:
            node: Any = frame.node
            calls.append((ref, node.call(frame)))
    return calls


def waiting_for(run: Execution) -> list[JsonObject]:
    """Every open decision as {kind, step, …}, oldest first."""
    waits: list[JsonObject] = []
    for ref, frame in sorted(run.open.items()):
        label = next(label for label, open_ref in (frame.refs or {}).items() if open_ref == ref)
        node: Any = frame.node
        entry: JsonObject = {"kind": label, "step": frame.path or "(workflow)"}
        match label:
            case "activity":
                entry.update(activity=node.step.activity, attempt=frame.data["attempt"])
            case "child":
                entry.update(workflow=node.step.workflow, instance_id=frame.data["child"])
            case "start":
                entry.update(workflow=node.step.workflow)
            case "wait":
                entry.update(kind="signal", name=node.signal)
            case "signal":
                entry.update(kind="delivery", name=node.signal)
            case _:
                entry.update(due_at=format_instant(frame.data[f"{label}_due"]))
        waits.append(entry)
    return waits


def state_view(run: Execution) -> JsonObject:
    """The state as a person reads it: variables, step records, waits, mailbox."""
    root = run.root
    variables = dict(root.scope.own_vars or {}) if root else {}
    steps = dict(root.scope.own_steps or {}) if root else {}
    return {
        "seq": run.seq,
        "at": format_instant(run.now),
        "vars": variables,
        "steps": steps,
        "waiting_for": list(waiting_for(run)),
        "mailbox": {name: len(queue) for name, queue in run.mailbox.items() if queue},
        "custom_status": run.custom_status,
        "cancelling": run.cancelling,
    }
