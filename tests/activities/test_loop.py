"""Coroutine functions: on the caller's own task when nothing limits them."""

import asyncio
import time

import pytest

from engine.activities.outcome import Succeeded
from tests.activities.conftest import MILLISECOND, SECOND, call


async def test_without_a_limit_there_is_no_task_beside_the_callers(runner, heard):
    before = asyncio.all_tasks()
    task = asyncio.create_task(runner.run(call("sleep")))
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before == {task}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("limit", [None, 20 * SECOND], ids=["no limit", "limit"])
async def test_swallowing_the_cancellation_does_not_undo_it(runner, limit):
    task = asyncio.create_task(
        runner.run(call("sleep.stubborn", seconds=0.2, attempt_timeout=limit))
    )
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_one_that_ignores_its_timeout_is_left_after_the_grace(runner):
    began = time.monotonic()
    outcome = await runner.run(
        call("sleep.stubborn", seconds=1.0, attempt_timeout=100 * MILLISECOND)
    )
    assert outcome.failure.type == "sys.timeout"
    assert 0.3 < time.monotonic() - began < 0.9
    await asyncio.sleep(0.8)  # it ends meanwhile, and nobody minds


async def test_the_callers_own_timeout_works_as_ever(runner):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await runner.run(call("sleep"))
    assert await runner.run(call("add", a=1)) == Succeeded(2)


async def test_shutdown_lets_a_running_attempt_finish(open_runner):
    async with open_runner(shutdown_grace=5 * SECOND) as runner:
        task = asyncio.create_task(runner.run(call("beat", times=1, every_seconds=0.2)))
        await asyncio.sleep(0)
    assert await task == Succeeded("done")


async def test_shutdown_cancels_what_does_not_finish(open_runner, heard):
    began = time.monotonic()
    async with open_runner(shutdown_grace=100 * MILLISECOND) as runner:
        tasks = [asyncio.create_task(runner.run(call(n))) for n in ("sleep", "poll.blocking")]
        await asyncio.sleep(0.1)
    for task in tasks:
        with pytest.raises(asyncio.CancelledError):
            await task
    assert time.monotonic() - began < 2
