"""The JSON type: everything that crosses a boundary of the engine is one of these.

At run time the alias is `Any`: msgspec, which decodes our structs, knows no recursive aliases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
else:
    Json = Any

JsonObject: TypeAlias = dict[str, Json]
