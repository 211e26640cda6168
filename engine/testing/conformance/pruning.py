"""Removing what has ended (G16)."""

from __future__ import annotations

from engine.testing.conformance.scene import (
    LATER,
    NEXT_PIN,
    NOW,
    Scene,
    page,
    turn,
)


async def only_the_ended_is_pruned(scene: Scene) -> None:
    """G16: not what runs, waits or is set aside, however old."""
    await scene.start("run", "aside", "end")
    await scene.request("wait")
    await scene.store.suspend(scene.lease, "aside", reason="poison", now=NOW)
    await scene.apply(turn("end", 2, status="completed"))
    assert await scene.store.prune(finished_before=LATER, limit=100) == 1
    assert await scene.store.get("end") is None
    for name in ("run", "aside", "wait"):
        assert await scene.store.get(name) is not None, name


async def only_what_ended_before_is_pruned(scene: Scene) -> None:
    """G16: at the given moment is not before it."""
    await scene.start("a", "b", "c")
    await scene.apply(
        *(
            turn(name, 2, status="failed", finished_at=NOW + at)
            for name, at in (("a", -1), ("b", 0), ("c", 1))
        )
    )
    assert await scene.store.prune(finished_before=NOW, limit=100) == 1
    assert await scene.store.get("a") is None
    assert await scene.store.prune(finished_before=NOW + 1, limit=100) == 1
    assert await scene.store.get("c") is not None


async def pruning_removes_whole_instances(scene: Scene) -> None:
    """G16: every execution and page; a new instance of that id starts from nothing."""
    await scene.start("a")
    pages = (page(1, 3, 3), page(2, 1, 1))
    await scene.apply(turn("a", 2, pages=pages, next_pin=NEXT_PIN))
    await scene.apply(turn("a", 1, execution=2, status="completed"))
    await scene.request("a", replace_finished=True)
    await scene.claim()
    await scene.apply(turn("a", 0, execution=3, status="completed"))
    assert await scene.store.prune(finished_before=LATER, limit=10) == 1
    assert await scene.store.executions("a") == []
    assert [await scene.seqs("a", n) for n in (1, 2, 3)] == [[], [], []]
    await scene.start("a")
    assert [one.execution for one in await scene.store.executions("a")] == [1]
    assert await scene.seqs("a") == [(1, 2)]


async def neighbours_of_the_pruned_keep_everything(scene: Scene) -> None:
    """G16: their pages and inboxes, also when made later under new keys."""
    await scene.start("a", "b")
    await scene.signal("b")
    await scene.apply(turn("a", 2, status="completed"))
    await scene.store.prune(finished_before=LATER, limit=10)
    await scene.start("c")
    assert await scene.seqs("b") == [(1, 2)]
    assert await scene.seqs("c") == [(1, 2)]
    assert await scene.inbox("b") == [b"signal"]
    await scene.apply(turn("b", 2), turn("c", 2))


async def a_newcomer_inherits_nothing(scene: Scene) -> None:
    """G16: of the pruned one, even if it gets its place in the store."""
    await scene.start("a")
    await scene.apply(turn("a", 2, status="completed"))
    await scene.store.prune(finished_before=LATER, limit=10)
    await scene.start("a")
    await scene.apply(turn("a", 2, pages=(page(1, 3, 3),), next_pin=NEXT_PIN))
    await scene.apply(turn("a", 0, execution=2, status="completed"))
    await scene.store.prune(finished_before=LATER, limit=10)
    await scene.start("b")
    assert [one.execution for one in await scene.store.executions("b")] == [1]
    assert await scene.seqs("b", 1) == [(1, 2)]
    assert await scene.seqs("b", 2) == []


async def pruning_is_done_in_pieces(scene: Scene) -> None:
    """G16: the oldest ends first, no more than asked."""
    names = [f"i{number}" for number in range(5)]
    await scene.start(*names)
    await scene.apply(
        *(
            turn(name, 2, status="completed", finished_at=NOW - number)
            for number, name in enumerate(names)
        )
    )
    assert await scene.store.prune(finished_before=LATER, limit=2) == 2
    left = [name for name in names if await scene.store.get(name) is not None]
    assert left == ["i0", "i1", "i2"]
    assert await scene.store.prune(finished_before=LATER, limit=10) == 3
    assert await scene.store.prune(finished_before=LATER, limit=10) == 0
