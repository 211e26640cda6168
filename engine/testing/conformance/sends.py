"""Messages to others: exactly one of four things happens (G10)."""

from __future__ import annotations

from typing import Any

from engine.storage.records import Message, Send
from engine.testing.conformance.scene import (
    NEXT_PIN,
    NOW,
    Scene,
    born,
    creation,
    page,
    send,
    turn,
)

_ANSWERS: dict[str, Any] = {
    "then": Message("me", b"then"),
    "missing": Message("me", b"missing"),
    "finished": Message("me", b"finished"),
}


async def a_send_is_delivered(scene: Scene) -> None:
    """G10: the message, and `then`."""
    await scene.start("me", "you")
    await scene.apply(turn("me", 2, sends=(send("you", **_ANSWERS),)))
    assert await scene.inbox("you") == [b"hello"]
    assert await scene.inbox("me") == [b"then"]


async def a_send_to_nobody_says_so(scene: Scene) -> None:
    """G10: `missing`, and no instance comes of it."""
    await scene.start("me")
    await scene.apply(turn("me", 2, sends=(send("you", **_ANSWERS),)))
    assert await scene.inbox("me") == [b"missing"]
    assert await scene.store.get("you") is None


async def a_send_to_an_ended_instance_says_so(scene: Scene) -> None:
    """G10, G14: `finished`, whatever the end was; nothing is stored for it."""
    ends = ("completed", "failed", "cancelled", "terminated")
    await scene.start("me", *ends)
    await scene.apply(*(turn(end, 2, status=end) for end in ends))  # type: ignore[arg-type]
    await scene.apply(turn("me", 2, sends=tuple(send(end, **_ANSWERS) for end in ends)))
    assert await scene.inbox("me") == [b"finished"] * 4
    assert [await scene.inbox(end) for end in ends] == [[]] * 4


async def a_send_without_answers_is_silent(scene: Scene) -> None:
    """G10: nobody asked to be told."""
    await scene.start("me", "you")
    await scene.apply(turn("you", 2, status="completed"))
    result = await scene.apply(turn("me", 2, sends=(send("nobody"), send("you"))))
    assert result.delivered == ()
    assert await scene.inbox("me") == []


async def a_send_to_a_suspended_instance_waits(scene: Scene) -> None:
    """G10: it has not ended."""
    await scene.start("me", "you")
    await scene.store.suspend(scene.lease, "you", reason="poison", now=NOW)
    await scene.apply(turn("me", 2, sends=(send("you", **_ANSWERS),)))
    assert await scene.inbox("you") == [b"hello"]
    assert await scene.inbox("me") == [b"then"]


async def a_send_for_an_ended_execution_says_so(scene: Scene) -> None:
    """G10, G13: the instance goes on, the one the message is for does not."""
    await scene.start("me", "you")
    await scene.apply(turn("you", 2, pages=(page(1, 3, 3), page(2, 1, 1)), next_pin=NEXT_PIN))
    old = Send(message=Message("you", b"old", 0, 1), **_ANSWERS)
    new = Send(message=Message("you", b"new", 0, 2), **_ANSWERS)
    await scene.apply(turn("me", 2, sends=(old, new)))
    assert await scene.inbox("you") == [b"new"]
    assert await scene.inbox("me") == [b"finished", b"then"]


async def sends_keep_their_order(scene: Scene) -> None:
    """G6, G10: as the turn made them."""
    await scene.start("me", "you")
    await scene.apply(turn("me", 2, sends=tuple(send("you", bytes([n])) for n in range(20))))
    assert await scene.inbox("you") == [bytes([n]) for n in range(20)]


async def a_send_reaches_a_child_of_the_same_turn(scene: Scene) -> None:
    """G10: children are made before messages are sent."""
    await scene.start("me")
    await scene.apply(turn("me", 2, sends=(send("kid", **_ANSWERS),), children=(creation("kid"),)))
    assert await scene.inbox("kid") == [b"start", b"hello"]
    assert await scene.inbox("me") == [b"then"]


async def a_send_reaches_a_newborn_of_the_same_group(scene: Scene) -> None:
    """G10: also when it stands later in the group."""
    await scene.start("me")
    await scene.apply(turn("me", 2, sends=(send("new", **_ANSWERS),)), born("new"))
    assert await scene.inbox("new") == [b"hello"]
    assert await scene.inbox("me") == [b"then"]


async def who_ends_in_the_same_group_takes_no_message(scene: Scene) -> None:
    """G10, G14: whatever the order in the group, with and without a stale neighbour."""
    await scene.start("me", "one", "two", "three")
    say = [send(name, **_ANSWERS) for name in ("one", "two")]
    group = (
        turn("one", 2, status="completed"),
        turn("me", 2, sends=tuple(say)),
        turn("two", 2, status="failed"),
    )
    await scene.apply(*group)
    assert await scene.inbox("me") == [b"finished", b"finished"]
    assert await scene.inbox("one") + await scene.inbox("two") == []
    stale = turn("two", 50)
    await scene.commit(
        stale, turn("me", 3, sends=(send("three", **_ANSWERS),)), turn("three", 2, status="failed")
    )
    assert await scene.inbox("me") == [b"finished"] * 3
    assert await scene.inbox("three") == []


async def an_answer_to_the_ended_is_dropped(scene: Scene) -> None:
    """G10, G14: the sender ends in this turn and wants no answer any more."""
    await scene.start("me", "you")
    await scene.apply(turn("me", 2, status="completed", sends=(send("you", **_ANSWERS),)))
    assert await scene.inbox("you") == [b"hello"]
    assert await scene.inbox("me") == []


async def a_request_returns_the_receiver(scene: Scene) -> None:
    """G10: as it was, so that the caller can tell ended from missing."""
    await scene.start("run", "end", "me")
    await scene.apply(turn("end", 2, status="failed"))
    found = await scene.store.send(
        [send("run", **_ANSWERS), send("end", **_ANSWERS), send("nobody", **_ANSWERS)]
    )
    assert [None if one is None else one.status for one in found] == ["running", "failed", None]
    assert await scene.inbox("run") == [b"hello"]
    assert await scene.inbox("end") == []
    assert await scene.inbox("me") == [b"then", b"finished", b"missing"]


async def a_message_before_the_first_turn_waits(scene: Scene) -> None:
    """G10: a pending instance takes messages, after its start."""
    await scene.request("a")
    await scene.signal("a", b"early")
    assert await scene.inbox("a") == [b"start", b"early"]


async def a_message_to_oneself_is_a_message(scene: Scene) -> None:
    """G10: delivered like any other."""
    await scene.start("me")
    result = await scene.apply(turn("me", 2, sends=(send("me"),)))
    assert await scene.inbox("me") == [b"hello"]
    assert [one.payload for one in result.delivered] == [b"hello"]
