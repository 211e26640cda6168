"""One attempt, three ways to run it: on the loop, in a thread, in a subprocess."""

import asyncio
import time

import pytest

from engine.activities.outcome import Failed, Succeeded
from engine.history.events import Failure
from tests.activities.conftest import MILLISECOND, SECOND, WallClock, call, until

ADDS = ["add", "add.blocking", "add.process", "add.process_async"]
FAILS = ["fail", "fail.blocking", "fail.process"]
SLEEPS = ["sleep", "poll.blocking", "poll.process", "sleep.process"]
BEATS = ["beat", "beat.blocking", "beat.process"]


@pytest.mark.parametrize("name", ADDS)
async def test_the_result_comes_back(runner, name):
    assert await runner.run(call(name, a=1, b=2)) == Succeeded(3)
    assert await runner.run(call(name, a=1)) == Succeeded(2)


@pytest.mark.parametrize("name", ADDS)
async def test_limits_that_are_kept_change_nothing(runner, name):
    limited = call(
        name,
        a=1,
        attempt_timeout=20 * SECOND,
        heartbeat_timeout=20 * SECOND,
        deadline=WallClock().now() + 30 * SECOND,
    )
    assert await runner.run(limited) == Succeeded(2)


@pytest.mark.parametrize("name", ADDS)
async def test_wrong_arguments_fail_without_a_call(runner, name):
    assert await runner.run(call(name, a="x")) == Failed(
        Failure(
            type="sys.validation",
            message="argument `a`: expected `int`, got `str`",
            retryable=False,
        )
    )


@pytest.mark.parametrize("name", ["told", "told.blocking", "told.process"])
async def test_the_context_reaches_the_activity(runner, name):
    outcome = await runner.run(call(name, attempt=2, heartbeat_details={"page": 7}))
    assert outcome == Succeeded(
        {
            "key": "order-A/1/place/step",
            "current": "order-A/1/place/step",
            "attempt": 2,
            "details": {"page": 7},
        }
    )


FAILURES = {
    "declined": Failure(
        type="payments.declined", message="card declined", retryable=False, details={"code": 7}
    ),
    "value": Failure(type="python.ValueError", message="bad", retryable=True),
    "cause": Failure(
        type="python.RuntimeError",
        message="outer",
        retryable=True,
        cause=Failure(type="python.KeyError", message="'inner'", retryable=True),
    ),
    "exit": Failure(type="python.SystemExit", message="exit with 3", retryable=True),
    "interrupt": Failure(
        type="python.KeyboardInterrupt", message="KeyboardInterrupt", retryable=True
    ),
    "cancelled": Failure(type="python.CancelledError", message="CancelledError", retryable=True),
    "object": Failure(
        type="sys.validation",
        message="the result is not JSON: a value of type `builtins.object` at `$.x`",
    ),
    "large": Failure(
        type="sys.limit",
        message="the result has 2000002 bytes, the limit is 1048576",
        details={"size_bytes": 2_000_002, "limit_bytes": 1_048_576},
    ),
}


@pytest.mark.parametrize("name", FAILS)
@pytest.mark.parametrize("limit", [None, 20 * SECOND], ids=["no limit", "limit"])
async def test_whatever_it_raises_is_a_failure_of_the_attempt(runner, name, limit):
    for how, failure in FAILURES.items():
        outcome = await runner.run(call(name, how=how, attempt_timeout=limit))
        assert outcome == Failed(failure)
    assert await runner.run(call("add", a=1)) == Succeeded(2)


async def test_an_unexpected_error_is_logged_with_its_place_and_one_on_purpose_is_not(
    runner, caplog
):
    await runner.run(call("fail", how="declined"))
    assert caplog.records == []
    await runner.run(call("fail", how="value"))
    [record] = caplog.records
    assert record.exc_info[0] is ValueError
    assert (record.activity, record.instance_id) == ("fail", "order-A")


@pytest.mark.parametrize("name", SLEEPS)
async def test_a_timeout_ends_the_attempt_and_keeps_the_last_details(runner, name):
    began = time.monotonic()
    timeout = 1500 * MILLISECOND if "process" in name else 100 * MILLISECOND
    outcome = await runner.run(call(name, attempt_timeout=timeout))
    assert outcome.failure == Failure(
        type="sys.timeout",
        message=f"attempt timeout ran out after {timeout / SECOND:g} s",
        retryable=True,
        details={"limit": "attempt timeout", "microseconds": timeout},
    )
    assert time.monotonic() - began < timeout / SECOND + 1
    if name != "poll.blocking":  # a thread is not waited for
        assert outcome.heartbeat == {"cancelled": True}


@pytest.mark.parametrize("name", SLEEPS)
async def test_a_cancelled_attempt_learns_of_it_within_a_second(runner, heard, name):
    task = asyncio.create_task(runner.run(call(name)))
    await until(lambda: heard == ["asleep"])
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1
    await until(lambda: heard == ["asleep", {"cancelled": True}])


@pytest.mark.parametrize("name", BEATS)
async def test_heartbeats_are_heard_while_it_runs(runner, heard, name):
    outcome = await runner.run(
        call(name, times=4, every_seconds=0.05, heartbeat_timeout=5 * SECOND)
    )
    assert outcome == Succeeded("done")
    assert heard == [{"done": number} for number in range(4)]


@pytest.mark.parametrize("name", BEATS)
async def test_a_silence_ends_the_attempt_with_the_last_details(runner, name):
    outcome = await runner.run(
        call(name, times=2, every_seconds=2, heartbeat_timeout=500 * MILLISECOND)
    )
    assert outcome.failure == Failure(
        type="sys.timeout",
        message="heartbeat timeout ran out after 0.5 s",
        retryable=True,
        details={"limit": "heartbeat timeout", "microseconds": 500_000},
    )
    assert outcome.heartbeat == {"done": 0}


async def test_details_of_an_earlier_attempt_survive_one_that_gave_none(runner):
    outcome = await runner.run(call("fail", how="value", heartbeat_details={"page": 7}))
    assert outcome.heartbeat == {"page": 7}


@pytest.mark.parametrize("name", ADDS)
async def test_a_deadline_that_has_passed_starts_nothing(runner, name):
    outcome = await runner.run(call(name, a=1, deadline=WallClock().now() - 1))
    assert outcome.failure.type == "sys.timeout"
    assert outcome.failure.message == "the deadline passed before the attempt began"


async def test_a_deadline_bounds_the_attempt(runner):
    outcome = await runner.run(call("sleep", deadline=WallClock().now() + 100 * MILLISECOND))
    assert outcome.failure.type == "sys.timeout"


async def test_an_unknown_name_is_the_callers_mistake(runner):
    with pytest.raises(LookupError, match=r"no activity `no\.such`"):
        await runner.run(call("no.such"))


async def test_a_closed_runner_runs_nothing(open_runner):
    async with open_runner() as runner:
        pass
    with pytest.raises(RuntimeError, match="not open"):
        await runner.run(call("add", a=1))
