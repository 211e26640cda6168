"""How an execution begins: its pin and its first fact, the same for every way of starting one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.history.events import Started
from engine.interpreter import semantics
from engine.storage.records import Pin

if TYPE_CHECKING:
    from engine.registry.catalog import Resolved


def pin_of(resolved: Resolved) -> Pin:
    """What a new execution of a resolved version is bound to."""
    return Pin(resolved.name, resolved.version, resolved.revision, semantics.CURRENT)


def started_fact(instance_id: str, pin: Pin, value: Any, **fields: Any) -> Started:
    """The first fact of an execution; its time is set when it is taken up."""
    return Started(
        at=0,
        instance_id=instance_id,
        execution=fields.pop("execution", 1),
        workflow=pin.workflow,
        version=pin.version,
        revision=pin.revision,
        semantics=pin.semantics,
        input=value,
        **fields,
    )
