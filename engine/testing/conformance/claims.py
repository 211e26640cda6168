"""Who works on what, and that nothing is left lying (G11, G12)."""

from __future__ import annotations

from engine.testing.conformance.scene import LATER, NOW, Scene, timer, turn


async def a_claim_raises_epoch_and_attempts(scene: Scene) -> None:
    """G11: by one each; the record returned is the one stored."""
    await scene.request("a")
    (claimed,) = await scene.store.claim(scene.lease, now=NOW, limit=10)
    assert (claimed.epoch, claimed.attempts, claimed.owner) == (1, 1, scene.lease.node)
    assert claimed == await scene.record("a")


async def a_claimed_instance_is_not_claimed_again(scene: Scene) -> None:
    """G11: one owner at most, however much there is to do."""
    await scene.request("a")
    assert await scene.claim() == ["a"]
    await scene.signal("a")
    assert await scene.claim() == []
    assert (await scene.record("a")).attempts == 1


async def owned_instances_with_work_are_not_claimed(scene: Scene) -> None:
    """G11: what the live node owns stays with it, also from its own claim."""
    await scene.start("a", open_activities=2)
    await scene.signal("a")
    assert await scene.claim() == []
    assert (await scene.record("a")).epoch == 1


async def a_claim_takes_no_more_than_its_limit(scene: Scene) -> None:
    """G11: the rest comes with the next ones, nothing twice."""
    names = [f"i{number}" for number in range(7)]
    for name in names:
        await scene.request(name)
    taken = [await scene.claim(limit=3) for _ in range(4)]
    assert [len(some) for some in taken] == [3, 3, 1, 0]
    assert sorted(name for some in taken for name in some) == names


async def many_messages_do_not_use_up_the_limit(scene: Scene) -> None:
    """G11, G12: it counts instances; none is hidden behind the backlog of another."""
    await scene.start("a", "b", "c")
    for name in ("a", "a", "a", "a", "b", "a", "b", "c"):
        await scene.signal(name)
    await scene.restart()
    assert sorted(await scene.claim(limit=2) + await scene.claim(limit=2)) == ["a", "b", "c"]


async def every_cause_makes_claimable(scene: Scene) -> None:
    """G12: after the node's death: a visible message, activities in flight; and nothing else."""
    await scene.start("idle", "message", "late", "activity")
    await scene.signal("message")
    await scene.apply(
        turn("late", 2, timers=(timer("late", 1),)), turn("activity", 2, open_activities=1)
    )
    await scene.restart()
    assert sorted(await scene.claim()) == ["activity", "message"]
    assert await scene.claim() == []
    assert await scene.claim(now=LATER - 1) == []
    assert await scene.claim(now=LATER) == ["late"]
    await scene.signal("idle")
    assert await scene.claim() == ["idle"]


async def a_pending_instance_is_claimed(scene: Scene) -> None:
    """G12: even without any message."""
    await scene.request("a", start=None)
    assert await scene.claim() == ["a"]


async def an_instance_with_many_causes_is_claimed_once(scene: Scene) -> None:
    """G11: one row, one claim."""
    await scene.start("a", open_activities=1)
    for _ in range(5):
        await scene.signal("a")
    await scene.restart()
    assert await scene.claim() == ["a"]
    assert (await scene.record("a")).attempts == 1


async def ended_instances_are_not_claimed(scene: Scene) -> None:
    """G11: whatever their last summary said."""
    await scene.start("a", "b", open_activities=1)
    await scene.apply(
        turn("a", 2, status="completed", open_activities=1),
        turn("b", 2, status="terminated", open_activities=1),
    )
    await scene.restart()
    assert await scene.claim(now=LATER) == []


async def attempts_add_up_until_an_event_is_stored(scene: Scene) -> None:
    """G11: each claim after a death counts; a commit that appends sets them to 0."""
    await scene.start("a", open_activities=1)
    assert (await scene.record("a")).attempts == 0
    for number in (1, 2, 3):
        await scene.restart(f"node-{number + 1}")
        assert await scene.claim() == ["a"]
        record = await scene.record("a")
        assert (record.attempts, record.epoch) == (number, number + 1)
    await scene.apply(turn("a", 2, epoch=4, events=0, open_activities=1))
    assert (await scene.record("a")).attempts == 3
    await scene.apply(turn("a", 2, epoch=4, open_activities=1))
    assert (await scene.record("a")).attempts == 0


async def the_first_turn_resets_attempts(scene: Scene) -> None:
    """G11: also the turn that makes a pending instance run."""
    await scene.request("a")
    await scene.claim()
    await scene.apply(turn("a", 0))
    assert (await scene.record("a")).attempts == 0


async def release_gives_everything_back(scene: Scene) -> None:
    """G11: claimable at once by the next node, the attempts not counted."""
    await scene.request("a")
    await scene.claim()
    await scene.store.release(scene.lease)
    record = await scene.record("a")
    assert (record.owner, record.attempts) == (None, 0)
    scene.lease = await scene.store.acquire("node-2", now=NOW)
    assert await scene.claim() == ["a"]
    assert (await scene.record("a")).epoch == 2


async def release_never_counts_below_zero(scene: Scene) -> None:
    """G11: an owned instance that has just stored an event has no attempt to give back."""
    await scene.start("a", open_activities=1)
    await scene.store.release(scene.lease)
    assert (await scene.record("a")).attempts == 0


async def a_suspended_instance_is_not_claimed(scene: Scene) -> None:
    """G11: not for its messages, not for its activities, not by the next node."""
    await scene.start("a", open_activities=1)
    await scene.store.suspend(scene.lease, "a", reason="killed 3 nodes", now=NOW + 5)
    await scene.signal("a")
    record = await scene.record("a")
    assert (record.status, record.suspended_reason) == ("suspended", "killed 3 nodes")
    assert (record.owner, record.updated_at) == (None, NOW + 5)
    assert await scene.claim() == []
    await scene.restart()
    assert await scene.claim() == []
    assert await scene.inbox("a") == [b"signal"]


async def a_resumed_instance_goes_on(scene: Scene) -> None:
    """G11, G12: claimable with what waited for it, attempts from zero."""
    await scene.request("new")
    await scene.start("old")
    await scene.restart()
    await scene.signal("old")
    assert sorted(await scene.claim()) == ["new", "old"]
    for name, status in (("new", "pending"), ("old", "running")):
        await scene.store.suspend(scene.lease, name, reason="poison", now=NOW)
        assert await scene.store.resume(name, now=NOW + 1) is True
        record = await scene.record(name)
        assert (record.status, record.suspended_reason, record.attempts) == (status, None, 0)
    assert sorted(await scene.claim()) == ["new", "old"]
    assert await scene.inbox("old") == [b"signal"]


async def only_the_suspended_is_resumed(scene: Scene) -> None:
    """G11: others are left alone."""
    await scene.start("run", "end")
    await scene.apply(turn("end", 2, status="failed"))
    before = [await scene.record("run"), await scene.record("end")]
    for name in ("run", "end", "nobody"):
        assert await scene.store.resume(name, now=LATER) is False
    assert [await scene.record("run"), await scene.record("end")] == before


async def a_thousand_are_taken_over_at_once(scene: Scene) -> None:
    """G11, G12: a restart waits for no lease."""
    names = [f"i{number:04}" for number in range(1000)]
    await scene.start(*names, open_activities=1)
    await scene.restart()
    assert sorted(await scene.claim(limit=2000)) == names
