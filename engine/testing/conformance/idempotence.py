"""A commit whose answer was lost may be asked again (G5)."""

from __future__ import annotations

from engine.testing.conformance.scene import NOW, Scene, born, send, timer, turn


async def a_repeated_commit_changes_nothing(scene: Scene) -> None:
    """G5: no second page, timer or message."""
    await scene.start("a", "b")
    group = [turn("a", 2, timers=(timer("a", 1),), sends=(send("b"),))]
    await scene.store.commit(scene.lease, 500, group)
    await scene.store.commit(scene.lease, 500, group)
    assert await scene.seqs("a") == [(1, 2), (3, 3)]
    assert await scene.inbox("a") == [b"timer 1"]
    assert await scene.inbox("b") == [b"hello"]


async def a_repeated_commit_gives_the_first_result(scene: Scene) -> None:
    """G5: outcomes of every kind, and the messages that were delivered."""
    await scene.start("a", "b")
    group = [turn("a", 2, sends=(send("b"), send("b", b"two"))), turn("b", 50), born("b")]
    first = await scene.store.commit(scene.lease, 500, group)
    assert [one.result for one in first.outcomes] == ["applied", "stale", "duplicate"]
    assert first.outcomes[2].existing == "running"
    assert await scene.store.commit(scene.lease, 500, group) == first


async def a_repeated_creation_is_no_duplicate(scene: Scene) -> None:
    """G5, G9: asked again, it was created."""
    first = await scene.store.commit(scene.lease, 500, [born("a")])
    again = await scene.store.commit(scene.lease, 500, [born("a")])
    assert again == first
    assert again.outcomes[0].result == "applied"


async def the_first_result_survives_refused_commits(scene: Scene) -> None:
    """G5: a commit that stored nothing is not the last one."""
    await scene.start("a")
    group = [turn("a", 2)]
    first = await scene.store.commit(scene.lease, 500, group)
    await scene.store.claim(scene.lease, now=NOW, limit=5)
    assert await scene.store.commit(scene.lease, 500, group) == first


async def another_token_is_another_commit(scene: Scene) -> None:
    """G5: equal deltas under a new token are judged anew."""
    await scene.start("a")
    group = [turn("a", 2)]
    await scene.store.commit(scene.lease, 500, group)
    result = await scene.store.commit(scene.lease, 501, group)
    assert [one.result for one in result.outcomes] == ["stale"]


async def tokens_belong_to_a_lease(scene: Scene) -> None:
    """G5: another node may use the same number for another commit."""
    await scene.start("a", open_activities=1)
    await scene.store.commit(scene.lease, 500, [turn("a", 2, open_activities=1)])
    await scene.restart()
    assert await scene.claim() == ["a"]
    result = await scene.store.commit(scene.lease, 500, [turn("a", 3, epoch=2)])
    assert [one.result for one in result.outcomes] == ["applied"]
    assert (await scene.record("a")).last_seq == 4
