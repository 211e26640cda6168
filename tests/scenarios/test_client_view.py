"""What a waiting client sees: status in order, the error tree, the end of the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine import Engine
from engine.errors import InstanceFailed, ResultTimeout
from engine.history.events import Completed, StatusSet
from tests.scenarios.activities import Stage, stage_activities
from tests.scenarios.history_view import event_of

pytestmark = pytest.mark.usefixtures("replayed")


@asynccontextmanager
async def running(url: str, folder: Path, body: str) -> AsyncIterator[tuple[Engine, Stage]]:
    path = folder / "workflows" / "main.yaml"
    path.parent.mkdir()
    path.write_text(f'dsl: 1\nname: main\nversion: "1.0.0"\n{body}')
    stage = Stage()
    async with Engine.open(
        url, workflows=path.parent, activities=stage_activities(stage)
    ) as engine:
        yield engine, stage


async def test_74_a_waiting_client_sees_status_in_order(store_url: str, tmp_path: Path) -> None:
    body = """
steps:
  - foreach: ${{ range(5) | list }}
    as: n
    steps:
      - status: ${{ n }}
      - activity: test.echo
"""
    async with running(store_url, tmp_path, body) as (engine, _):
        handle = await engine.client.start("main", id="main")
        seen = [event_of(entry) async for entry in handle.events(after=0)]
        statuses = [event.value for event in seen if isinstance(event, StatusSet)]
        assert statuses == [0, 1, 2, 3, 4]
        assert isinstance(seen[-1], Completed), "the stream ends with the instance"


async def test_a_stream_goes_on_after_a_number(store_url: str, tmp_path: Path) -> None:
    async with running(store_url, tmp_path, "steps: [ { activity: test.echo } ]") as (engine, _):
        handle = await engine.client.start("main", id="main")
        await handle.result(timeout=10)
        numbers = [entry["seq"] async for entry in handle.events(after=2)]
        assert numbers == [3, 4]


async def test_the_result_carries_the_error_tree(store_url: str, tmp_path: Path) -> None:
    body = """
steps:
  - try:
      - activity: test.fail
        with: { message: inner, type: a.b }
    catch:
      - steps:
          - raise: { type: c.d, message: outer }
"""
    async with running(store_url, tmp_path, body) as (engine, _):
        handle = await engine.client.start("main", id="main")
        with pytest.raises(InstanceFailed) as failure:
            await handle.result(timeout=10)
        error = failure.value.error
        assert (error["type"], error["message"]) == ("c.d", "outer")
        assert (error["cause"]["type"], error["cause"]["message"]) == ("a.b", "inner")


async def test_a_result_that_takes_too_long_leaves_the_instance_running(
    store_url: str, tmp_path: Path
) -> None:
    body = "steps: [ { activity: test.gate, with: { name: g } } ]\noutput: done"
    async with running(store_url, tmp_path, body) as (engine, stage):
        handle = await engine.client.start("main", id="main")
        with pytest.raises(ResultTimeout):
            await handle.result(timeout=0.1)
        assert (await engine.client.get("main")).status == "running"
        stage.gate("g").set()
        assert await handle.result(timeout=10) == "done"


async def test_a_hundred_instances_at_once_each_have_their_own_result(
    store_url: str, tmp_path: Path
) -> None:
    body = """
input_schema: { type: object, properties: { n: { type: integer } } }
steps:
  - id: a
    activity: test.add
    with: { a: "${{ input.n }}", b: 1 }
  - sleep: 10ms
  - id: b
    activity: test.add
    with: { a: "${{ steps.a.output }}", b: 1 }
output: ${{ steps.b.output }}
"""
    async with running(store_url, tmp_path, body) as (engine, _):
        handles = await asyncio.gather(
            *(engine.client.start("main", {"n": n}, id=f"i{n}") for n in range(100))
        )
        results = await asyncio.gather(*(handle.result(timeout=20) for handle in handles))
        assert results == [n + 2 for n in range(100)]


async def test_9_a_warning_is_logged_once_though_the_history_is_replayed(
    store_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = """
signals: { go: {} }
steps:
  - log: only once
    level: warning
  - wait: go
"""
    folder = tmp_path / "workflows"
    with caplog.at_level("INFO"):
        async with running(store_url, tmp_path, body) as (engine, _):
            await engine.client.start("main", id="main")
            async for entry in engine.client.events("main", after=0):
                if entry["seq"] == 3:
                    break
        stage = Stage()
        async with Engine.open(
            store_url, workflows=folder, activities=stage_activities(stage)
        ) as engine:
            await engine.client.signal("main", "go")
            await engine.client.result("main", timeout=10)
    lines = [record for record in caplog.records if "only once" in record.getMessage()]
    assert [record.levelname for record in lines] == ["WARNING"]
