"""Nodes come and go (G11)."""

from __future__ import annotations

from engine.errors import NodeBusy
from engine.testing.conformance.scene import NOW, Scene, creation, send, turn


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


async def requests_are_noticed(scene: Scene) -> None:
    """G12: every kind of request, of this process and of others; turns are none."""
    clients = (await scene.subject.other(), scene.store)
    for name, client in zip(("theirs", "ours"), clients, strict=True):
        await _settled(scene)
        await client.create([creation(name)])
        assert scene.store.changed() is True
        await _settled(scene)
        await client.send([send(name)])
        assert scene.store.changed() is True
        assert await scene.claim() == [name]
        await scene.store.suspend(scene.lease, name, reason="poison", now=NOW)
        await _settled(scene)
        await client.resume(name, now=NOW)
        assert scene.store.changed() is True
        await scene.claim()


async def turns_are_not_noticed(scene: Scene) -> None:
    """G12: a node would wake itself for ever."""
    await _settled(scene)
    await scene.start("a")
    assert scene.store.changed() is False
    await scene.apply(turn("a", 2, sends=(send("a"),)))
    assert scene.store.changed() is False


async def a_request_between_turns_is_noticed(scene: Scene) -> None:
    """G12: our commits before and after it do not hide it."""
    other = await scene.subject.other()
    await _settled(scene)
    await scene.start("a")
    await other.create([creation("b")])
    await scene.start("c")
    assert scene.store.changed() is True


async def _settled(scene: Scene) -> None:
    """A yes too many is allowed, but not for ever."""
    for _ in range(10):
        if not scene.store.changed():
            return
    raise AssertionError("changed() says yes without end")
