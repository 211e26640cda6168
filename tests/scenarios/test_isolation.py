"""Scenario 66, second part: what does not stop when told is killed, when it runs isolated."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from engine import Engine
from engine.errors import InstanceCancelled
from tests.scenarios import isolated
from tests.scenarios.scenario import program_of

pytestmark = pytest.mark.usefixtures("replayed")

WORKFLOW = """
dsl: 1
name: main
version: "1.0.0"
input_schema: { type: object, properties: { marker: { type: string } } }
steps:
  - id: d
    activity: isolated.double
    with: { n: 21 }
  - id: r
    race:
      run: [ { activity: isolated.runaway, with: { marker: "${{ input.marker }}" } } ]
      limit: [ { sleep: 1h } ]
output: ${{ steps.d.output }}
"""


async def test_a_runaway_is_killed_after_the_grace(store_url: str, tmp_path: Path) -> None:
    path = tmp_path / "workflows" / "main.yaml"
    path.parent.mkdir()
    path.write_text(WORKFLOW)
    program_of(path)
    marker = tmp_path / "marker"
    async with Engine.open(store_url, workflows=path.parent, activities=[isolated]) as engine:
        handle = await engine.client.start("main", {"marker": str(marker)}, id="main")
        async with asyncio.timeout(20):
            while not marker.exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.02)
        began = time.monotonic()
        await engine.client.cancel("main", "runaway")
        with pytest.raises(InstanceCancelled):
            await handle.result(timeout=10)
        assert time.monotonic() - began < 5
    assert time.monotonic() - began < 20, "closing does not wait for it for ever"
