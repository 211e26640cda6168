"""Instances as rows and records, the same for every command that shows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from engine.cli.following import error_tree
from engine.cli.times import told
from engine.cli.tree import error_line

if TYPE_CHECKING:
    from engine.cli.output import Columns
    from engine.client.models import InstanceInfo
    from engine.values.json import JsonObject

SHORT = 12


def record_of(info: InstanceInfo) -> JsonObject:
    """All fields, in their order."""
    record: JsonObject = msgspec.structs.asdict(info)
    return record


def list_columns(*, utc: bool) -> Columns:
    """What `list` shows."""
    return {
        "id": lambda one: one["instance_id"],
        "workflow": lambda one: one["workflow"],
        "version": lambda one: one["version"],
        "status": lambda one: one["status"],
        "created": lambda one: told(one["created_at"], utc=utc),
        "updated": lambda one: told(one["updated_at"], utc=utc),
        "error": lambda one: one["suspended_reason"] or error_line(one["error"]),
    }


def show_lines(one: dict[str, Any], *, utc: bool) -> dict[str, str]:
    """What `show` shows of a record."""
    lines = {
        "id": one["instance_id"],
        "workflow": f"{one['workflow']} {one['version']}",
        "revision": f"{one['revision'][:SHORT]} (semantics {one['semantics']})",
        "status": one["status"],
        "suspended": one["suspended_reason"],
        "execution": str(one["execution"]),
        "parent": one["parent"],
        "created": told(one["created_at"], utc=utc),
        "updated": told(one["updated_at"], utc=utc),
        "finished": told(one["finished_at"], utc=utc),
        "input": _json(one["input"]),
        "output": _json(one["output"]),
        "custom status": _json(one["custom_status"]),
        "waiting for": "\n".join(_wait(wait) for wait in one["waiting_for"] or ()),
        "error": error_tree(one["error"]) if one["error"] else "",
    }
    return {title: text for title, text in lines.items() if text}


def _wait(wait: dict[str, Any]) -> str:
    rest = ", ".join(f"{key} {value}" for key, value in wait.items() if key not in ("kind", "step"))
    return f"{wait['step']}: {wait['kind']}" + (f" ({rest})" if rest else "")


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)
