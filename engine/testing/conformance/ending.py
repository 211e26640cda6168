"""What an end leaves behind: the record and the history, nothing that waits (G14)."""

from __future__ import annotations

from engine.storage.records import TERMINAL_STATUSES, Snapshot
from engine.testing.conformance.scene import LATER, NOW, Scene, creation, send, timer, turn


async def every_end_clears_the_inbox(scene: Scene) -> None:
    """G14: timers and messages, for each of the terminal statuses."""
    await scene.start(*TERMINAL_STATUSES, "alive")
    for name in (*TERMINAL_STATUSES, "alive"):
        await scene.signal(name)
    await scene.apply(*(turn(end, 2, timers=(timer(end, 1),)) for end in TERMINAL_STATUSES))
    await scene.apply(*(turn(end, 3, status=end) for end in TERMINAL_STATUSES))
    for end in TERMINAL_STATUSES:
        assert await scene.inbox(end) == [], end
        assert (await scene.record(end)).status == end
    assert await scene.inbox("alive") == [b"signal"]
    assert await scene.store.next_due(now=NOW) is None
    found = await scene.store.messages(scene.lease, now=LATER, limit=10)
    assert [one.instance_id for one in found] == ["alive"]


async def the_last_turn_sets_no_timer(scene: Scene) -> None:
    """G14: it would never fire; nor is it reported as delivered."""
    await scene.start("a")
    result = await scene.apply(
        turn("a", 2, status="completed", timers=(timer("a", 1, at=NOW), timer("a", 2)))
    )
    assert result.delivered == ()
    assert await scene.inbox("a") == []
    assert await scene.store.next_due(now=0) is None


async def the_record_of_an_end_is_complete(scene: Scene) -> None:
    """G14: output, error, the moment; no owner."""
    await scene.start("a", "b")
    await scene.apply(
        turn("a", 2, status="completed", output=b"[1]", finished_at=NOW + 3, open_waits=0),
        turn("b", 2, status="failed", error=b"{}", updated_at=NOW + 4, custom_status=b"1"),
    )
    done, failed = await scene.record("a"), await scene.record("b")
    assert (done.output, done.error, done.finished_at, done.owner) == (b"[1]", None, NOW + 3, None)
    assert (failed.output, failed.error, failed.finished_at) == (None, b"{}", NOW + 4)
    assert failed.custom_status == b"1"
    assert (done.last_seq, failed.last_seq) == (3, 3)


async def the_last_turn_still_speaks(scene: Scene) -> None:
    """G14: what it sends and starts is sent and started."""
    await scene.start("a", "parent")
    await scene.apply(
        turn(
            "a",
            2,
            status="failed",
            sends=(send("parent", b"I failed"),),
            children=(creation("detached"),),
        )
    )
    assert await scene.inbox("parent") == [b"I failed"]
    assert await scene.inbox("detached") == [b"start"]


async def history_outlives_the_end(scene: Scene) -> None:
    """G14: and can be loaded, from its beginning."""
    await scene.start("a", snapshot=Snapshot(1, 2, b"state"))
    await scene.apply(turn("a", 2, status="completed"))
    assert await scene.seqs("a") == [(1, 2), (3, 3)]
    loaded = await scene.load("a")
    assert loaded is not None
    covered = 0 if loaded.snapshot is None else loaded.snapshot.seq
    assert [one.first_seq for one in loaded.pages if one.first_seq > covered][-1] == 3
    assert covered + sum(one.last_seq - one.first_seq + 1 for one in loaded.pages) == 3


async def the_ended_is_not_woken(scene: Scene) -> None:
    """G12, G14: neither claimed nor counted as stranded."""
    await scene.start("a", open_activities=4)
    await scene.signal("a")
    await scene.apply(turn("a", 2, status="cancelled", open_activities=4))
    await scene.restart()
    assert await scene.claim(now=LATER) == []
    assert await scene.store.stranded(now=LATER) == []
