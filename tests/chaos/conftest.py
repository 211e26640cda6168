"""A scene for each test; no worker outlives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.scene import Scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A fresh folder."""
    scene = Scene(tmp_path)
    yield scene
    if scene.worker is not None:
        await scene.kill()
