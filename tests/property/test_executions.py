"""What holds of every program under everything that can happen to it."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.history.codec import encode_event, encode_page, split_page
from engine.interpreter import snapshot
from engine.interpreter.execution import Execution
from engine.interpreter.replay import replay, state_at
from tests.property.adventures import Adventure

ROOT = Path(__file__).parents[2]
CHOICES = st.binary(min_size=150, max_size=600)
BOUNDED = settings(
    max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@settings(BOUNDED, max_examples=250)
@given(CHOICES)
@example(b"")
def test_an_execution_ends_or_waits_and_a_copy_is_as_good(data: bytes) -> None:
    """The driver asserts it after every fact: see `tests.interpreter.driver`."""
    Adventure(data).play()


@BOUNDED
@given(CHOICES, st.integers(0, 1000))
def test_any_prefix_replayed_and_continued_is_the_whole(data: bytes, cut: int) -> None:
    told = Adventure(data, copied=False).play()
    pages, facts = told.driver.pages, told.facts
    at = cut % len(pages)
    run = replay(told.program, pages[:at])
    for fact, page in zip(facts[at:], pages[at:], strict=True):
        decisions = [encode_event(one) for one in run.advance(fact)]
        assert decisions == split_page(page)[1:]
    assert run.seq == told.driver.run.seq
    assert run.ended == told.driver.run.ended


@BOUNDED
@given(CHOICES, st.integers(0, 1000))
def test_a_snapshot_and_the_tail_are_the_whole(data: bytes, cut: int) -> None:
    told = Adventure(data, copied=False).play()
    pages = told.driver.pages
    at = cut % len(pages)
    if at == 0:
        return
    saved = snapshot.dump(replay(told.program, pages[:at]))
    run = replay(told.program, pages[at:], saved=saved)
    assert run.seq == told.driver.run.seq
    assert run.ended == told.driver.run.ended


@BOUNDED
@given(CHOICES, st.integers(1, 1000), st.integers(2, 9))
def test_how_events_are_cut_into_pages_does_not_matter(data: bytes, cut: int, size: int) -> None:
    told = Adventure(data, copied=False).play()
    events = [event for page in told.driver.pages for event in split_page(page)]
    chunks = [encode_page(events[i : i + size]) for i in range(0, len(events), size)]
    assert replay(told.program, [encode_page(events)]).seq == len(events)
    assert replay(told.program, chunks).seq == len(events)
    seq = 1 + cut % len(events)
    at = state_at(told.program, chunks, seq)
    assert at.seq >= seq
    if at.ended is None:
        again = Execution(told.program)
        for fact in told.facts:
            again.advance(fact)
            if again.seq >= seq:
                break
        assert snapshot.dump(again) == snapshot.dump(at)


def digests(count: int = 40) -> list[str]:
    """A digest of every history of a fixed set of adventures."""
    found = []
    for seed in range(count):
        data = random.Random(seed).randbytes(400)
        told = Adventure(data, copied=False).play()
        found.append(hashlib.sha256(b"".join(told.driver.pages)).hexdigest())
    return found


@pytest.mark.parametrize("hash_seed", ["0", "1", "42"])
def test_histories_do_not_depend_on_the_order_of_hashes(hash_seed: str) -> None:
    code = "from tests.property.test_executions import digests; print('\\n'.join(digests()))"
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == digests()
