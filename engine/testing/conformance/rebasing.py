"""An execution goes over to another revision, whole or not at all (G18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import StorageError
from engine.storage.records import Page, Rebase, Snapshot
from engine.testing.conformance.scene import LATER, NEXT_PIN, NOW, PIN, page, timer, turn

if TYPE_CHECKING:
    from engine.testing.conformance.scene import Scene


def _move(name: str, seq: int, *, execution: int = 1, **fields: Any) -> Rebase:
    usual: dict[str, Any] = {
        "pin": NEXT_PIN,
        "page": Page(execution, seq + 1, seq + 1, b"moved"),
        "at": NOW,
        "open_activities": 0,
        "open_waits": 1,
    }
    return Rebase(instance_id=name, execution=execution, expected_seq=seq, **(usual | fields))


async def a_move_is_recorded(scene: Scene) -> None:
    """G18: pin, event and counts at once; nobody owns the instance any more."""
    await scene.start("a")
    before = await scene.record("a")
    assert await scene.store.rebase(_move("a", 2, open_activities=3, open_waits=4, at=NOW + 5))
    after = await scene.record("a")
    assert (after.pin, after.last_seq, after.owner) == (NEXT_PIN, 3, None)
    assert after.epoch > before.epoch
    assert (after.open_activities, after.open_waits, after.updated_at) == (3, 4, NOW + 5)
    pages = await scene.store.history("a", execution=1, after=2)
    assert [one.payload for one in pages] == [b"moved"]
    assert [one.pin for one in await scene.store.executions("a")] == [NEXT_PIN]


async def the_former_owner_is_fenced_off(scene: Scene) -> None:
    """G18, G3: also when it knows of the event; a new claim goes on."""
    await scene.start("a", open_activities=1)
    assert await scene.store.rebase(_move("a", 2, open_activities=1))
    assert await scene.results(turn("a", 2), turn("a", 3)) == ["stale", "stale"]
    assert await scene.claim() == ["a"]
    epoch = (await scene.record("a")).epoch
    assert await scene.results(turn("a", 3, epoch=epoch)) == ["applied"]


async def an_instance_that_went_on_is_not_moved(scene: Scene) -> None:
    """G18: events, execution, workflow and semantics must be those the move was made for."""
    await scene.start("a")
    before = await scene.record("a")
    for stale in (
        _move("a", 1),
        _move("a", 3),
        _move("a", 2, execution=2),
        _move("a", 2, pin=msgspec.structs.replace(NEXT_PIN, workflow="other")),
        _move("a", 2, pin=msgspec.structs.replace(NEXT_PIN, semantics=2)),
        _move("b", 2),
    ):
        assert not await scene.store.rebase(stale)
    assert await scene.record("a") == before
    assert await scene.seqs("a") == [(1, 2)]


async def what_has_ended_or_not_begun_is_not_moved(scene: Scene) -> None:
    """G18: there is nothing to move."""
    await scene.start("a")
    await scene.apply(turn("a", 2, status="completed"))
    assert not await scene.store.rebase(_move("a", 3))
    await scene.request("b")
    assert not await scene.store.rebase(_move("b", 0))
    assert (await scene.record("b")).pin == PIN


async def a_suspended_instance_stays_so(scene: Scene) -> None:
    """G18: it is moved, and goes on when it is told to."""
    await scene.start("a")
    await scene.store.suspend(scene.lease, "a", reason="diverged", now=NOW)
    assert await scene.store.rebase(_move("a", 2))
    record = await scene.record("a")
    assert (record.status, record.pin) == ("suspended", NEXT_PIN)


async def a_snapshot_of_the_old_revision_is_gone(scene: Scene) -> None:
    """G18: the whole history is what the state is rebuilt from."""
    await scene.start("a")
    await scene.apply(turn("a", 2, snapshot=Snapshot(1, 3, b"saved")))
    assert await scene.store.rebase(_move("a", 3))
    loaded = await scene.load("a")
    assert loaded is not None
    assert loaded.snapshot is None
    assert [(one.first_seq, one.last_seq) for one in loaded.pages] == [(1, 2), (3, 3), (4, 4)]


async def messages_and_timers_stay(scene: Scene) -> None:
    """G18: what was asked for before is answered after."""
    await scene.start("a", timers=(timer("a", 2),))
    await scene.signal("a")
    assert await scene.store.rebase(_move("a", 2))
    assert await scene.inbox("a") == [b"signal", b"timer 2"]
    assert await scene.claim(now=LATER) == ["a"]


async def a_move_that_leaves_a_gap_is_refused(scene: Scene) -> None:
    """G4, G18: its event follows the last one."""
    await scene.start("a")
    try:
        await scene.store.rebase(_move("a", 2, page=page(1, 4, 4)))
    except StorageError:
        assert (await scene.record("a")).pin == PIN
        return
    raise AssertionError("a gap was stored")


async def a_move_is_noticed_by_the_node(scene: Scene) -> None:
    """G18: like every request, from whatever process."""
    await scene.start("a")
    scene.store.changed()
    other = await scene.subject.other()
    assert await other.rebase(_move("a", 2))
    assert scene.store.changed()
