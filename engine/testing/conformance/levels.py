"""Semantics levels: who can be served by whom (G25)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.storage.records import Pin
from engine.testing.conformance.scene import NOW, turn

if TYPE_CHECKING:
    from engine.testing.conformance.scene import Scene

OLD = Pin("order", "1.0.0", "r1", 1)
NEW = Pin("order", "1.0.0", "r1", 2)


async def _claim(scene: Scene, *levels: int) -> list[str]:
    found = await scene.store.claim(scene.lease, now=NOW, limit=9, levels=levels)
    return [one.instance_id for one in found]


async def a_claim_takes_its_levels_only(scene: Scene) -> None:
    """G25: new instances, activities in flight, due messages; nothing else is touched."""
    await scene.request("old", pin=OLD)
    await scene.request("new", pin=NEW)
    await scene.start("active", open_activities=1)
    await scene.start("told")
    await scene.restart()
    await scene.signal("told")
    assert await _claim(scene, 2) == ["new"]
    record = await scene.record("old")
    assert (record.attempts, record.epoch, record.owner) == (0, 0, None)
    assert sorted(await _claim(scene, 1, 7)) == ["active", "old", "told"]


async def a_claim_without_levels_takes_all(scene: Scene) -> None:
    """G25: levels are asked for by those who have any."""
    await scene.request("old", pin=OLD)
    await scene.request("new", pin=NEW)
    assert sorted(await scene.claim()) == ["new", "old"]


async def what_no_level_serves_is_listed(scene: Scene) -> None:
    """G25: until it has ended; oldest first."""
    await scene.request("a", pin=NEW)
    await scene.start("b")
    await scene.request("c", pin=NEW)
    assert [one.instance_id for one in await scene.store.unservable([1])] == ["a", "c"]
    assert [one.instance_id for one in await scene.store.unservable([1], limit=1)] == ["a"]
    assert [one.instance_id for one in await scene.store.unservable([2, 3])] == ["b"]
    assert await scene.store.unservable([1, 2]) == []
    await scene.apply(turn("b", 2, status="completed"))
    assert await scene.store.unservable([2]) == []
