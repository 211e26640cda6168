"""Continue-as-new: one instance, many histories (G13)."""

from __future__ import annotations

from typing import Any

from engine.storage.records import Delta, Message, Page, Send, Snapshot
from engine.testing.conformance.scene import (
    LATER,
    NEXT_PIN,
    NOW,
    PIN,
    Scene,
    born,
    page,
    timer,
    turn,
)


def _continued(name: str, seq: int, *, execution: int = 1, **fields: Any) -> Delta:
    usual: dict[str, Any] = {
        "pages": (page(execution, seq + 1, seq + 1), page(execution + 1, 1, 2)),
        "next_pin": NEXT_PIN,
    }
    return turn(name, seq, execution=execution, **(usual | fields))


async def the_next_execution_begins(scene: Scene) -> None:
    """G13: with its own pin, sequence and summary, under the same epoch."""
    await scene.start("a", custom_status=b"1")
    await scene.apply(_continued("a", 2, updated_at=LATER, open_waits=3))
    record = await scene.record("a")
    assert (record.execution, record.last_seq, record.pin) == (2, 2, NEXT_PIN)
    assert (record.status, record.owner, record.epoch) == ("running", scene.lease.node, 1)
    assert (record.created_at, record.updated_at, record.open_waits) == (NOW, LATER, 3)
    await scene.apply(turn("a", 2, execution=2))


async def the_old_execution_is_archived(scene: Scene) -> None:
    """G13: as `continued`, with its own pin and times."""
    await scene.start("a")
    await scene.apply(_continued("a", 2, updated_at=LATER))
    old, new = await scene.store.executions("a")
    assert (old.execution, old.status, old.pin, old.last_seq) == (1, "continued", PIN, 3)
    assert (old.started_at, old.finished_at) == (NOW, LATER)
    assert (new.execution, new.status, new.pin, new.last_seq) == (2, "running", NEXT_PIN, 2)
    assert (new.started_at, new.finished_at) == (LATER, None)


async def histories_are_apart(scene: Scene) -> None:
    """G13: each is read by its number, a live state from the current one alone."""
    await scene.start("a")
    await scene.apply(_continued("a", 2))
    assert await scene.seqs("a", 1) == [(1, 2), (3, 3)]
    assert await scene.seqs("a", 2) == [(1, 2)]
    assert await scene.seqs("a", 3) == []
    loaded = await scene.load("a")
    assert loaded is not None
    assert loaded.pages == (page(2, 1, 2),)


async def timers_of_the_old_execution_are_dropped(scene: Scene) -> None:
    """G13: those set before and in the very turn; the new one's own are kept."""
    await scene.start("a")
    await scene.apply(turn("a", 2, timers=(timer("a", 1), timer("a", 2, at=NOW))))
    old, due, new = timer("a", 3), timer("a", 5, at=NOW), timer("a", 4, execution=2, at=LATER + 4)
    result = await scene.apply(_continued("a", 3, timers=(old, due, new)))
    assert result.delivered == ()
    assert await scene.inbox("a") == [b"timer 4"]
    assert await scene.store.next_due(now=0) == LATER + 4


async def messages_without_execution_are_kept(scene: Scene) -> None:
    """G13: signals outlive any number of executions, in order."""
    await scene.start("a")
    await scene.signal("a", b"1")
    await scene.apply(_continued("a", 2))
    await scene.signal("a", b"2")
    await scene.store.send([Send(message=Message("a", b"child of 2", 0, 2))])
    await scene.apply(_continued("a", 2, execution=2))
    await scene.signal("a", b"3")
    assert await scene.inbox("a") == [b"1", b"2", b"3"]


async def consumed_in_the_last_turn_is_consumed(scene: Scene) -> None:
    """G13: the turn that continues takes its messages with it."""
    await scene.start("a")
    await scene.signal("a", b"1")
    await scene.signal("a", b"2")
    first, _ = await scene.message_ids("a")
    await scene.apply(_continued("a", 2, consumed=(first,)))
    assert await scene.inbox("a") == [b"2"]


async def many_executions_are_listed_in_order(scene: Scene) -> None:
    """G13: none is lost, none mixed up."""
    await scene.start("a", "b")
    for execution in range(1, 12):
        await scene.apply(_continued("a", 2, execution=execution), turn("b", 1 + execution))
    found = await scene.store.executions("a")
    assert [one.execution for one in found] == list(range(1, 13))
    assert {one.status for one in found[:-1]} == {"continued"}
    for execution in range(1, 12):
        assert await scene.seqs("a", execution) == [(1, 2), (3, 3)]
    assert [one.execution for one in await scene.store.executions("b")] == [1]


async def a_turn_may_continue_and_end(scene: Scene) -> None:
    """G13, G14: the next execution ends in the commit that begins it."""
    await scene.start("a")
    await scene.signal("a")
    await scene.apply(
        _continued("a", 2, status="completed", output=b"1", timers=(timer("a", 1, execution=2),))
    )
    record = await scene.record("a")
    assert (record.execution, record.status, record.output) == (2, "completed", b"1")
    assert (record.owner, record.finished_at) == (None, NOW)
    assert await scene.inbox("a") == []
    assert [one.status for one in await scene.store.executions("a")] == ["continued", "completed"]


async def a_first_turn_may_continue(scene: Scene) -> None:
    """G9, G13: created, ended and begun anew in one commit."""
    pages = (Page(1, 1, 3, b"old"), Page(2, 1, 1, b"new"))
    await scene.apply(born("a", pages=pages, next_pin=NEXT_PIN))
    record = await scene.record("a")
    assert (record.execution, record.last_seq, record.status) == (2, 1, "running")
    assert await scene.seqs("a", 1) == [(1, 3)]
    await scene.apply(turn("a", 1, execution=2))


async def a_turn_may_continue_without_events(scene: Scene) -> None:
    """G4, G13: sequences are told by the pages of each execution."""
    await scene.start("a", "b")
    await scene.apply(_continued("a", 2, pages=()), _continued("b", 2, pages=(page(1, 3, 4),)))
    for name, old in (("a", 2), ("b", 4)):
        archived, current = await scene.store.executions(name)
        assert (archived.last_seq, current.last_seq) == (old, 0), name
        await scene.apply(turn(name, 0, execution=2))


async def a_stale_continuation_leaves_nothing(scene: Scene) -> None:
    """G3, G13: neither archive nor dropped timers."""
    await scene.start("a", "b")
    await scene.apply(turn("a", 2, timers=(timer("a", 1),)))
    assert await scene.results(_continued("a", 2), _continued("b", 2)) == ["stale", "applied"]
    assert [one.execution for one in await scene.store.executions("a")] == [1]
    assert await scene.inbox("a") == [b"timer 1"]
    assert await scene.seqs("a", 2) == []


async def a_snapshot_of_the_old_execution_is_gone(scene: Scene) -> None:
    """G13: a live state starts from the new one."""
    await scene.start("a", snapshot=Snapshot(1, 2, b"old"))
    await scene.apply(_continued("a", 2))
    loaded = await scene.load("a")
    assert loaded is not None
    assert loaded.snapshot is None
    await scene.apply(turn("a", 2, execution=2, snapshot=Snapshot(2, 3, b"new")))
    loaded = await scene.load("a")
    assert loaded is not None
    assert loaded.snapshot == Snapshot(2, 3, b"new")
    assert loaded.pages == ()


async def an_instance_without_a_name_has_no_executions(scene: Scene) -> None:
    """G13: an empty list, no error."""
    assert await scene.store.executions("nobody") == []
    assert await scene.store.history("nobody", execution=1) == []
