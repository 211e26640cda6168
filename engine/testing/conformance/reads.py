"""What can be read, and that it fits together (G12, G17)."""

from __future__ import annotations

import asyncio

from engine.storage.records import InstanceFilter, Pin, Snapshot
from engine.testing.conformance.scene import LATER, NOW, Scene, born, creation, page, timer, turn

_ANY = InstanceFilter()


async def an_unknown_instance_is_none(scene: Scene) -> None:
    """G17: for every read of one."""
    assert await scene.store.get("nobody") is None
    assert await scene.load("nobody") is None


async def a_load_holds_every_page(scene: Scene) -> None:
    """G17: record and pages of the same moment."""
    await scene.start("a")
    await scene.apply(turn("a", 2, events=2))
    loaded = await scene.load("a")
    assert loaded is not None
    assert loaded.record == await scene.record("a")
    assert loaded.snapshot is None
    assert loaded.pages == (page(1, 1, 2), page(1, 3, 4))


async def a_load_starts_from_the_snapshot(scene: Scene) -> None:
    """G17: the newest one and only what came after it."""
    await scene.start("a", snapshot=Snapshot(1, 2, b"two"))
    await scene.apply(turn("a", 2, events=2, snapshot=Snapshot(1, 4, b"four")))
    await scene.apply(turn("a", 4, events=2))
    loaded = await scene.load("a")
    assert loaded is not None
    assert loaded.snapshot == Snapshot(1, 4, b"four")
    assert loaded.pages == (page(1, 5, 6),)
    assert await scene.seqs("a") == [(1, 2), (3, 4), (5, 6)]


async def an_older_snapshot_does_not_replace_a_newer(scene: Scene) -> None:
    """G17: whichever is stored later."""
    await scene.start("a", snapshot=Snapshot(1, 2, b"two"))
    await scene.apply(turn("a", 2, snapshot=Snapshot(1, 1, b"one")))
    loaded = await scene.load("a")
    assert loaded is not None
    assert loaded.snapshot == Snapshot(1, 2, b"two")


async def a_load_during_commits_is_of_one_moment(scene: Scene) -> None:
    """G17: its pages always end where its record says."""
    await scene.start("a")
    done = asyncio.Event()

    async def write() -> None:
        for seq in range(2, 60):
            await scene.apply(turn("a", seq))
        done.set()

    writer = asyncio.create_task(write())
    while not done.is_set():
        loaded = await scene.load("a")
        assert loaded is not None
        assert loaded.pages[-1].last_seq == loaded.record.last_seq
    await writer


async def own_commits_are_read_at_once(scene: Scene) -> None:
    """G17: a read after a commit sees it, here and in another process."""
    other = await scene.subject.other()
    await scene.start("a")
    for seq in range(2, 12):
        await scene.apply(turn("a", seq))
        assert (await scene.record("a")).last_seq == seq + 1
        seen = await other.get("a")
        assert seen is not None
        assert seen.last_seq == seq + 1


async def the_newest_is_listed_first(scene: Scene) -> None:
    """G17: in order of creation, changes since do not matter."""
    await scene.start("a", "b")
    await scene.request("c")
    await scene.apply(turn("a", 2, updated_at=LATER))
    assert await _ids(scene, _ANY) == ["c", "b", "a"]


