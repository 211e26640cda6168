"""An id is created once (G9)."""

from __future__ import annotations

from engine.storage.records import Message, Pin
from engine.testing.conformance.scene import (
    LATER,
    NEXT_PIN,
    NOW,
    PIN,
    Scene,
    born,
    creation,
    turn,
)

_THEN = Message("watcher", b"created")
_OTHERWISE = Message("watcher", b"taken")


async def a_created_instance_is_complete(scene: Scene) -> None:
    """G9: pending, with its pin, its parent and its first message, owned by nobody."""
    pin = Pin("mail", "2.3.4-rc.1", "sha256:m", 7)
    assert await scene.request("a", pin=pin, parent_id="p", created_at=NOW + 5) is None
    record = await scene.record("a")
    assert record.pin == pin
    assert (record.status, record.execution, record.last_seq) == ("pending", 1, 0)
    assert (record.owner, record.attempts, record.parent_id) == (None, 0, "p")
    assert (record.created_at, record.updated_at, record.finished_at) == (NOW + 5, NOW + 5, None)
    assert await scene.inbox("a", now=0) == [b"start"]


async def a_taken_id_is_refused(scene: Scene) -> None:
    """G9: the loser gets the record of the winner, and changes nothing of it."""
    await scene.request("a")
    refused = await scene.request("a", pin=NEXT_PIN, start=b"other", created_at=LATER)
    assert refused == await scene.record("a")
    assert refused is not None
    assert refused.pin == PIN
    assert await scene.inbox("a") == [b"start"]


async def an_id_twice_in_one_request_is_created_once(scene: Scene) -> None:
    """G9: the first of them wins."""
    first, second, third = await scene.store.create(
        [creation("a"), creation("a", start=b"other"), creation("b")]
    )
    assert (first, third) == (None, None)
    assert second is not None
    assert await scene.inbox("a") == [b"start"]


async def an_ended_instance_keeps_its_id(scene: Scene) -> None:
    """G9: without `replace_finished` it is taken for ever."""
    await scene.start("a")
    await scene.apply(turn("a", 2, status="failed"))
    refused = await scene.request("a")
    assert refused is not None
    assert refused.status == "failed"
    assert await scene.inbox("a") == []


async def one_answer_is_delivered(scene: Scene) -> None:
    """G9: `then` to the winner's listener, `otherwise` to the loser's, never both."""
    await scene.start("watcher")
    await scene.request("a", then=_THEN, otherwise=_OTHERWISE)
    assert await scene.inbox("watcher") == [b"created"]
    await scene.request("a", then=_THEN, otherwise=_OTHERWISE)
    assert await scene.inbox("watcher") == [b"created", b"taken"]


async def an_answer_nobody_can_take_is_dropped(scene: Scene) -> None:
    """G9: it is no error and creates nothing."""
    await scene.request("a", then=Message("nobody", b"x"), otherwise=_OTHERWISE)
    assert await scene.store.get("nobody") is None
    assert await scene.inbox("a") == [b"start"]


async def a_first_turn_creates_its_instance(scene: Scene) -> None:
    """G9: in one commit: row, events, ownership under epoch 1."""
    await scene.apply(born("a"))
    record = await scene.record("a")
    assert (record.status, record.owner, record.epoch) == ("running", scene.lease.node, 1)
    assert record.last_seq == 2
    await scene.apply(turn("a", 2))


async def a_first_turn_can_end_its_instance(scene: Scene) -> None:
    """G9, G14: a workflow that never waits is one commit."""
    await scene.apply(born("a", status="completed", output=b"1", finished_at=NOW + 1))
    record = await scene.record("a")
    assert (record.status, record.output, record.owner) == ("completed", b"1", None)
    assert record.finished_at == NOW + 1


