"""The managed-PostgreSQL control plane: the project's own workflows on a real little cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import workflows.activities
from engine import Engine
from engine.errors import InstanceFailed
from engine.history.events import Logged
from engine.interpreter.program import Program
from tests.scenarios.history_view import fits, history_of
from tests.scenarios.invariants import check_invariants
from tests.scenarios.scenario import program_of
from workflows.cluster import cluster, rows

FOLDER = Path(workflows.__file__).parent


@pytest.fixture
async def plane(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engine]:
    """The control plane on a cluster whose pods are ready at the first look."""
    monkeypatch.setenv("LOCKSTEP_CLUSTER", str(tmp_path / "cluster.db"))
    monkeypatch.setenv("LOCKSTEP_SHOP", str(tmp_path / "shop.db"))
    monkeypatch.setenv("LOCKSTEP_MEDIA", str(tmp_path / "media"))
    monkeypatch.setenv("LOCKSTEP_POD_POLLS", "1")
    monkeypatch.delenv("LOCKSTEP_FAIL_PROBE", raising=False)
    async with Engine.open(
        store_url, workflows=FOLDER, activities=[workflows.activities]
    ) as engine:
        yield engine
        programs: dict[str, Program] = dict(map(program_of, FOLDER.glob("*.yaml")))
        await check_invariants(engine.client, programs)


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not holds():  # noqa: ASYNC110 - the cluster announces nothing
            await asyncio.sleep(0.02)


def names_in(table: str) -> list[str]:
    return [row["name"] for row in rows(f"SELECT name FROM {table} ORDER BY name")]


async def run(engine: Engine, workflow: str, given: dict[str, Any], id: str | None = None) -> Any:
    handle = await engine.client.start(workflow, given, id=id or workflow)
    return await handle.result(timeout=20)


async def test_the_whole_life(plane: Engine) -> None:
    created = await run(plane, "create-instance", {"name": "orders", "check_every": "50ms"})
    assert created["dsn"] == "postgresql://orders.databases.example:5432/postgres"
    assert created["server"] == "PostgreSQL 17.2"
    assert created["actor"] == "actor-orders"
    assert 0 < created["seconds"] < 20
    (record,) = rows("SELECT * FROM instances")
    assert (record["state"], record["actor_id"]) == ("running", "actor-orders")
    await eventually(lambda: len(rows("SELECT * FROM health WHERE healthy")) >= 2)
    assert await run(plane, "delete-instance", {"name": "orders"}) == {
        "deleted": True,
        "actor_told": True,
    }
    ended: Any = await plane.client.result("actor-orders", timeout=20)
    assert ended["reason"] in ("deleted", "gone")
    assert (names_in("instances"), names_in("pods"), names_in("dns")) == ([], [], [])
    assert (await plane.client.get("actor-orders")).execution >= 2


async def test_the_actor_waits_for_its_tick_or_for_the_deletion(plane: Engine) -> None:
    await run(plane, "create-instance", {"name": "orders", "check_every": "1h"})
    await eventually(lambda: len(rows("SELECT * FROM health")) == 1)
    await plane.client.signal("actor-orders", "check_now", {"by": "ann"})
    await eventually(lambda: len(rows("SELECT * FROM health")) == 2)
    await run(plane, "delete-instance", {"name": "orders"})
    ended: Any = await plane.client.result("actor-orders", timeout=20)
    assert ended["reason"] == "deleted"


async def test_a_failed_probe_rolls_back_and_fails_with_the_original_error(
    plane: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKSTEP_FAIL_PROBE", "1")
    with pytest.raises(InstanceFailed) as failure:
        await run(plane, "create-instance", {"name": "orders"})
    assert failure.value.error["type"] == "pg.authentication_failed"
    assert (names_in("instances"), names_in("pods"), names_in("dns")) == ([], [], [])
    events = await history_of(plane.client, "create-instance", 1)
    assert any(fits(event, "child_completed") for event in events)
    assert not any(fits(event, "child_scheduled instance-actor") for event in events)


async def test_a_clean_up_that_fails_is_only_logged(
    plane: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKSTEP_FAIL_PROBE", "1")
    with cluster() as database:
        database.execute(
            "CREATE TRIGGER keep BEFORE UPDATE OF state ON instances WHEN new.state = 'deleting'"
            " BEGIN SELECT raise(ABORT, 'the CMS is read-only'); END"
        )
    with pytest.raises(InstanceFailed) as failure:
        await run(plane, "create-instance", {"name": "orders"})
    assert failure.value.error["type"] == "pg.authentication_failed"
    events = await history_of(plane.client, "create-instance", 1)
    (line,) = [event.text for event in events if isinstance(event, Logged)]
    assert line.startswith("clean-up of orders failed")


async def test_a_taken_name_fails_at_once_and_touches_nothing(plane: Engine) -> None:
    await run(plane, "create-instance", {"name": "orders", "check_every": "1h"})
    with pytest.raises(InstanceFailed) as failure:
        await run(plane, "create-instance", {"name": "orders"}, id="again")
    assert failure.value.error["type"] == "cms.name_taken"
    assert names_in("pods") == ["orders"]
    events = await history_of(plane.client, "again", 1)
    assert sum(fits(event, "activity_scheduled") for event in events) == 1


async def test_a_name_that_is_no_dns_label_is_refused(plane: Engine) -> None:
    with pytest.raises(Exception, match="/name"):
        await run(plane, "create-instance", {"name": "Orders!"})


async def test_without_a_dns_name_the_address_is_used(plane: Engine) -> None:
    with cluster() as database:
        database.execute("CREATE TRIGGER no_names AFTER INSERT ON dns BEGIN DELETE FROM dns; END")
    created = await run(plane, "create-instance", {"name": "orders", "check_every": "1h"})
    assert created["dsn"].startswith("postgresql://10.0.")


async def test_deleting_what_is_not_there_is_no_error(plane: Engine) -> None:
    assert await run(plane, "delete-instance", {"name": "nobody"}) == {"deleted": False}


async def test_an_actor_whose_record_is_gone_completes(plane: Engine) -> None:
    ended = await run(plane, "instance-actor", {"name": "nobody"})
    assert ended == {"reason": "gone", "checks": 0}


async def test_an_unhealthy_instance_is_recorded_and_the_third_time_wakes_somebody(
    plane: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(plane, "create-instance", {"name": "orders", "check_every": "30ms"})
    monkeypatch.setenv("LOCKSTEP_FAIL_PROBE", "1")
    await eventually(lambda: len(rows("SELECT * FROM health WHERE NOT healthy")) >= 4)
    assert len(rows("SELECT * FROM alerts")) == 1
    monkeypatch.delenv("LOCKSTEP_FAIL_PROBE")
    await eventually(lambda: bool(rows("SELECT healthy FROM health ORDER BY id")[-1]["healthy"]))
    await run(plane, "delete-instance", {"name": "orders"})
    await plane.client.result("actor-orders", timeout=20)


async def test_the_pruner_keeps_the_newest_and_stops_when_told(plane: Engine) -> None:
    with cluster() as database:
        for number in range(9):
            database.execute(
                "INSERT INTO health (made_by, name, healthy) VALUES (?, ?, 1)",
                [str(number), "ab"[number % 2]],
            )
    pruner = await plane.client.ensure(
        "system-pruner", {"every": "20ms", "keep": 2}, id="system-pruner"
    )
    await eventually(lambda: len(rows("SELECT * FROM health")) == 4)
    assert sorted(row["made_by"] for row in rows("SELECT * FROM health")) == list("5678")
    await pruner.signal("stop")
    assert await pruner.result(timeout=20) == {"removed": 5}


async def test_an_image_of_a_running_instance(plane: Engine) -> None:
    await run(plane, "create-instance", {"name": "orders", "storage_gb": 3, "check_every": "1h"})
    made = await run(plane, "create-image", {"name": "friday", "source": "orders"})
    assert (made["image"], made["bytes"]) == ("friday", 3 << 20)
    assert rows("SELECT name, state FROM images") == [{"name": "friday", "state": "ready"}]
    assert rows("SELECT * FROM backups") == []


async def test_an_image_of_nothing_fails(plane: Engine) -> None:
    with pytest.raises(InstanceFailed) as failure:
        await run(plane, "create-image", {"name": "friday", "source": "nobody"})
    assert failure.value.error["type"] == "images.no_source"
    assert names_in("images") == []
