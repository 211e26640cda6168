"""Nodes come and go (G11)."""

from __future__ import annotations

from engine.errors import NodeBusy
from engine.testing.conformance.scene import NOW, Scene, creation, send


async def epochs_of_nodes_grow(scene: Scene) -> None:
    """G11: over deaths and orderly ends, never one twice."""
    epochs = [scene.lease.epoch]
    await scene.restart()
    epochs.append(scene.lease.epoch)
    await scene.store.release(scene.lease)
    epochs.append((await scene.store.acquire("node-3", now=NOW)).epoch)
    assert epochs == sorted(set(epochs))


async def a_live_node_is_known(scene: Scene) -> None:
    """G11: by name; after its end there is none."""
    info = await scene.store.info(now=NOW)
    assert (info.node, info.node_alive) == ("node-1", True)
    assert info.schema_version >= 1
    await scene.store.release(scene.lease)
    info = await scene.store.info(now=NOW)
    assert (info.node, info.node_alive) == (None, False)


async def a_second_node_is_refused(scene: Scene) -> None:
    """G11: where a store takes one node, another process hears who has it, and changes nothing."""
    if not scene.subject.shared:
        return
    await scene.start("a", open_activities=1)
    other = await scene.subject.other()
    try:
        lease = await other.acquire("node-2", now=NOW)
    except NodeBusy:
        pass
    else:  # a store of several nodes: what a live one owns nobody else claims
        assert await other.claim(lease, now=NOW, limit=10) == []
    assert (await scene.record("a")).owner == "node-1"
    assert (await other.info(now=NOW)).node_alive


async def the_next_node_may_come_after_a_release(scene: Scene) -> None:
    """G11: from another process."""
    other = await scene.subject.other()
    await scene.request("a")
    await scene.claim()
    await scene.store.release(scene.lease)
    lease = await other.acquire("node-2", now=NOW)
    assert [one.instance_id for one in await other.claim(lease, now=NOW, limit=5)] == ["a"]


async def a_second_release_is_no_error(scene: Scene) -> None:
    """G11: nor does it harm the next node."""
    await scene.store.release(scene.lease)
    lease = await scene.store.acquire("node-2", now=NOW)
    await scene.store.release(scene.lease)
    scene.lease = lease
    await scene.start("a")


async def requests_of_others_are_noticed(scene: Scene) -> None:
    """G12: every kind of request, once; our own commits are none."""
    if not scene.subject.shared:
        assert scene.store.changed() is False
        return
    other = await scene.subject.other()
    scene.store.changed()
    assert scene.store.changed() is False
    await other.create([creation("a")])
    assert scene.store.changed() is True
    assert scene.store.changed() is False
    await other.send([send("a")])
    assert scene.store.changed() is True
    assert await scene.claim() == ["a"]
    await scene.start("b")
    assert scene.store.changed() is False
    await scene.store.suspend(scene.lease, "b", reason="poison", now=NOW)
    await other.resume("b", now=NOW)
    assert scene.store.changed() is True


async def a_request_between_own_commits_is_noticed(scene: Scene) -> None:
    """G12: our commits before and after it do not hide it."""
    if not scene.subject.shared:
        return
    other = await scene.subject.other()
    scene.store.changed()
    await scene.start("a")
    await other.create([creation("b")])
    await scene.start("c")
    assert scene.store.changed() is True
    assert scene.store.changed() is False
