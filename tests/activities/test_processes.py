"""`isolation="process"`: subprocesses that may die, be killed and be limited, and nothing else."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.activities.outcome import Succeeded
from engine.history.events import Failure
from tests.activities.conftest import MILLISECOND, SECOND, call, until


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_it_runs_elsewhere_and_the_subprocess_is_used_again(runner):
    first = await runner.run(call("pid.process"))
    second = await runner.run(call("pid.process"))
    assert first == second
    assert first.result != os.getpid()
    assert runner.worker_pids == [first.result]


async def test_no_more_subprocesses_than_the_size(open_runner):
    async with open_runner(processes=2) as runner:
        outcomes = await asyncio.gather(*(runner.run(call("pid.process")) for _ in range(10)))
        assert 1 <= len({outcome.result for outcome in outcomes}) <= 2


@pytest.mark.parametrize(
    ("how", "message", "details"),
    [
        ("exit", "it exited with code 3 while the activity ran", {"exit_code": 3}),
        ("kill", "it was killed by SIGKILL while the activity ran", {"signal": "SIGKILL"}),
        ("segfault", "it was killed by SIGSEGV while the activity ran", {"signal": "SIGSEGV"}),
    ],
)
async def test_a_death_is_a_typed_failure_and_the_next_attempt_gets_a_new_one(
    runner, how, message, details
):
    outcome = await runner.run(call("die.process", how=how))
    assert outcome.failure == Failure(
        type="sys.worker_died",
        message=f"the subprocess of the activity died: {message}",
        retryable=True,
        details=details,
    )
    assert outcome.heartbeat == "last words"
    assert await runner.run(call("add.process", a=1)) == Succeeded(2)


async def test_one_killed_while_idle_is_replaced_unseen(runner):
    [pid] = [(await runner.run(call("pid.process"))).result]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: runner.worker_pids == [])
    outcome = await runner.run(call("pid.process"))
    assert outcome.result != pid


async def test_a_memory_hog_meets_its_limit_and_the_engine_lives(open_runner):
    async with open_runner(memory_limit=512 * 1024 * 1024) as runner:
        assert await runner.run(call("hog.process", size_bytes=1024)) == Succeeded(1024)
        before = runner.worker_pids
        outcome = await runner.run(call("hog.process", size_bytes=2 * 1024**3))
        assert outcome.failure.type == "python.MemoryError"
        assert outcome.failure.retryable
        assert await runner.run(call("hog.process", size_bytes=1024)) == Succeeded(1024)
        assert not set(before) & set(runner.worker_pids)


async def test_a_limit_too_low_to_start_is_a_typed_failure(open_runner):
    async with open_runner(memory_limit=16 * 1024 * 1024) as runner:
        outcome = await runner.run(call("pid.process"))
        assert outcome.failure.type in ("sys.worker_died", "python.MemoryError")


async def test_a_runaway_is_killed_after_the_grace(open_runner, heard):
    async with open_runner(grace=300 * MILLISECOND) as runner:
        task = asyncio.create_task(runner.run(call("spin.process")))
        await until(lambda: heard)
        [pid] = heard
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert 0.25 < time.monotonic() - began < 1
        await until(lambda: not alive(pid))
        assert await runner.run(call("add.process", a=1)) == Succeeded(2)


async def test_a_runaway_that_times_out_is_killed_after_the_grace(runner, heard):
    outcome = await runner.run(call("spin.process", attempt_timeout=1 * SECOND))
    assert outcome.failure.type == "sys.timeout"
    await until(lambda: not alive(heard[0]))


async def test_the_end_of_a_service_is_left_to_the_node(runner, heard):
    beats = call("beat.process", times=2, every_seconds=0.3)
    task = asyncio.create_task(runner.run(beats))
    await until(lambda: heard)
    [pid] = runner.worker_pids
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGINT)
    assert await task == Succeeded("done")


async def test_a_flood_of_heartbeats_is_told_in_few_calls(runner, heard):
    assert await runner.run(call("beat.blocking", times=5000, every_seconds=0)) == Succeeded("done")
    await until(lambda: heard[-1] == {"done": 4999})
    assert len(heard) < 5000


async def test_what_the_activity_started_dies_with_it(runner, heard):
    task = asyncio.create_task(runner.run(call("parent.process")))
    await until(lambda: heard)
    assert alive(heard[0])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not alive(heard[0]))


async def test_closing_the_runner_leaves_no_subprocess(open_runner):
    async with open_runner() as runner:
        await asyncio.gather(*(runner.run(call("pid.process")) for _ in range(4)))
        pids = runner.worker_pids
        assert pids
    assert not any(alive(pid) for pid in pids)


async def test_subprocesses_do_not_outlive_a_killed_node():
    program = """
import asyncio
from tests.activities.conftest import ActivityRegistry, ActivityRunner, WallClock, call, sample

def told(_, details):
    print(*runner.worker_pids, flush=True)

async def main():
    global runner
    async with ActivityRunner(
        ActivityRegistry([sample]), clock=WallClock(), on_heartbeat=told
    ) as runner:
        await runner.run(call("spin.process"))

asyncio.run(main())
"""
    with subprocess.Popen(  # noqa: ASYNC220  # it is waited for below
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as node:
        pids = [int(pid) for pid in node.stdout.readline().split()]
        assert all(alive(pid) for pid in pids) and pids
        node.kill()
    await until(lambda: not any(alive(pid) for pid in pids))


async def test_standard_output_is_the_activitys_own(runner, tmp_path, capfd):
    path = tmp_path / "file"
    assert await runner.run(call("chatty.process", path=str(path))) == Succeeded("said")
    assert path.read_text() == "was here"
    assert capfd.readouterr().out == "hello\n"


def test_functions_of_the_started_script_are_found(tmp_path):
    script = tmp_path / "app.py"
    script.write_text("""
import asyncio
from engine.activities.decorator import activity
from tests.activities.conftest import ActivityRegistry, ActivityRunner, WallClock, call

@activity("double", isolation="process")
def double(n: int) -> int:
    return 2 * n

async def main():
    async with ActivityRunner(ActivityRegistry([double]), clock=WallClock()) as runner:
        print((await runner.run(call("double", n=21))).result)

if __name__ == "__main__":
    asyncio.run(main())
""")
    done = subprocess.run(
        [sys.executable, str(script)],
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout == "42\n"
