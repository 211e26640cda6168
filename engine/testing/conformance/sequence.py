"""Histories have no gaps (G4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import StorageError
from engine.testing.conformance.scene import NEXT_PIN, Scene, page, turn

if TYPE_CHECKING:
    from engine.storage.records import Delta


async def pages_follow_each_other(scene: Scene) -> None:
    """G4: turn after turn, and several pages in one turn."""
    await scene.start("a")
    await scene.apply(turn("a", 2, events=3))
    await scene.apply(turn("a", 5, pages=(page(1, 6, 6), page(1, 7, 9))))
    assert await scene.seqs("a") == [(1, 2), (3, 5), (6, 6), (7, 9)]
    assert (await scene.record("a")).last_seq == 9


async def a_turn_without_events_moves_nothing(scene: Scene) -> None:
    """G4: the summary alone."""
    await scene.start("a")
    await scene.apply(turn("a", 2, events=0, open_activities=5))
    record = await scene.record("a")
    assert (record.last_seq, record.open_activities) == (2, 5)
    assert await scene.seqs("a") == [(1, 2)]
    await scene.apply(turn("a", 2))


async def a_gap_is_refused(scene: Scene) -> None:
    """G4: after the stored events, between pages, and at the start of an execution."""
    await scene.start("a")
    await _refused(scene, turn("a", 2, pages=(page(1, 4, 4),)))
    await _refused(scene, turn("a", 2, pages=(page(1, 3, 3), page(1, 5, 5))))
    next_page = page(2, 2, 2)
    await _refused(scene, turn("a", 2, pages=(page(1, 3, 3), next_page), next_pin=NEXT_PIN))


async def an_overlap_is_refused(scene: Scene) -> None:
    """G4: no event is stored twice."""
    await scene.start("a")
    await _refused(scene, turn("a", 2, pages=(page(1, 2, 3),)))
    await _refused(scene, turn("a", 2, pages=(page(1, 3, 4), page(1, 4, 4))))
    await _refused(scene, turn("a", 2, pages=(page(1, 3, 2),)))


async def a_page_of_another_execution_is_refused(scene: Scene) -> None:
    """G4: unless the turn starts that execution."""
    await scene.start("a")
    await _refused(scene, turn("a", 2, pages=(page(2, 1, 1),)))
    await _refused(scene, turn("a", 2, pages=(page(1, 3, 3), page(3, 1, 1)), next_pin=NEXT_PIN))


async def history_is_read_from_any_event(scene: Scene) -> None:
    """G4: pages that hold events after the given one, also when it is inside a page."""
    await scene.start("a")
    await scene.apply(turn("a", 2, events=3))
    await scene.apply(turn("a", 5, events=1))
    for after, expected in (
        (0, [(1, 2), (3, 5), (6, 6)]),
        (1, [(1, 2), (3, 5), (6, 6)]),
        (2, [(3, 5), (6, 6)]),
        (3, [(3, 5), (6, 6)]),
        (4, [(3, 5), (6, 6)]),
        (5, [(6, 6)]),
        (6, []),
        (99, []),
    ):
        pages = await scene.store.history("a", execution=1, after=after)
        assert [(one.first_seq, one.last_seq) for one in pages] == expected, after


async def history_is_read_in_pieces(scene: Scene) -> None:
    """G4: `limit` counts pages; the pieces put together are the whole."""
    await scene.start("a")
    for seq in range(2, 9):
        await scene.apply(turn("a", seq))
    found: list[int] = []
    for expected in (3, 3, 2, 0):
        after = found[-1] if found else 0
        pages = await scene.store.history("a", execution=1, after=after, limit=3)
        assert len(pages) == expected
        found.extend(one.last_seq for one in pages)
    assert found == list(range(2, 10))


async def pages_keep_their_payload(scene: Scene) -> None:
    """G4: and their place."""
    await scene.start("a", "b")
    await scene.apply(turn("a", 2), turn("b", 2, events=2))
    pages = await scene.store.history("b", execution=1)
    assert pages == [page(1, 1, 2), page(1, 3, 4)]


async def _refused(scene: Scene, delta: Delta) -> None:
    try:
        await scene.commit(delta)
    except StorageError:
        assert await scene.seqs("a") == [(1, 2)]
        assert (await scene.record("a")).last_seq == 2
        return
    raise AssertionError(f"stored: {delta.pages}")
