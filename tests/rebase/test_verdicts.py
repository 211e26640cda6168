"""Verdicts by hand: what fits, what does not, and where it is said to differ."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from engine.history import events as ev
from engine.history.codec import encode_page
from engine.interpreter import snapshot
from engine.interpreter.program import Program
from engine.interpreter.replay import replay
from engine.registry.rebase import COMPATIBLE, verdict
from tests.interpreter.driver import Driver
from tests.interpreter.programs import EPOCH, program_of, started

ORDER = dedent("""
    input_schema: { type: object, properties: { id: { type: string } } }
    signals: { paid: {} }
    vars: { n: 1 }
    steps:
      - { id: reserve, activity: t.reserve, with: { id: "${{ input.id }}" } }
      - { id: paid, wait: paid, timeout: 1h }
      - { id: ship, activity: t.ship, with: { n: "${{ vars.n }}" } }
""")
# (what is changed, by what, what comes of it: nothing, or (seq, step, part of the words))
CHANGES: list[tuple[str, str, str, tuple[int, str, str] | None]] = [
    ("a step that is reached later", "t.ship", "t.send", None),
    ("a step more at the end", 'n: "${{ vars.n }}" } }',
     'n: "${{ vars.n }}" } }\n  - { id: thank, activity: t.thank }', None),
    ("a step less at the end",
     '  - { id: ship, activity: t.ship, with: { n: "${{ vars.n }}" } }',
     "", None),
    ("a variable that nothing has shown yet", "n: 1", "n: 2", None),
    ("a retry of what has succeeded", 'id: "${{ input.id }}" }',
     'id: "${{ input.id }}" }, retry: { max_attempts: 9 }', None),
    ("the name of an activity that has run", "t.reserve", "t.hold", (2, "reserve", "t.hold")),
    ("its arguments", "{ id: \"${{ input.id }}\" }", "{ id: x }", (2, "reserve", "'x'")),
    ("the name of a step that has run", "id: reserve", "id: hold", (2, "hold", "hold")),
    ("the limit of the open wait", "1h", "2h", (5, "paid", "timer_created")),
    ("the signal that is waited for", "wait: paid, timeout", "wait: other, timeout",
     (4, "paid", "other")),
    ("a step before the one that is open", "  - { id: paid,",
     "  - { id: between, log: hello }\n  - { id: paid,", (4, "between", "logged")),
    ("an input that is required", "{ type: string } }",
     "{ type: string }, by: {} }, required: [by]",
     (1, "(workflow)", "input refused")),
    ("an input that would be filled in", "{ type: string } }",
     "{ type: string }, by: { default: ann } }", (1, "(workflow)", "ann")),
    ("an input that is left out", "{ type: string } }", "{ type: string }, by: {} }", None),
]  # fmt: skip


def waiting() -> Driver:
    """An order that has been reserved and waits for its payment."""
    driver = Driver(program_of(ORDER))
    driver.tell(started({"id": "a"}))
    driver.tell(ev.ActivityCompleted(at=EPOCH, ref=2, result=None))
    return driver


@pytest.mark.parametrize(
    ("what", "old", "new", "expected"), CHANGES, ids=lambda value: str(value)[:40]
)
def test_changes(what: str, old: str, new: str, expected: tuple[int, str, str] | None) -> None:
    assert old in ORDER, what
    body = ORDER.replace(old, new)
    if "other" in new:
        body = body.replace("{ paid: {} }", "{ paid: {}, other: {} }")
    driver = waiting()
    found = verdict(program_of(body), driver.pages, current=driver.program)
    if expected is None:
        assert found == COMPATIBLE
        return
    assert (found.result, found.seq, found.step_path) == ("diverges", *expected[:2])
    assert expected[2] in str(found)


def test_a_difference_is_told_with_both_sides() -> None:
    driver = waiting()
    other = program_of(ORDER.replace("t.reserve", "t.hold"))
    found = verdict(other, driver.pages, current=driver.program)
    assert str(found) == (
        "diverges at event 2 (step `reserve`): expected activity_scheduled(path 'reserve', "
        "activity 't.reserve', input \"{'id': 'a'}\"), got activity_scheduled(path 'reserve', "
        "activity 't.hold', input \"{'id': 'a'}\")"
    )


PARALLEL = dedent("""
    steps:
      - id: outer
        parallel:
          one:
            - id: inner
              parallel:
                calls: [ { id: a, activity: t.a } ]
                tells: [ { id: s, signal: ping, to: other } ]
          two: [ { id: b, activity: t.b } ]