async def a_late_first_turn_is_a_duplicate(scene: Scene) -> None:
    """G9: it learns the status of the instance that has the id, which is left alone."""
    await scene.start("run", "end")
    await scene.request("wait")
    await scene.apply(turn("end", 2, status="cancelled"))
    result = await scene.commit(born("run"), born("end"), born("wait"), born("new"))
    assert [(one.result, one.existing) for one in result.outcomes] == [
        ("duplicate", "running"),
        ("duplicate", "cancelled"),
        ("duplicate", "pending"),
        ("applied", None),
    ]
    assert await scene.seqs("run") == [(1, 2)]
    assert await scene.seqs("wait") == []


async def of_two_first_turns_in_a_group_one_wins(scene: Scene) -> None:
    """G9: the other is a duplicate of it."""
    result = await scene.commit(born("a"), born("a"))
    assert [(one.result, one.existing) for one in result.outcomes] == [
        ("applied", None),
        ("duplicate", "running"),
    ]
    assert await scene.seqs("a") == [(1, 2)]


async def a_first_turn_answers_too(scene: Scene) -> None:
    """G9: `then` when it was stored, `otherwise` when it is a duplicate, nothing when stale."""
    await scene.start("watcher")
    made = creation("a", start=None, claimed=True, then=_THEN, otherwise=_OTHERWISE)
    await scene.apply(born("a", create=made))
    assert await scene.inbox("watcher") == [b"created"]
    result = await scene.commit(born("a", create=made))
    assert result.outcomes[0].result == "duplicate"
    assert [one.payload for one in result.delivered] == [b"taken"]
    fresh = creation("b", start=None, claimed=True, then=_THEN, otherwise=_OTHERWISE)
    assert await scene.results(turn("b", 9, create=fresh)) == ["stale"]
    assert await scene.inbox("watcher") == [b"created", b"taken"]


async def a_child_is_created_with_the_turn(scene: Scene) -> None:
    """G9: unclaimed, with parent and first message, which is delivered."""
    await scene.start("p")
    result = await scene.apply(turn("p", 2, children=(creation("p.c", parent_id="p"),)))
    record = await scene.record("p.c")
    assert (record.parent_id, record.owner, record.status) == ("p", None, "pending")
    assert [(one.instance_id, one.payload) for one in result.delivered] == [("p.c", b"start")]
    assert await scene.claim() == ["p.c"]


async def a_claimed_child_is_born_owned(scene: Scene) -> None:
    """G9, G11: epoch 1, its messages come to the lease, nobody claims it."""
    await scene.start("p")
    await scene.apply(turn("p", 2, children=(creation("p.c", claimed=True),)))
    record = await scene.record("p.c")
    assert (record.owner, record.epoch) == (scene.lease.node, 1)
    assert await scene.claim() == []
    found = await scene.store.messages(scene.lease, now=NOW, limit=10)
    assert [one.instance_id for one in found] == ["p.c"]
    await scene.apply(turn("p.c", 0, consumed=(found[0].id,)))


async def a_child_with_a_taken_id_is_told(scene: Scene) -> None:
    """G9: the parent hears `otherwise`; what has the id is left alone."""
    await scene.start("p", "p.c")
    child = creation(
        "p.c", pin=NEXT_PIN, then=Message("p", b"then"), otherwise=Message("p", b"otherwise")
    )
    await scene.apply(turn("p", 2, children=(child,)))
    assert await scene.inbox("p") == [b"otherwise"]
    assert await scene.inbox("p.c") == []
    assert (await scene.record("p.c")).pin == PIN


async def a_running_instance_is_not_replaced(scene: Scene) -> None:
    """G9: `replace_finished` means what it says."""
    await scene.start("a")
    await scene.request("b")
    await scene.store.suspend(scene.lease, "a", reason="poison", now=NOW)
    for name, status in (("a", "suspended"), ("b", "pending")):
        refused = await scene.request(name, replace_finished=True, start=b"other")
        assert refused is not None
        assert refused.status == status
    assert await scene.inbox("a") == []


