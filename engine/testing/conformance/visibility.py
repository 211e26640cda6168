"""Nothing is seen before its time (G7)."""

from __future__ import annotations

from engine.storage.records import Message, Send
from engine.testing.conformance.scene import LATER, NOW, Scene, timer, turn


async def a_timer_is_not_seen_early(scene: Scene) -> None:
    """G7: not a microsecond before, and at its moment at once, in every way of reading."""
    await scene.start("a")
    await scene.apply(turn("a", 2, timers=(timer("a", 1),)))
    for now, expected in ((NOW, 0), (LATER - 1, 0), (LATER, 1), (LATER + 1, 1)):
        assert len(await scene.messages("a", now=now)) == expected, now - LATER
        found = await scene.store.messages(scene.lease, now=now, limit=10)
        assert len(found) == expected, now - LATER


async def the_next_due_is_the_earliest_later_one(scene: Scene) -> None:
    """G7: later than `now`, not what is visible already."""
    await scene.start("a", "b")
    assert await scene.store.next_due(now=NOW) is None
    await scene.apply(
        turn("a", 2, timers=(timer("a", 1, at=NOW + 300), timer("a", 2, at=NOW + 200))),
        turn("b", 2, timers=(timer("b", 1, at=NOW + 100),)),
    )
    for now, expected in (
        (NOW, NOW + 100),
        (NOW + 99, NOW + 100),
        (NOW + 100, NOW + 200),
        (NOW + 250, NOW + 300),
        (NOW + 300, None),
    ):
        assert await scene.store.next_due(now=now) == expected, now - NOW


async def a_late_message_does_not_hold_up_others(scene: Scene) -> None:
    """G7: what is visible is returned, whatever was stored before it."""
    await scene.start("a")
    await scene.signal("a", b"late", at=LATER)
    await scene.signal("a", b"now")
    assert await scene.inbox("a", now=NOW) == [b"now"]
    found = await scene.store.messages(scene.lease, now=NOW, limit=1)
    assert [one.payload for one in found] == [b"now"]


async def far_times_are_times(scene: Scene) -> None:
    """G7: the year 9999, the year 1 and zero."""
    await scene.start("a")
    far = 253_402_300_799_999_999
    for payload, at in ((b"far", far), (b"old", -62_135_596_800_000_000), (b"zero", 0)):
        await scene.signal("a", payload, at=at)
    assert await scene.inbox("a", now=NOW) == [b"old", b"zero"]
    assert await scene.inbox("a", now=far) == [b"old", b"zero", b"far"]
    assert await scene.store.next_due(now=NOW) == far


async def a_late_message_is_not_delivered_at_once(scene: Scene) -> None:
    """G7: a commit reports only what is visible at its own time, timers and sends alike."""
    await scene.start("a", "b")
    result = await scene.apply(
        turn("a", 2, timers=(timer("a", 1, at=NOW + 1), timer("a", 2, at=NOW)))
    )
    assert [one.payload for one in result.delivered] == [b"timer 2"]
    sends = tuple(Send(message=Message("b", str(at).encode(), NOW + at)) for at in (-1, 0, 1))
    result = await scene.apply(turn("a", 3, sends=sends))
    assert [one.payload for one in result.delivered] == [b"-1", b"0"]
    assert await scene.inbox("b") == [b"-1", b"0", b"1"]
