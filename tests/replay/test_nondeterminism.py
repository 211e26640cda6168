"""Replay notices every kind of difference, and says where it is and what was expected instead."""

from __future__ import annotations

import msgspec
import pytest

from engine.errors import Nondeterminism, ReplayError, UnsupportedSemantics
from engine.history.codec import encode_event, encode_page, split_page
from engine.history.events import ActivityCompleted, ActivityScheduled, Completed, TimerFired
from engine.interpreter import semantics, snapshot
from engine.interpreter.replay import replay, state_at
from engine.interpreter.view import state_view
from tests.interpreter.case_format import Case, Expect, Told
from tests.interpreter.programs import EPOCH, program_of, started
from tests.interpreter.stage import Stage

TWO = """
steps:
  - { id: a, activity: t.a, with: { n: 1 } }
  - { id: b, activity: t.b }
"""


def recorded(body: str, *completed: str) -> list[bytes]:
    """The pages of an execution in which these steps were completed."""
    told = [Told(completed=path) for path in completed]
    stage = Stage(Case(case="recorded", workflow=body, expect=Expect(), facts=told))
    stage.play()
    return stage.driver.pages


def difference(body: str, pages: list[bytes]) -> Nondeterminism:
    """What replay says of these pages on that workflow."""
    with pytest.raises(Nondeterminism) as caught:
        replay(program_of(body), pages)
    return caught.value


DIFFERENCES = {
    "a changed argument": (
        "steps: [ { id: a, activity: t.a, with: { n: 2 } }, { id: b, activity: t.b } ]",
        (2, "a", "activity_scheduled", "{'n': 1}", "activity_scheduled", "{'n': 2}"),
    ),
    "another activity": (
        "steps: [ { id: a, activity: t.x, with: { n: 1 } }, { id: b, activity: t.b } ]",
        (2, "a", "activity_scheduled", "t.a", "activity_scheduled", "t.x"),
    ),
    "a renamed step": (
        "steps: [ { id: z, activity: t.a, with: { n: 1 } }, { id: b, activity: t.b } ]",
        (2, "z", "activity_scheduled", "'a'", "activity_scheduled", "'z'"),
    ),
    "a step added before": (
        "steps: [ { id: z, log: hi }, { id: a, activity: t.a }, { id: b, activity: t.b } ]",
        (2, "z", "activity_scheduled", "'a'", "logged", "hi"),
    ),
    "a step added behind": (
        f"{TWO}  - {{ id: c, activity: t.c }}",
        (6, "c", "completed", "", "activity_scheduled", "'c'"),
    ),
    "the last step removed": (
        "steps: [ { id: a, activity: t.a, with: { n: 1 } } ]",
        (4, "b", "activity_scheduled", "'b'", "completed", ""),
    ),
    "steps in another order": (
        "steps: [ { id: b, activity: t.b }, { id: a, activity: t.a, with: { n: 1 } } ]",
        (2, "b", "activity_scheduled", "'a'", "activity_scheduled", "'b'"),
    ),
    "another kind of step": (
        "steps: [ { id: a, sleep: 1s }, { id: b, activity: t.b } ]",
        (2, "a", "activity_scheduled", "'a'", "timer_created", "'a'"),
    ),
    "a timeout added to a step": (
        TWO.replace("with: { n: 1 }", "with: { n: 1 }, timeout: 5s"),
        (2, "a", "activity_scheduled", "'a'", "activity_scheduled", "'a'"),
    ),
    "another output": (
        f"{TWO}output: 7",
        (6, "output", "completed", "", "completed", "7"),
    ),
    "a block around a step": (
        "steps: [ { id: d, do: [ { id: a, activity: t.a, with: { n: 1 } } ] }, { activity: t.b } ]",
        (2, "d/a", "activity_scheduled", "'a'", "activity_scheduled", "'d/a'"),
    ),
}


@pytest.mark.parametrize("changed", DIFFERENCES)
def test_a_difference_is_told_with_its_place(changed: str) -> None:
    body, (seq, path, expected, of_it, got, of_that) = DIFFERENCES[changed]
    found = difference(body, recorded(TWO, "a", "b"))
    assert found.seq == seq
    assert found.step_path == path
    assert found.expected is not None
    assert found.got is not None
    assert found.expected.startswith(f"{expected}(")
    assert of_it in found.expected
    assert found.got.startswith(f"{got}(")
    assert of_that in found.got
    assert str(found.seq) in str(found)


def test_what_was_recorded_is_no_difference() -> None:
    for completed in ((), ("a",), ("a", "b")):
        pages = recorded(TWO, *completed)
        assert replay(program_of(TWO), pages).seq == sum(len(split_page(page)) for page in pages)


def test_a_shortened_definition_is_noticed_by_the_decision_left_over() -> None:
    """One step of two is gone, so the recorded call of the second has nothing to stand against."""
    body = "steps: [ { id: p, parallel: { x: [ { id: a, activity: t.a } ], y: [ %s ] } } ]"
    pages = recorded(body % "{ id: b, activity: t.b }, { activity: t.c }")
    found = difference(body % "{ log: b }", pages)
    assert (found.seq, found.step_path) == (3, "p/y/log")


def test_a_left_over_decision() -> None:
    pages = recorded(TWO)
    extra = encode_event(ActivityScheduled(path="ghost", activity="t.ghost"))
    found = difference(TWO, [encode_page([*split_page(pages[0]), extra])])
    assert (found.seq, found.step_path, found.got) == (3, "ghost", None)
    assert found.expected is not None and "t.ghost" in found.expected