async def lists_are_filtered(scene: Scene) -> None:
    """G17: by every field, and by all together."""
    mail = Pin("mail", "1.0.0", "m", 1)
    newer = Pin("order", "1.1.0", "o", 1)
    await scene.start("order-1", "order-2")
    await scene.request("mail-1", pin=mail, parent_id="order-1")
    await scene.request("mail-2", pin=mail)
    await scene.request("order-3", pin=newer, parent_id="order-1")
    await scene.apply(turn("order-2", 2, status="failed"))
    for where, expected in (
        (InstanceFilter(workflow="mail"), ["mail-2", "mail-1"]),
        (InstanceFilter(workflow="order", version="1.1.0"), ["order-3"]),
        (InstanceFilter(version="1.0.0"), ["mail-2", "mail-1", "order-2", "order-1"]),
        (InstanceFilter(status=("running",)), ["order-1"]),
        (InstanceFilter(status=("failed", "pending")), ["order-3", "mail-2", "mail-1", "order-2"]),
        (InstanceFilter(status=()), []),
        (InstanceFilter(id_prefix="order-"), ["order-3", "order-2", "order-1"]),
        (InstanceFilter(id_prefix="order-", status=("failed",)), ["order-2"]),
        (InstanceFilter(id_prefix="order-2"), ["order-2"]),
        (InstanceFilter(id_prefix="mail", parent_id="order-1"), ["mail-1"]),
        (InstanceFilter(id_prefix="order-", workflow="mail"), []),
        (InstanceFilter(parent_id="order-1"), ["order-3", "mail-1"]),
        (InstanceFilter(parent_id="order-1", workflow="mail"), ["mail-1"]),
        (InstanceFilter(parent_id="order-1", version="1.1.0"), ["order-3"]),
        (InstanceFilter(parent_id="order-1", status=("running",)), []),
        (InstanceFilter(workflow="order", status=("running",)), ["order-1"]),
        (InstanceFilter(workflow="ord"), []),
        (InstanceFilter(id_prefix="rder"), []),
    ):
        assert await _ids(scene, where) == expected, where


async def a_prefix_is_no_pattern(scene: Scene) -> None:
    """G17: its signs stand for themselves."""
    await scene.start("a_1", "ab1", "a%1", "A_1")
    assert await _ids(scene, InstanceFilter(id_prefix="a_")) == ["a_1"]
    assert await _ids(scene, InstanceFilter(id_prefix="a%")) == ["a%1"]


async def lists_are_read_in_pieces(scene: Scene) -> None:
    """G17: each goes on after the last id of the one before, for every kind of filter."""
    names = [f"i{number}" for number in range(7)]
    await scene.start("p")
    await scene.store.create([creation(name, parent_id="p") for name in names])
    for where in (
        InstanceFilter(status=("pending",)),
        InstanceFilter(id_prefix="i"),
        InstanceFilter(parent_id="p"),
        InstanceFilter(workflow="order", status=("pending",)),
    ):
        found: list[str] = []
        for expected in (3, 3, 1, 0):
            piece = await _ids(scene, where, after=found[-1] if found else None, limit=3)
            assert len(piece) == expected, where
            found.extend(piece)
        assert found == names[::-1], where
    assert await _ids(scene, _ANY, after="i0") == ["p"]


async def a_list_after_nobody_is_empty(scene: Scene) -> None:
    """G17: the place to go on from is gone."""
    await scene.start("a")
    assert await _ids(scene, _ANY, after="nobody") == []


async def instances_are_counted_by_kind(scene: Scene) -> None:
    """G17: workflow, version, status."""
    await scene.start("a", "b", "c")
    await scene.request("d", pin=Pin("mail", "2.0.0", "m", 1))
    await scene.apply(turn("a", 2, status="completed"))
    assert await scene.store.counts() == {
        ("order", "1.0.0", "running"): 2,
        ("order", "1.0.0", "completed"): 1,
        ("mail", "2.0.0", "pending"): 1,
    }


async def the_stranded_are_found(scene: Scene) -> None:
    """G12: live instances that nothing will ever wake, and no others."""
    quiet = {"open_waits": 0}
    await scene.apply(
        born("lost", **quiet),
        born("waits"),
        born("works", open_activities=1, **quiet),
        born("sleeps", timers=(timer("sleeps", 1),), **quiet),
        born("told", **quiet),
        born("done", status="completed", **quiet),
        born("aside", **quiet),
    )
    await scene.signal("told")
    await scene.request("new")
    await scene.store.suspend(scene.lease, "aside", reason="poison", now=NOW)
    assert await scene.store.stranded(now=NOW) == ["lost"]
    await scene.restart()
    assert await scene.store.stranded(now=NOW) == ["lost"]


async def _ids(
    scene: Scene, where: InstanceFilter, *, after: str | None = None, limit: int = 100
) -> list[str]:
    return [one.instance_id for one in await scene.store.list(where, after=after, limit=limit)]
