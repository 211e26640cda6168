"""K1: `kill -9` at every commit boundary, claim and effect of a workload that has everything."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

STRIDE = 4


async def sweep(folder: Path, *numbers: int) -> dict[str, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-m", "tests.chaos.failpoints", str(folder), *map(str, numbers)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, problems = await process.communicate()
    assert process.returncode == 0, problems.decode()
    found: dict[str, int] = json.loads(out)
    return found


@pytest.mark.parametrize("first", range(1, STRIDE + 1))
async def test_a_kill_at_any_point_changes_nothing(first: int, tmp_path: Path) -> None:
    found = await sweep(tmp_path, first, STRIDE, 0)
    assert found["points"] >= 90, "the workload has become smaller"
    assert found["kills"] >= found["points"] // STRIDE - 2


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("again", [1, 4, 9, 16, 25, 36])
async def test_a_second_kill_on_the_way_back_changes_nothing(again: int, tmp_path: Path) -> None:
    found = await sweep(tmp_path, 1, 1, again)
    assert found["kills"] > found["points"]