async def a_finished_instance_is_replaced(scene: Scene) -> None:
    """G9, G13: by its next execution, as new; the ended one can still be read."""
    await scene.start("a", custom_status=b"1")
    await scene.apply(turn("a", 2, status="failed", error=b"{}", updated_at=NOW + 9))
    assert await scene.request("a", replace_finished=True, pin=NEXT_PIN, created_at=LATER) is None
    record = await scene.record("a")
    assert (record.execution, record.status, record.last_seq) == (2, "pending", 0)
    assert (record.pin, record.created_at, record.finished_at) == (NEXT_PIN, LATER, None)
    assert (record.error, record.custom_status, record.owner) == (None, None, None)
    assert await scene.inbox("a") == [b"start"]
    assert await scene.seqs("a", 1) == [(1, 2), (3, 3)]
    assert await scene.seqs("a", 2) == []
    old, new = await scene.store.executions("a")
    assert (old.execution, old.status, old.pin, old.last_seq) == (1, "failed", PIN, 3)
    assert (old.started_at, old.finished_at) == (NOW, NOW + 9)
    assert (new.execution, new.status, new.pin, new.started_at) == (2, "pending", NEXT_PIN, LATER)


async def a_replacement_lives_and_is_replaced_again(scene: Scene) -> None:
    """G9, G13: three lives of one id, three histories."""
    for execution in (1, 2, 3):
        await scene.request("a", replace_finished=True)
        assert await scene.claim() == ["a"]
        record = await scene.record("a")
        assert record.execution == execution
        await scene.apply(
            turn(
                "a",
                0,
                epoch=record.epoch,
                execution=execution,
                events=execution,
                status="completed",
            )
        )
    assert [await scene.seqs("a", n) for n in (1, 2, 3)] == [[(1, 1)], [(1, 2)], [(1, 3)]]
    assert [one.execution for one in await scene.store.executions("a")] == [1, 2, 3]


async def a_replacement_leaves_others_alone(scene: Scene) -> None:
    """G9, G13: their archives and pages stay theirs."""
    for name in ("a", "b"):
        await scene.start(name)
        await scene.apply(turn(name, 2, status="completed"))
    await scene.request("b", replace_finished=True)
    await scene.request("a", replace_finished=True)
    for name in ("a", "b"):
        assert [one.execution for one in await scene.store.executions(name)] == [1, 2]
        assert await scene.seqs(name) == [(1, 2), (3, 3)]


async def a_replacement_in_a_first_turn_names_its_execution(scene: Scene) -> None:
    """G9: pages are bound to an execution; a wrong guess is a duplicate."""
    await scene.start("a")
    await scene.apply(turn("a", 2, status="completed"))
    for execution, expected in ((1, "duplicate"), (3, "duplicate"), (2, "applied")):
        made = creation("a", start=None, claimed=True, execution=execution, replace_finished=True)
        delta = born("a", execution=execution, create=made)
        assert await scene.results(delta) == [expected], execution
    record = await scene.record("a")
    assert (record.execution, record.status, record.epoch) == (2, "running", 1)
    assert await scene.seqs("a", 1) == [(1, 2), (3, 3)]
    assert await scene.seqs("a", 2) == [(1, 2)]
    await scene.apply(turn("a", 2, execution=2))


async def replacing_what_is_not_there_creates_it(scene: Scene) -> None:
    """G9: the id is free."""
    assert await scene.request("a", replace_finished=True) is None
    assert (await scene.record("a")).execution == 1


async def an_old_owner_does_not_touch_the_replacement(scene: Scene) -> None:
    """G3, G9: its turns are of another execution."""
    await scene.start("a")
    await scene.apply(turn("a", 2, status="completed"))
    await scene.request("a", replace_finished=True)
    assert await scene.claim() == ["a"]
    assert await scene.results(turn("a", 3), turn("a", 0)) == ["stale", "stale"]