def test_a_missing_decision_at_the_end() -> None:
    pages = recorded(TWO, "a")
    found = difference(TWO, [pages[0], encode_page(split_page(pages[1])[:1])])
    assert (found.seq, found.step_path, found.expected) == (4, "b", None)
    assert found.got is not None and found.got.startswith("activity_scheduled(")


def test_a_missing_decision_before_the_next_fact() -> None:
    pages = recorded(TWO, "a", "b")
    found = difference(TWO, [pages[0], encode_page(split_page(pages[1])[:1]), pages[2]])
    assert (found.seq, found.step_path) == (4, "b")
    assert found.expected is not None and found.expected.startswith("activity_completed(")


@pytest.mark.parametrize(
    ("fact", "path"),
    [
        (ActivityCompleted(at=EPOCH, ref=9), "a"),
        (ActivityCompleted(at=EPOCH, ref=1), "a"),
        (TimerFired(at=EPOCH, ref=2), "a"),
    ],
)
def test_an_answer_to_nothing(fact: ActivityCompleted | TimerFired, path: str) -> None:
    found = difference(TWO, [*recorded(TWO), encode_page([encode_event(fact)])])
    assert (found.seq, found.step_path, found.got) == (3, path, None)
    assert found.expected is not None and "ref" in found.expected


def test_a_second_answer_names_the_step_that_was_answered() -> None:
    pages = recorded(TWO, "a")
    again = encode_page([encode_event(ActivityCompleted(at=EPOCH, ref=2))])
    found = difference(TWO, [*pages, again])
    assert (found.seq, found.step_path) == (5, "a")


def test_a_withdrawal_names_the_step_it_takes_back() -> None:
    body = "steps: [ { id: r, race: { x: [ { id: a, activity: t.a } ], y: [ %s ] } } ]"
    pages = recorded(body % "{ id: b, activity: t.b }", "r/x/a")
    swapped = pages[1].replace(b'"ref":3', b'"ref":2')
    found = difference(body % "{ id: b, activity: t.b }", [pages[0], swapped])
    assert (found.seq, found.step_path) == (5, "r/y/b")


def test_a_history_that_does_not_begin() -> None:
    decision = encode_event(Completed(output=1))
    assert difference(TWO, [encode_page([decision])]).seq == 1
    fact = encode_event(ActivityCompleted(at=EPOCH, ref=1))
    assert difference(TWO, [encode_page([fact])]).seq == 1


def test_a_history_that_begins_twice() -> None:
    pages = recorded(TWO)
    assert difference(TWO, [*pages, pages[0]]).seq == 3


def test_a_history_that_goes_on_after_its_end() -> None:
    pages = recorded(TWO, "a", "b")
    assert difference(TWO, [*pages, pages[2]]).seq == 7


def test_an_event_of_a_later_release_is_a_difference_not_a_crash() -> None:
    pages = recorded(TWO)
    unknown = b'{"kind":"hologram_shown","path":"a"}'
    found = difference(TWO, [encode_page([*split_page(pages[0]), unknown])])
    assert found.expected is not None and "hologram_shown" in found.expected


@pytest.mark.parametrize(
    "page",
    [b"", b"[", b"{}", b"[1]x", b"\xff\xfe", b'[{"kind":"timer_fired","ref":"x","at":1}]'],
)
def test_a_damaged_page_is_a_replay_error(page: bytes) -> None:
    with pytest.raises(ReplayError, match="damaged"):
        replay(program_of(TWO), [*recorded(TWO), page])


@pytest.mark.parametrize("saved", [b"", b"{}", b"[]", b'{"format":1}', b'{"format":2}', b"\x00"])
def test_a_damaged_snapshot_is_a_replay_error(saved: bytes) -> None:
    with pytest.raises(ReplayError):
        snapshot.load(program_of(TWO), saved)


def test_a_snapshot_of_another_program_is_a_replay_error() -> None:
    body = "steps: [ { id: d, do: [ { id: e, do: [ { id: a, activity: t.a } ] } ] } ]"
    saved = snapshot.dump(replay(program_of(body), recorded(body)))
    with pytest.raises(ReplayError):
        snapshot.load(program_of("steps: [ { log: a } ]"), saved)


def test_a_semantics_level_this_build_does_not_know() -> None:
    first = msgspec.structs.replace(started(), semantics=semantics.CURRENT + 1)
    with pytest.raises(UnsupportedSemantics) as caught:
        replay(program_of(TWO), [encode_page([encode_event(first)])])
    assert caught.value.level == semantics.CURRENT + 1


def test_time_travel_shows_the_state_after_the_fact_that_holds_an_event() -> None:
    pages = recorded(TWO, "a", "b")
    program = program_of(TWO)
    seen = []
    for seq in range(1, 7):
        run = state_at(program, pages, seq)
        view = state_view(run)
        assert isinstance(view["steps"], dict)
        seen.append((run.seq, sorted(view["steps"]), [one["step"] for one in view["waiting_for"]]))
    first, second, end = (2, [], ["a"]), (4, ["a"], ["b"]), (6, [], [])
    assert seen == [first, first, second, second, end, end]


def test_time_travel_past_the_end_is_the_end() -> None:
    pages = recorded(TWO, "a", "b")
    assert state_at(program_of(TWO), pages, 99).ended == Completed()
