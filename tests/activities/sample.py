"""Activities that the tests of the runner call; importable, so that subprocesses find them."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from engine.activities.context import ActivityContext, current
from engine.activities.decorator import activity
from engine.errors import ActivityError


@activity("add")
async def add(a: int, b: int = 1) -> int:
    return a + b


@activity("add.blocking")
def add_blocking(a: int, b: int = 1) -> int:
    return a + b


@activity("add.process", isolation="process")
def add_process(a: int, b: int = 1) -> int:
    return a + b


@activity("add.process_async", isolation="process")
async def add_process_async(a: int, b: int = 1) -> int:
    await asyncio.sleep(0)
    return a + b


async def _told(ctx: ActivityContext) -> dict:
    return {
        "key": ctx.idempotency_key,
        "current": current().idempotency_key,
        "attempt": ctx.attempt,
        "details": ctx.heartbeat_details,
    }


@activity("told")
async def told(ctx: ActivityContext) -> dict:
    return await _told(ctx)


@activity("told.blocking")
def told_blocking(ctx: ActivityContext) -> dict:
    return asyncio.run(_told(ctx))


@activity("told.process", isolation="process")
def told_process(ctx: ActivityContext) -> dict:
    return asyncio.run(_told(ctx))


def _fail(how: str) -> object:
    match how:
        case "declined":
            raise ActivityError(
                "card declined", type="payments.declined", retryable=False, details={"code": 7}
            )
        case "value":
            raise ValueError("bad")
        case "cause":
            raise RuntimeError("outer") from KeyError("inner")
        case "exit":
            sys.exit(3)
        case "interrupt":
            raise KeyboardInterrupt
        case "cancelled":
            raise asyncio.CancelledError
        case "object":
            return {"x": object()}
        case "large":
            return "x" * 2_000_000
        case _:
            raise AssertionError(how)


@activity("fail")
async def fail(how: str):
    return _fail(how)


@activity("fail.blocking")
def fail_blocking(how: str):
    return _fail(how)


@activity("fail.process", isolation="process")
def fail_process(how: str):
    return _fail(how)


@activity("sleep")
async def sleep(ctx: ActivityContext, mark: str | None = None):
    """Sleep for ever; say on the way out what was known."""
    ctx.heartbeat("asleep")
    try:
        await asyncio.Event().wait()
    finally:
        ctx.heartbeat({"cancelled": ctx.cancelled})


@activity("sleep.stubborn")
async def sleep_stubborn(seconds: float) -> str:
    """Ignore the cancellation."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            continue
    return "late"


@activity("poll.blocking")
def poll_blocking(ctx: ActivityContext) -> str:
    """Work until cancelled."""
    ctx.heartbeat("asleep")
    while not ctx.cancelled:
        time.sleep(0.01)
    ctx.heartbeat({"cancelled": True})
    return "stopped"


@activity("poll.process", isolation="process")
def poll_process(ctx: ActivityContext) -> str:
    return poll_blocking(ctx)


@activity("sleep.process", isolation="process")
async def sleep_process(ctx: ActivityContext):
    await sleep(ctx)


RELEASE = threading.Event()


@activity("hang.blocking")
def hang_blocking() -> str:
    """Never look at `cancelled`; a test lets it go."""
    RELEASE.wait(30)
    return "late"


@activity("spin.process", isolation="process")
def spin_process(ctx: ActivityContext):
    """Runaway: burn, never look."""
    ctx.heartbeat(os.getpid())
    while True:
        pass


@activity("pid.process", isolation="process")
def pid_process() -> int:
    return os.getpid()


@activity("hog.process", isolation="process")
def hog_process(size_bytes: int) -> int:
    return len(bytearray(size_bytes))


@activity("die.process", isolation="process")
def die_process(how: str, ctx: ActivityContext):
    ctx.heartbeat("last words")
    match how:
        case "exit":
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)


@activity("parent.process", isolation="process")
def parent_process(ctx: ActivityContext):
    """Start a process of its own, then hang."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    ctx.heartbeat(child.pid)
    child.wait()


@activity("beat")
async def beat(times: int, every_seconds: float, ctx: ActivityContext) -> str:
    for number in range(times):
        ctx.heartbeat({"done": number})
        await asyncio.sleep(every_seconds)
    return "done"


@activity("beat.blocking")
def beat_blocking(times: int, every_seconds: float, ctx: ActivityContext) -> str:
    for number in range(times):
        ctx.heartbeat({"done": number})
        time.sleep(every_seconds)
    return "done"


@activity("beat.process", isolation="process")
def beat_process(times: int, every_seconds: float, ctx: ActivityContext) -> str:
    return beat_blocking(times, every_seconds, ctx)


@activity("chatty.process", isolation="process")
def chatty_process(path: str) -> str:
    """Standard output belongs to the activity, not to the engine."""
    print("hello", flush=True)  # noqa: T201  # the very thing under test
    Path(path).write_text("was here")
    return "said"
