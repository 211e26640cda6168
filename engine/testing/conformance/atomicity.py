"""All of a commit, or nothing of it; and what was acknowledged stays (G1, G2)."""

from __future__ import annotations

from engine.errors import StorageError
from engine.storage.records import Deployment, Page, Send, Snapshot
from engine.testing.conformance.scene import (
    LATER,
    NOW,
    PIN,
    Scene,
    born,
    creation,
    page,
    send,
    timer,
    turn,
)


async def a_turn_is_stored_whole(scene: Scene) -> None:
    """G1: page, summary, timer, child, message and snapshot of one delta all appear."""
    await scene.start("a", "b")
    await scene.apply(
        turn(
            "a",
            2,
            timers=(timer("a", 1),),
            sends=(send("b"),),
            children=(creation("a.c", parent_id="a"),),
            snapshot=Snapshot(1, 3, b"state"),
            custom_status=b'"busy"',
        )
    )
    assert await scene.seqs("a") == [(1, 2), (3, 3)]
    assert (await scene.record("a")).custom_status == b'"busy"'
    assert await scene.inbox("a") == [b"timer 1"]
    assert await scene.inbox("b") == [b"hello"]
    assert await scene.inbox("a.c") == [b"start"]
    loaded = await scene.load("a")
    assert loaded is not None
    assert loaded.snapshot == Snapshot(1, 3, b"state")


async def a_refused_group_stores_nothing(scene: Scene) -> None:
    """G1: a defect in one delta undoes the whole group, with everything it would have sent."""
    await scene.start("a", "b")
    bad = turn("b", 2, pages=(page(1, 7, 7),))
    try:
        await scene.commit(turn("a", 2, sends=(send("b"),)), bad)
    except StorageError:
        pass
    else:
        raise AssertionError("a page with a gap was stored")
    assert (await scene.record("a")).last_seq == 2
    assert await scene.inbox("b") == []
    await scene.apply(turn("a", 2), turn("b", 2))


async def a_stale_delta_leaves_nothing_behind(scene: Scene) -> None:
    """G1, G3: neither page, timer, message, child, snapshot nor withdrawal of it is stored."""
    await scene.start("a", "b", timers=())
    await scene.apply(turn("a", 2, timers=(timer("a", 1),)))
    await scene.signal("a", b"kept")
    mine = await scene.message_ids("a")
    stale = turn(
        "a",
        99,
        timers=(timer("a", 2),),
        withdrawn=(1,),
        consumed=tuple(mine),
        sends=(send("b"), send("nobody", missing=timer("b", 9))),
        children=(creation("child"),),
        snapshot=Snapshot(1, 100, b"wrong"),
    )
    assert await scene.results(stale) == ["stale"]
    assert sorted(await scene.inbox("a")) == [b"kept", b"timer 1"]
    assert await scene.inbox("b") == []
    assert await scene.store.get("child") is None
    assert await scene.seqs("a") == [(1, 2), (3, 3)]
    loaded = await scene.load("a")
    assert loaded is not None
    assert loaded.snapshot is None


async def a_commit_outlives_its_process(scene: Scene) -> None:
    """G2: what a returned commit stored is there for the next process."""
    await scene.start("a", "b")
    await scene.apply(turn("a", 2, timers=(timer("a", 1),), sends=(send("b"),)))
    await scene.restart()
    assert await scene.seqs("a") == [(1, 2), (3, 3)]
    assert await scene.inbox("a") == [b"timer 1"]
    assert await scene.inbox("b") == [b"hello"]


async def requests_outlive_their_process(scene: Scene) -> None:
    """G2: created instances, sent messages and deployed versions are there afterwards."""
    other = await scene.subject.other()
    await other.create([creation("a")])
    await other.send([Send(message=timer("a", 1))])
    version = Deployment(
        name="order",
        version="1.0.0",
        revision="r1",
        source=b"yaml",
        source_digest="d",
        deployed_at=NOW,
    )
    await scene.deploy(version, b"graph", by=other)
    await scene.restart()
    assert await scene.inbox("a") == [b"start", b"timer 1"]
    assert await scene.store.deployments() == [version]
    assert await scene.store.graph("r1") == b"graph"


async def an_empty_group_is_no_error(scene: Scene) -> None:
    """G1: nothing to store is stored."""
    result = await scene.commit()
    assert result.outcomes == ()
    assert result.delivered == ()


async def outcomes_stand_in_the_order_of_the_deltas(scene: Scene) -> None:
    """G3, G9: each delta is told its own fate."""
    await scene.start("a", "b", "c")
    group = (turn("a", 2), turn("b", 9), born("c"), turn("c", 2), turn("nobody", 0))
    assert await scene.results(*group) == ["applied", "stale", "duplicate", "applied", "stale"]


async def a_large_group_is_one_commit(scene: Scene) -> None:
    """G1: three hundred instances at once."""
    names = [f"i{number:03}" for number in range(300)]
    await scene.start(*names)
    await scene.apply(*(turn(name, 2) for name in names))
    assert await scene.store.counts() == {("order", "1.0.0", "running"): 300}
    assert [await scene.seqs(name) for name in names[::50]] == [[(1, 2), (3, 3)]] * 6


async def bytes_come_back_as_they_were(scene: Scene) -> None:
    """G1: payloads are opaque, whatever is in them; nothing at all is not the same as empty."""
    odd = bytes(range(256)) * 3
    await scene.start("a")
    await scene.apply(
        turn("a", 2, pages=(Page(1, 3, 3, odd), Page(1, 4, 4, b"")), custom_status=b"")
    )
    await scene.signal("a", odd)
    await scene.signal("a", b"")
    pages = await scene.store.history("a", execution=1, after=2)
    assert [one.payload for one in pages] == [odd, b""]
    assert await scene.inbox("a") == [odd, b""]
    record = await scene.record("a")
    assert record.custom_status == b""
    assert record.output is None


async def names_are_any_text(scene: Scene) -> None:
    """G1: an id is not a pattern, a number or a piece of a statement."""
    names = ["a'b", 'a"b', "a%", "a_", "1", "01", "Ä", "ä", "日本", "a\nb", "x" * 500, "'; --"]
    await scene.start(*names)
    await scene.apply(turn("a%", 2), turn("01", 2), turn("Ä", 2))
    moved = {name for name in names if (await scene.record(name)).last_seq == 3}
    assert moved == {"a%", "01", "Ä"}


async def a_summary_replaces_the_one_before(scene: Scene) -> None:
    """G1: every column of it, also back to nothing."""
    await scene.start("a", open_activities=3, open_waits=4, custom_status=b"1")
    record = await scene.record("a")
    assert (record.open_activities, record.open_waits, record.custom_status) == (3, 4, b"1")
    assert record.pin == PIN
    await scene.apply(turn("a", 2, open_waits=0, open_activities=1, updated_at=LATER))
    record = await scene.record("a")
    assert (record.open_activities, record.open_waits, record.custom_status) == (1, 0, None)
    assert (record.created_at, record.updated_at) == (NOW, LATER)
