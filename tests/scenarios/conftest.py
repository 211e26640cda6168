"""The stores the scenarios run on."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh store of each kind."""
    assert request.param == "sqlite"
    return f"sqlite:///{tmp_path / 'lockstep.db'}"
