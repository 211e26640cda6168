"""What waits for an instance, and in what order (G6)."""

from __future__ import annotations

from engine.storage.records import Message, Send
from engine.testing.conformance.scene import LATER, NOW, Scene, send, timer, turn


async def messages_come_by_time_then_by_id(scene: Scene) -> None:
    """G6: earlier visible first; among equals the one stored first."""
    await scene.start("a")
    for payload, at in ((b"late", LATER), (b"one", 0), (b"two", 0), (b"early", -5), (b"mid", NOW)):
        await scene.signal("a", payload, at=at)
    expected = [b"early", b"one", b"two", b"mid", b"late"]
    assert await scene.inbox("a") == expected
    found = await scene.store.messages(scene.lease, now=LATER, limit=10)
    assert [one.payload for one in found] == expected


async def ids_grow_in_commit_order(scene: Scene) -> None:
    """G6: over instances, requests and turns."""
    await scene.start("a", "b")
    ids: list[int] = []
    for name in ("a", "b", "a"):
        before = set(await scene.message_ids("a")) | set(await scene.message_ids("b"))
        await scene.signal(name)
        await scene.apply(turn("b", 2 + len(ids) // 2, sends=(send(name),)))
        after = set(await scene.message_ids("a")) | set(await scene.message_ids("b"))
        ids.extend(sorted(after - before))
    assert ids == sorted(ids)
    assert len(set(ids)) == 6


async def an_id_is_never_used_again(scene: Scene) -> None:
    """G6: not after its message was consumed, nor after a restart."""
    await scene.start("a")
    await scene.signal("a")
    (first,) = await scene.message_ids("a")
    await scene.apply(turn("a", 2, consumed=(first,), open_activities=1))
    await scene.signal("a")
    (second,) = await scene.message_ids("a")
    await scene.restart()
    await scene.claim()
    await scene.apply(turn("a", 3, epoch=2, consumed=(second,)))
    await scene.signal("a")
    (third,) = await scene.message_ids("a")
    assert first < second < third


async def consumed_messages_are_gone(scene: Scene) -> None:
    """G6, G8: those and no others."""
    await scene.start("a", "b")
    for payload in (b"1", b"2", b"3"):
        await scene.signal("a", payload)
        await scene.signal("b", payload)
    one, _, three = await scene.message_ids("a")
    await scene.apply(turn("a", 2, consumed=(one, three)))
    assert await scene.inbox("a") == [b"2"]
    assert await scene.inbox("b") == [b"1", b"2", b"3"]
    found = await scene.store.messages(scene.lease, now=NOW, limit=10)
    assert [one.payload for one in found if one.instance_id == "a"] == [b"2"]


async def nobody_consumes_for_another(scene: Scene) -> None:
    """G6: an id of another instance's message has no effect."""
    await scene.start("a", "b")
    await scene.signal("b")
    (theirs,) = await scene.message_ids("b")
    await scene.apply(turn("a", 2, consumed=(theirs, 123456)))
    assert await scene.inbox("b") == [b"signal"]


async def messages_are_those_of_owned_instances(scene: Scene) -> None:
    """G6, G11: not of unclaimed, suspended or unknown ones."""
    await scene.start("mine", "aside")
    await scene.request("free")
    await scene.store.suspend(scene.lease, "aside", reason="poison", now=NOW)
    for name in ("mine", "aside", "free"):
        await scene.signal(name, name.encode())
    found = await scene.store.messages(scene.lease, now=NOW, limit=10)
    assert [(one.instance_id, one.payload) for one in found] == [("mine", b"mine")]


async def messages_are_read_in_pieces(scene: Scene) -> None:
    """G6: `limit` from the front, `after` an id."""
    await scene.start("a")
    for number in range(5):
        await scene.signal("a", str(number).encode())
    first = await scene.store.messages(scene.lease, now=NOW, limit=2)
    assert [one.payload for one in first] == [b"0", b"1"]
    rest = await scene.store.messages(scene.lease, now=NOW, limit=10, after=first[-1].id)
    assert [one.payload for one in rest] == [b"2", b"3", b"4"]


async def a_stored_message_is_complete(scene: Scene) -> None:
    """G6: with receiver, time and execution, in every way of reading it."""
    await scene.start("a")
    await scene.store.send([Send(message=Message("a", b"x", NOW - 5, 1, 7))])
    (one,) = await scene.messages("a", now=NOW)
    assert (one.instance_id, one.payload, one.visible_at, one.execution) == ("a", b"x", NOW - 5, 1)
    assert await scene.store.messages(scene.lease, now=NOW, limit=10) == [one]


async def delivered_are_the_messages_visible_at_once(scene: Scene) -> None:
    """G6, G7: for any receiver, in order, equal to what is read later."""
    await scene.start("a", "b")
    result = await scene.apply(
        turn(
            "a",
            2,
            timers=(timer("a", 1, at=NOW), timer("a", 2, at=LATER)),
            sends=(send("b", b"1"), send("b", b"2"), send("a", b"self")),
        )
    )
    theirs = [one for one in result.delivered if one.instance_id == "b"]
    mine = [one for one in result.delivered if one.instance_id == "a"]
    assert [one.payload for one in theirs] == [b"1", b"2"]
    assert sorted(one.payload for one in mine) == [b"self", b"timer 1"]
    assert theirs == await scene.messages("b", now=NOW)
    assert sorted(mine, key=lambda one: one.id) == sorted(
        await scene.messages("a", now=NOW), key=lambda one: one.id
    )


async def an_unknown_inbox_is_empty(scene: Scene) -> None:
    """G6: no error."""
    assert await scene.messages("nobody", now=NOW) == []


async def a_backlog_is_kept_in_order(scene: Scene) -> None:
    """G6: a thousand messages, none lost, none turned round."""
    await scene.start("a")
    payloads = [f"{number:04}".encode() for number in range(1000)]
    await scene.store.send([send("a", payload) for payload in payloads])
    assert await scene.inbox("a") == payloads
