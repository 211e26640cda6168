"""Scopes for expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


class FixedAmbient:
    """An ambient whose answers are known; identifiers are counted."""

    def __init__(self) -> None:
        self.drawn = 0

    def now(self) -> str:
        return "2026-03-01T09:30:00.000000Z"

    def uuid(self) -> str:
        self.drawn += 1
        return f"00000000-0000-4000-8000-{self.drawn:012}"

    def random(self) -> float:
        self.drawn += 1
        return 0.5


class FixedScope(dict[str, Any]):
    """A scope that is a plain dict."""

    def __init__(self, roots: dict[str, Any]) -> None:
        super().__init__(roots)
        self.ambient = FixedAmbient()


@pytest.fixture
def scope_of() -> Callable[..., FixedScope]:
    """Build a scope from its roots."""

    def build(**roots: Any) -> FixedScope:
        return FixedScope(roots)

    return build
