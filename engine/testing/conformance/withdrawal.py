"""What is withdrawn is never seen again (G8)."""

from __future__ import annotations

from engine.storage.records import Send
from engine.testing.conformance.scene import LATER, NEXT_PIN, NOW, Scene, page, timer, turn


async def a_withdrawn_timer_is_gone(scene: Scene) -> None:
    """G8: it is not due, and the next one is the next due."""
    await scene.start("a")
    await scene.apply(turn("a", 2, timers=(timer("a", 1), timer("a", 2, at=LATER + 9))))
    await scene.apply(turn("a", 3, withdrawn=(1,)))
    assert await scene.inbox("a") == [b"timer 2"]
    assert await scene.store.next_due(now=NOW) == LATER + 9


async def a_due_timer_can_be_withdrawn(scene: Scene) -> None:
    """G8: until it is consumed."""
    await scene.start("a")
    await scene.apply(turn("a", 2, timers=(timer("a", 1, at=NOW - 1),)))
    await scene.apply(turn("a", 3, withdrawn=(1,)))
    assert await scene.store.messages(scene.lease, now=LATER, limit=10) == []


async def withdrawing_nothing_is_no_error(scene: Scene) -> None:
    """G8: an unknown token, one withdrawn before, one consumed."""
    await scene.start("a")
    await scene.apply(turn("a", 2, timers=(timer("a", 1), timer("a", 2, at=NOW))))
    (due,) = await scene.messages("a", now=NOW)
    await scene.apply(turn("a", 3, withdrawn=(1, 77), consumed=(due.id,)))
    await scene.apply(turn("a", 4, withdrawn=(1, 2)))
    assert await scene.inbox("a") == []


async def tokens_belong_to_an_instance(scene: Scene) -> None:
    """G8: another one's timer with the same token stays."""
    await scene.start("a", "b")
    await scene.apply(turn("a", 2, timers=(timer("a", 1),)), turn("b", 2, timers=(timer("b", 1),)))
    await scene.apply(turn("a", 3, withdrawn=(1,)))
    assert await scene.inbox("a") == []
    assert await scene.inbox("b") == [b"timer 1"]


async def tokens_belong_to_an_execution(scene: Scene) -> None:
    """G8, G13: a number may be used again after continue-as-new, and means the new timer."""
    await scene.start("a")
    await scene.apply(turn("a", 2, timers=(timer("a", 1),)))
    again = timer("a", 1, at=LATER + 7, execution=2)
    pages = (page(1, 4, 4), page(2, 1, 1))
    await scene.apply(turn("a", 3, pages=pages, next_pin=NEXT_PIN, timers=(again,)))
    assert await scene.store.next_due(now=NOW) == LATER + 7
    await scene.apply(turn("a", 1, execution=2, withdrawn=(1,)))
    assert await scene.inbox("a") == []


async def messages_without_token_stay(scene: Scene) -> None:
    """G8: a withdrawal names a token, and of this execution."""
    await scene.start("a")
    await scene.signal("a")
    await scene.store.send([Send(message=timer("a", 5, execution=None))])
    await scene.apply(turn("a", 2, withdrawn=(0, 1, 5)))
    assert await scene.inbox("a") == [b"signal", b"timer 5"]


async def set_and_withdrawn_in_one_group(scene: Scene) -> None:
    """G8: two turns of one instance; the timer of the first is gone after the second."""
    await scene.start("a")
    result = await scene.apply(
        turn("a", 2, timers=(timer("a", 1, at=NOW), timer("a", 2, at=NOW))),
        turn("a", 3, withdrawn=(1,)),
    )
    assert await scene.inbox("a") == [b"timer 2"]
    assert [one.payload for one in result.delivered] == [b"timer 2"]


async def set_and_withdrawn_in_one_turn(scene: Scene) -> None:
    """G8: a branch that lost its race at once; its timer is neither stored nor delivered."""
    await scene.start("a")
    timers = (timer("a", 1, at=NOW), timer("a", 2, at=NOW), timer("a", 3))
    result = await scene.apply(turn("a", 2, timers=timers, withdrawn=(1, 3)))
    assert await scene.inbox("a") == [b"timer 2"]
    assert [one.payload for one in result.delivered] == [b"timer 2"]


async def many_timers_are_withdrawn_at_once(scene: Scene) -> None:
    """G8: five hundred set, every second withdrawn."""
    await scene.start("a")
    await scene.apply(turn("a", 2, timers=tuple(timer("a", n) for n in range(500))))
    await scene.apply(turn("a", 3, withdrawn=tuple(range(0, 500, 2))))
    expected = [f"timer {n}".encode() for n in range(1, 500, 2)]
    assert await scene.inbox("a") == expected
