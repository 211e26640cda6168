"""Who may change an instance, and from where (G3)."""

from __future__ import annotations

from engine.errors import LeaseLost
from engine.storage.records import Lease
from engine.testing.conformance.scene import NOW, PIN, Scene, born, creation, send, turn


async def a_wrong_epoch_is_stale(scene: Scene) -> None:
    """G3: an older or a newer claim than the stored one."""
    await scene.start("a")
    assert await scene.results(turn("a", 2, epoch=0)) == ["stale"]
    assert await scene.results(turn("a", 2, epoch=2)) == ["stale"]
    assert (await scene.record("a")).last_seq == 2


async def a_wrong_execution_is_stale(scene: Scene) -> None:
    """G3: a turn for an execution that is not the current one."""
    await scene.start("a")
    assert await scene.results(turn("a", 2, execution=2)) == ["stale"]
    assert await scene.results(turn("a", 2, execution=0)) == ["stale"]


async def a_wrong_sequence_is_stale(scene: Scene) -> None:
    """G3: a turn computed from fewer or more events than there are."""
    await scene.start("a")
    assert await scene.results(turn("a", 1)) == ["stale"]
    assert await scene.results(turn("a", 3)) == ["stale"]
    assert await scene.seqs("a") == [(1, 2)]


async def the_same_turn_twice_is_stale(scene: Scene) -> None:
    """G3: with another token it is another commit, and comes too late."""
    await scene.start("a")
    again = turn("a", 2, sends=(send("a"),))
    assert await scene.results(again) == ["applied"]
    assert await scene.results(again) == ["stale"]
    assert await scene.inbox("a") == [b"hello"]


async def an_unclaimed_instance_takes_no_turn(scene: Scene) -> None:
    """G3: it has no owner, so nobody owns it."""
    await scene.request("a")
    assert await scene.results(turn("a", 0, epoch=0)) == ["stale"]
    assert await scene.results(turn("a", 0, epoch=1)) == ["stale"]


async def an_unknown_instance_takes_no_turn(scene: Scene) -> None:
    """G3: without `create` nothing is made."""
    assert await scene.results(turn("a", 0)) == ["stale"]
    assert await scene.store.get("a") is None


async def neighbours_of_a_stale_delta_are_applied(scene: Scene) -> None:
    """G3: wherever in the group the stale one stands."""
    await scene.start("a", "b", "c")
    for seq, stale in ((2, 0), (3, 1), (4, 2)):
        names = ["a", "b", "c"]
        group = [turn(name, seq) for name in names]
        group.insert(stale, turn("a", 77))
        expected = ["applied"] * 3
        expected.insert(stale, "stale")
        assert await scene.results(*group) == expected
    assert {(await scene.record(name)).last_seq for name in "abc"} == {5}


async def an_ended_instance_takes_no_turn(scene: Scene) -> None:
    """G3: not even from the node that ended it."""
    await scene.start("a")
    await scene.apply(turn("a", 2, status="completed"))
    assert await scene.results(turn("a", 3)) == ["stale"]
    assert (await scene.record("a")).status == "completed"


async def a_suspended_instance_takes_no_turn(scene: Scene) -> None:
    """G3: setting aside takes the ownership."""
    await scene.start("a")
    await scene.store.suspend(scene.lease, "a", reason="poison", now=NOW)
    assert await scene.results(turn("a", 2)) == ["stale"]
    assert await scene.results(turn("a", 2, status="completed")) == ["stale"]
    assert (await scene.record("a")).status == "suspended"


async def a_dead_node_cannot_commit(scene: Scene) -> None:
    """G3: its lease is lost when another node has taken over."""
    await scene.start("a")
    old = scene.lease
    await scene.restart()
    for work in (
        lambda: scene.store.commit(old, 900, [turn("a", 2)]),
        lambda: scene.store.commit(old, 901, [born("b")]),
        lambda: scene.store.claim(old, now=NOW, limit=10),
        lambda: scene.store.suspend(old, "a", reason="poison", now=NOW),
    ):
        try:
            await work()
        except LeaseLost:
            continue
        raise AssertionError("a dead node was heard")
    assert (await scene.record("a")).last_seq == 2
    assert await scene.store.get("b") is None


async def a_dead_node_cannot_claim(scene: Scene) -> None:
    """G3, G11: not even what nobody else works on."""
    await scene.start("a", open_activities=1)
    old = scene.lease
    await scene.restart()
    try:
        await scene.store.claim(old, now=NOW, limit=10)
    except LeaseLost:
        pass
    else:
        raise AssertionError("a dead node was heard")
    assert (await scene.record("a")).owner is None
    assert await scene.claim() == ["a"]


async def an_unknown_lease_is_lost(scene: Scene) -> None:
    """G3: the right name with a wrong epoch, and the other way round."""
    for lease in (
        Lease(scene.lease.node, scene.lease.epoch + 1),
        Lease("someone", scene.lease.epoch),
    ):
        try:
            await scene.store.commit(lease, 1, [born("a")])
        except LeaseLost:
            continue
        raise AssertionError(f"{lease} was heard")
    assert await scene.store.get("a") is None


async def a_released_lease_is_lost(scene: Scene) -> None:
    """G3: an orderly end is an end."""
    await scene.start("a")
    await scene.store.release(scene.lease)
    try:
        await scene.commit(turn("a", 2))
    except LeaseLost:
        pass
    else:
        raise AssertionError("a released node was heard")
    assert (await scene.record("a")).last_seq == 2


async def a_reclaimed_instance_refuses_the_old_epoch(scene: Scene) -> None:
    """G3, G11: after the next claim only its epoch counts."""
    await scene.start("a", open_activities=1)
    await scene.restart()
    assert await scene.claim() == ["a"]
    assert await scene.results(turn("a", 2, epoch=1)) == ["stale"]
    assert await scene.results(turn("a", 2, epoch=2)) == ["applied"]


async def a_new_node_owns_nothing_yet(scene: Scene) -> None:
    """G3, G11: the right epoch does not make up for a claim."""
    await scene.start("a")
    await scene.restart()
    assert await scene.results(turn("a", 2)) == ["stale"]
    assert await scene.results(turn("a", 2, status="failed")) == ["stale"]


async def two_turns_of_one_instance_follow_each_other(scene: Scene) -> None:
    """G3: in one group, the second on top of the first."""
    await scene.start("a", "b")
    group = (turn("a", 2), turn("b", 2), turn("a", 3, events=2))
    assert await scene.results(*group) == ["applied"] * 3
    assert await scene.seqs("a") == [(1, 2), (3, 3), (4, 5)]


async def of_two_equal_turns_in_a_group_one_is_stale(scene: Scene) -> None:
    """G3: whoever comes first."""
    await scene.start("a")
    assert await scene.results(turn("a", 2), turn("a", 2)) == ["applied", "stale"]
    assert await scene.seqs("a") == [(1, 2), (3, 3)]


async def a_created_row_is_fenced_too(scene: Scene) -> None:
    """G3, G9: a first turn that is not at the beginning is stale and leaves no instance."""
    made = creation("a", start=None, claimed=True)
    assert await scene.results(turn("a", 4, create=made)) == ["stale"]
    assert await scene.results(turn("a", 0, epoch=3, create=made)) == ["stale"]
    assert await scene.store.get("a") is None
    assert made.pin == PIN
