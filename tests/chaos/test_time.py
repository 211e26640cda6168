"""T1, T5: clocks that jump while timers pend; timers far away, due at once, or before that."""

from __future__ import annotations

import asyncio
import time

import pytest

from engine import InstanceCancelled
from engine.history import events as ev
from tests.runtime.rig import MovedClock, running, stopped, workflow
from tests.scenarios.history_view import history_of

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
SLEEPER = workflow("""
input_schema: { type: object, properties: { for: { type: [string, number] } } }
steps:
  - sleep: ${{ input['for'] }}
""")
UNTIL = workflow("""
input_schema: { type: object, properties: { at: { type: string } } }
steps:
  - sleep: { until: "${{ input.at }}" }
""")


@pytest.mark.parametrize("jump", [HOUR, 3 * DAY], ids=["an hour", "three days"])
async def test_a_clock_set_forward_makes_what_is_due_fire_soon(jump: int) -> None:
    async with running("sqlite://:memory:", SLEEPER) as rig:
        due = await rig.client.start("main", {"for": "50m"}, id="due")
        later = await rig.client.start("main", {"for": "100d"}, id="later")
        await asyncio.sleep(0.05)
        rig.clock.offset += jump
        began = time.monotonic()
        await due.result(timeout=5)
        assert time.monotonic() - began <= 2
        assert (await later.info()).status == "running"
        await rig.check()


@pytest.mark.parametrize("jump", [HOUR, 3 * DAY], ids=["an hour", "three days"])
async def test_a_clock_set_back_makes_nothing_early_and_nothing_double(jump: int) -> None:
    async with running("sqlite://:memory:", SLEEPER) as rig:
        handle = await rig.client.start("main", {"for": "200ms"}, id="main")
        await asyncio.sleep(0.05)
        rig.clock.offset -= jump
        await asyncio.sleep(0.4)
        assert (await handle.info()).status == "running", "it is not due by the store's clock"
        rig.clock.offset += jump
        await handle.result(timeout=5)
        fired = [
            one for one in await history_of(rig.client, "main", 1) if isinstance(one, ev.TimerFired)
        ]
        assert len(fired) == 1
        await rig.check()


async def test_recorded_time_does_not_run_back_with_the_clock() -> None:
    text = workflow("""
signals: { go: {} }
steps:
  - { id: a, set: { at: "${{ now() }}" } }
  - wait: go
  - { id: b, set: { later: "${{ now() }}" } }
vars: { at: "", later: "" }
output: ["${{ vars.at }}", "${{ vars.later }}"]
""")
    async with running("sqlite://:memory:", text) as rig:
        handle = await rig.client.start("main", id="main")
        rig.clock.offset -= DAY
        await handle.signal("go")
        first, second = await handle.result(timeout=5)  # type: ignore[misc]
        assert first <= second
        await rig.check()


async def test_a_clock_that_went_back_during_a_restart(tmp_path: object) -> None:
    clock = MovedClock()
    url = f"sqlite:///{tmp_path}/db"
    async with running(url, SLEEPER, clock=clock) as rig:
        await rig.client.start("main", {"for": "100ms"}, id="main")
    clock.offset -= HOUR
    async with running(url, clock=clock) as rig:
        await asyncio.sleep(0.3)
        assert (await rig.client.get("main")).status == "running"
        clock.offset += HOUR
        await rig.client.result("main", timeout=5)
        await rig.check()


@pytest.mark.parametrize("duration", ["0ms", "0s", 0, "1ms"])
async def test_a_timer_of_nothing_fires_at_once(duration: object) -> None:
    async with running("sqlite://:memory:", SLEEPER) as rig:
        handle = await rig.client.start("main", {"for": duration}, id="main")
        await handle.result(timeout=2)
        await rig.check()


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "2020-02-29T00:00:00Z"])
async def test_a_moment_that_has_passed_is_due_at_once(at: str) -> None:
    async with running("sqlite://:memory:", UNTIL) as rig:
        await (await rig.client.start("main", {"at": at}, id="main")).result(timeout=2)
        await rig.check()


@pytest.mark.parametrize("duration", ["3650d", "36500d", 3_153_600_000])
async def test_a_timer_years_away_waits(duration: object) -> None:
    async with running("sqlite://:memory:", SLEEPER) as rig:
        handle = await rig.client.start("main", {"for": duration}, id="main")
        await asyncio.sleep(0.05)
        assert (await handle.info()).status == "running"
        rig.clock.offset += 36_501 * DAY
        await handle.result(timeout=5)
        await rig.check()


@pytest.mark.parametrize(
    "at", ["2038-01-19T03:14:08Z", "2106-02-07T06:28:16Z", "9999-12-31T23:59:59Z"]
)
async def test_moments_beyond_32_bits_are_moments(at: str) -> None:
    async with running("sqlite://:memory:", UNTIL) as rig:
        handle = await rig.client.start("main", {"at": at}, id="main")
        await asyncio.sleep(0.02)
        [wait] = (await handle.info()).waiting_for or []
        assert str(wait["due_at"]).startswith(at[:10])
        await rig.check()


@pytest.mark.parametrize("duration", [-1, "-5s", "1e400", "99999999999d", "soon", True])
async def test_what_is_no_duration_is_a_typed_error(duration: object) -> None:
    text = SLEEPER.replace("{ type: [string, number] }", "true")
    async with running("sqlite://:memory:", text) as rig:
        handle = await rig.client.start("main", {"for": duration}, id="main")
        info = await stopped(handle)
        assert info.status == "failed"
        assert info.error is not None
        assert info.error["type"] in ("sys.expression", "sys.validation", "sys.limit")
        await rig.check()


@pytest.mark.parametrize("at", ["10000-01-01T00:00:00Z", "yesterday", "2024-13-01T00:00:00Z", ""])
async def test_what_is_no_moment_is_a_typed_error(at: str) -> None:
    async with running("sqlite://:memory:", UNTIL) as rig:
        handle = await rig.client.start("main", {"at": at}, id="main")
        info = await stopped(handle)
        assert info.status == "failed"
        assert info.error is not None
        assert info.error["type"] in ("sys.expression", "sys.validation")


async def test_more_seconds_than_there_are_wait_for_ever() -> None:
    async with running("sqlite://:memory:", SLEEPER) as rig:
        handle = await rig.client.start("main", {"for": 1e308}, id="main")
        await asyncio.sleep(0.02)
        assert (await handle.info()).status == "running"
        await handle.cancel()
        with pytest.raises(InstanceCancelled):
            await handle.result(timeout=2)
        await rig.check()