""")


def test_an_answer_that_was_dropped_will_not_come_again() -> None:
    """A race gives its losing signal up without an event; then `parallel` would wait for ever."""
    race = PARALLEL.replace("inner\n          parallel", "inner\n          race")
    for now, other in ((race, PARALLEL), (PARALLEL, race)):
        driver = Driver(program_of(now))
        driver.tell(started())
        driver.tell(ev.ActivityCompleted(at=EPOCH, ref=2, result=None))
        there = program_of(other)
        assert replay(there, driver.pages).seq == driver.run.seq, "the replay does not see it"
        found = verdict(there, driver.pages, current=driver.program)
        assert (found.result, found.seq, found.step_path) == (
            "diverges",
            3,
            "outer/one/inner/tells/s",
        )
        assert ("no delivery that is open" in str(found)) == (other == race)
        assert driver.run.accepts(ev.SignalDelivered(at=EPOCH, ref=3)) == (now == PARALLEL)


def test_where_it_does_not_even_replay_the_replay_alone_counts() -> None:
    """A history set aside because its own program does not fit: the right program mends it."""
    driver = waiting()
    wrong = program_of(ORDER.replace("t.reserve", "t.hold"))
    assert verdict(driver.program, driver.pages, current=wrong).compatible
    assert not verdict(wrong, driver.pages, current=wrong).compatible


def test_damaged_pages_are_told_not_raised() -> None:
    driver = waiting()
    found = verdict(driver.program, [*driver.pages, b"[{"], current=driver.program)
    assert found.result == "diverges"
    assert "damaged" in str(found)
    assert verdict(driver.program, []).result == "diverges"
    assert not verdict(driver.program, [encode_page([b'{"kind":"completed"}'])]).compatible


def test_what_is_undone_later_is_what_the_new_version_says() -> None:
    """A compensation that is new is kept for a step that has run already."""
    body = dedent("""
        steps:
          - id: both
            saga:
                  - { id: a, activity: t.a UNDO }
                  - { id: b, activity: t.b }
    """)
    driver = Driver(program_of(body.replace(" UNDO", "")))
    driver.tell(started())
    driver.tell(ev.ActivityCompleted(at=EPOCH, ref=2, result=None))
    undone = program_of(body.replace(" UNDO", ", compensate: [ { id: u, activity: t.u } ]"))
    assert verdict(undone, driver.pages, current=driver.program).compatible
    after = moved(undone, driver)
    error = ev.Failure(type="t.no", message="no")
    decided: list[Any] = after.tell(ev.ActivityFailed(at=EPOCH, ref=4, error=error))
    assert decided[0].path == "both/a/undo/u"
    after.finish()


def test_a_copy_of_a_moved_execution_is_as_good() -> None:
    driver = waiting()
    after = moved(driver.program, driver)
    saved = snapshot.dump(after.run)
    assert snapshot.load(after.program, saved).revision == "r2"
    assert replay(after.program, after.pages).revision == "r2"
    assert snapshot.dump(replay(after.program, after.pages)) == saved


def moved(program: Program, before: Driver) -> Driver:
    """The execution on another program, the move recorded."""
    after = Driver(program)
    after.run = replay(program, before.pages)
    after.events, after.pages = before.events, before.pages
    after.tell(ev.Rebased(at=EPOCH, version="1.0.1", revision="r2"))
    return after
