"""A runner over the sample activities, on the real clock."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from engine.activities.context import ActivityCall
from engine.activities.registry import ActivityRegistry
from engine.activities.runner import ActivityRunner, RunnerOptions
from tests.activities import sample

MILLISECOND = 1_000
SECOND = 1_000_000


class WallClock:
    def now(self) -> int:
        return time.time_ns() // 1_000


def call(name: str, **fields) -> ActivityCall:
    args = {
        key: fields.pop(key) for key in list(fields) if key not in ActivityCall.__struct_fields__
    }
    return ActivityCall(
        name=name,
        args=args,
        instance_id="order-A",
        workflow="order",
        version="1.0.0",
        step_path="place/step",
        **fields,
    )


async def until(condition) -> None:
    """Wait for something that other threads and processes do, and that wakes nobody."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # see above
            await asyncio.sleep(0.005)


@pytest.fixture
def heard() -> list:
    """Heartbeat details as the node hears them."""
    return []


@pytest.fixture
def open_runner(heard):
    @asynccontextmanager
    async def open_runner(**options):
        options.setdefault("grace", 300 * MILLISECOND)
        options.setdefault("shutdown_grace", 0)
        options.setdefault("processes", 2)
        async with ActivityRunner(
            ActivityRegistry([sample]),
            clock=WallClock(),
            options=RunnerOptions(**options),
            on_heartbeat=lambda _, details: heard.append(details),
        ) as runner:
            yield runner

    return open_runner


@pytest.fixture
async def runner(open_runner):
    async with open_runner() as runner:
        yield runner
