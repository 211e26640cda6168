"""What an expression sees: a scope of roots, and the ambient its few functions draw from.

The interpreter implements both. Nothing here knows where time or randomness come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

Scope: TypeAlias = Mapping[str, Any]


class Ambient(Protocol):
    """The recorded time, and randomness derived from the place in the execution."""

    def now(self) -> str:
        """Return the time of the event being handled: RFC 3339, UTC, microseconds."""
        ...

    def uuid(self) -> str:
        """Return the next identifier, as canonical text."""
        ...

    def random(self) -> float:
        """Return the next number in [0, 1)."""
        ...


class EvalScope(Protocol):
    """Root name -> JSON value or a Mapping view of JSON; `KeyError` means an undefined root."""

    @property
    def ambient(self) -> Ambient:
        """What `now()`, `uuid()` and `random()` draw from."""
        ...

    def __getitem__(self, root: str, /) -> Any:
        """Return the value of a root."""
        ...
