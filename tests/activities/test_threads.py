"""Plain functions: threads that can be lost but never block the node."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from engine.activities.outcome import Succeeded
from tests.activities import sample
from tests.activities.conftest import MILLISECOND, SECOND, call, until


@pytest.fixture(autouse=True)
def release():
    sample.RELEASE.clear()
    yield
    sample.RELEASE.set()


def activity_threads() -> int:
    return sum(thread.name == "activity" for thread in threading.enumerate())


async def test_no_thread_is_made_before_one_is_needed_and_no_more_than_the_size(open_runner):
    before = activity_threads()
    async with open_runner(threads=2) as runner:
        assert activity_threads() == before
        outcomes = await asyncio.gather(
            *(runner.run(call("add.blocking", a=n, b=0)) for n in range(20))
        )
        assert outcomes == [Succeeded(n) for n in range(20)]
        assert activity_threads() <= before + 2


async def test_a_full_pool_makes_the_next_wait_without_spending_its_timeout(open_runner):
    async with open_runner(threads=1) as runner:
        slow = call("beat.blocking", times=1, every_seconds=0.3, attempt_timeout=2 * SECOND)
        quick = call("add.blocking", a=1, attempt_timeout=200 * MILLISECOND)
        outcomes = await asyncio.gather(runner.run(slow), runner.run(quick))
    assert outcomes == [Succeeded("done"), Succeeded(2)]


async def test_a_thread_that_never_returns_is_lost_and_its_slot_handed_on(open_runner):
    async with open_runner(threads=1) as runner:
        began = time.monotonic()
        outcome = await runner.run(call("hang.blocking", attempt_timeout=100 * MILLISECOND))
        assert outcome.failure.type == "sys.timeout"
        assert time.monotonic() - began < 0.25  # at once: there is nothing to wait for
        assert runner.lost_threads == 1
        assert await runner.run(call("add.blocking", a=1)) == Succeeded(2)
        sample.RELEASE.set()
        await until(lambda: not runner.lost_threads)
        assert await runner.run(call("add.blocking", a=1)) == Succeeded(2)


async def test_lost_threads_are_bounded_by_the_size(open_runner):
    hang = call("hang.blocking", attempt_timeout=50 * MILLISECOND)
    async with open_runner(threads=1) as runner:
        await runner.run(hang)
        await runner.run(hang)
        assert runner.lost_threads == 2
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await runner.run(call("add.blocking", a=1))
        sample.RELEASE.set()
        assert await runner.run(call("add.blocking", a=1)) == Succeeded(2)


async def test_a_cancelled_thread_that_does_not_look_is_left_after_the_grace(open_runner):
    async with open_runner(grace=100 * MILLISECOND) as runner:
        task = asyncio.create_task(runner.run(call("hang.blocking")))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert runner.lost_threads == 1


def test_a_lost_thread_does_not_keep_the_interpreter_alive(tmp_path):
    program = """
import asyncio
from tests.activities.conftest import ActivityRegistry, ActivityRunner, WallClock, call, sample

async def main():
    async with ActivityRunner(ActivityRegistry([sample]), clock=WallClock()) as runner:
        outcome = await runner.run(call("hang.blocking", attempt_timeout=50_000))
        assert outcome.failure.type == "sys.timeout", outcome

asyncio.run(main())
"""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20)
    assert time.monotonic() - began < 10
