"""Lockstep: a durable workflow engine whose programs are YAML files.

The public names; everything else is private by location. They are loaded on first use, so that
`import engine` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.activities.context import ActivityContext
    from engine.activities.decorator import activity
    from engine.activities.retry import Retry
    from engine.client.client import Client
    from engine.client.handle import Handle
    from engine.client.models import InstanceInfo, StartRequest
    from engine.errors import (
        ActivityError,
        ClientError,
        DefinitionError,
        EngineError,
        InputRefused,
        InstanceCancelled,
        InstanceExists,
        InstanceFailed,
        InstanceFinished,
        InstanceNotFound,
        InstanceTerminated,
        LimitExceeded,
        NodeBusy,
        RegistryError,
        ReplayError,
        ResultTimeout,
        StorageError,
        StorageUnavailable,
        UnknownVersion,
        UnknownWorkflow,
        VersionLocked,
    )
    from engine.runtime.engine import Engine
    from engine.runtime.options import NodeOptions

__version__ = "0.1.0"

__all__ = [
    "ActivityContext",
    "ActivityError",
    "Client",
    "ClientError",
    "DefinitionError",
    "Engine",
    "EngineError",
    "Handle",
    "InputRefused",
    "InstanceCancelled",
    "InstanceExists",
    "InstanceFailed",
    "InstanceFinished",
    "InstanceInfo",
    "InstanceNotFound",
    "InstanceTerminated",
    "LimitExceeded",
    "NodeBusy",
    "NodeOptions",
    "RegistryError",
    "ReplayError",
    "ResultTimeout",
    "Retry",
    "StartRequest",
    "StorageError",
    "StorageUnavailable",
    "UnknownVersion",
    "UnknownWorkflow",
    "VersionLocked",
    "activity",
]

_HOMES = {
    "ActivityContext": "engine.activities.context",
    "activity": "engine.activities.decorator",
    "Retry": "engine.activities.retry",
    "Client": "engine.client.client",
    "Handle": "engine.client.handle",
    "InstanceInfo": "engine.client.models",
    "StartRequest": "engine.client.models",
    "Engine": "engine.runtime.engine",
    "NodeOptions": "engine.runtime.options",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES.get(name, "engine.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
