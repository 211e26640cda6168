"""K3, K4, K7: workers killed at random, told to stop under load, started on a full store."""

from __future__ import annotations

import asyncio
import random
import signal
import time

import pytest

from tests.chaos.scene import STEPS, Scene, starts
from tests.runtime.rig import measured

# A busy machine may be late; what is measured is printed.
PATIENCE = 5


async def kill_again_and_again(
    scene: Scene, *, instances: int, steps: int, pauses: list[float] | None, ms: float
) -> None:
    """Kill the worker until all instances have completed, or as often as there are pauses."""
    await scene.prepare(STEPS, starts(instances, steps=steps, ms=ms))
    chance = random.Random(steps)
    in_flight = kills = 0
    firsts: list[float] = []
    while True:
        seen = len(scene.times("effects"))
        await scene.spawn()
        if pauses is not None and kills == len(pauses):
            break
        await asyncio.sleep(pauses[kills] if pauses is not None else chance.uniform(0.5, 3))
        assert await scene.kill() == -signal.SIGKILL
        kills += 1
        firsts += [one - scene.spawned for one in scene.times("effects")[seen:][:1]]
        records = await scene.records()
        in_flight += sum(record.open_activities for record in records)
        if all(record.status == "completed" for record in records):
            break
    await scene.until(lambda found: found["completed"] == instances, seconds=120)
    await scene.kill()
    keys = scene.keys()
    assert len(set(keys)) == instances * steps, "keyed effects = steps"
    assert len(keys) <= instances * steps + in_flight, "effects <= steps + calls in flight"
    async with scene.node() as rig:
        assert [info.output for info in await rig.client.list(limit=1000)] == [steps] * instances
        await rig.check()
    repeated = len(keys) - len(set(keys))
    late = ", ".join(f"{one - ms / 1000:.2f}" for one in firsts)
    measured(f"{kills} kills, {repeated} effects repeated of {in_flight} in flight")
    measured(f"first effect after {late} s")
    assert firsts, "no worker got far enough"
    assert max(firsts[1:] or firsts) - ms / 1000 < 1 * PATIENCE


async def test_workers_killed_four_times(scene: Scene) -> None:
    await kill_again_and_again(scene, instances=60, steps=10, pauses=[1.1, 0.9, 1.3, 0.8], ms=150)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_200_instances_of_20_steps_with_kills_until_they_are_done(scene: Scene) -> None:
    await kill_again_and_again(scene, instances=200, steps=20, pauses=None, ms=400)


async def test_sigterm_under_load_drains_and_counts_no_attempt(scene: Scene) -> None:
    await scene.prepare(STEPS, starts(100, steps=10, ms=100))
    worker = await scene.spawn()
    await wait_for_effects(scene, 150)
    began = time.monotonic()
    assert await scene.kill(signal.SIGTERM) == 0
    measured(f"drained in {time.monotonic() - began:.2f} s")
    assert worker.returncode == 0
    records = await scene.records()
    assert {record.status for record in records} == {"running"}
    assert {(record.attempts, record.owner) for record in records} == {(0, None)}
    keys = scene.keys()
    async with scene.node() as rig:
        for record in records:
            assert await rig.client.result(record.instance_id, timeout=30) == 10
        await rig.check()
    assert len(scene.keys()) == len(set(scene.keys())) == 1_000, "nothing that ran was lost"
    assert len(keys) < 1_000, "it was stopped in the middle"


async def test_sigterm_gives_back_what_does_not_end_within_the_grace(scene: Scene) -> None:
    await scene.prepare(STEPS, [*starts(5, steps=1, ms=20_000)])
    await scene.spawn("100")
    await scene.until(lambda found: found["running"] == 5)
    began = time.monotonic()
    assert await scene.kill(signal.SIGTERM) == 0
    assert time.monotonic() - began < 10
    for record in await scene.records():
        assert (record.status, record.attempts, record.open_activities) == ("running", 0, 1)
    assert scene.keys() == []


async def test_a_cold_start_with_1000_running_instances(scene: Scene) -> None:
    await scene.prepare(STEPS, starts(1_000, steps=2, ms=600))
    await scene.spawn()
    async with asyncio.timeout(30):
        while sum(one.open_activities for one in await scene.records()) < 1_000:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert await scene.kill() == -signal.SIGKILL
    before = len(scene.keys())
    await scene.spawn()
    await scene.until(lambda found: found["completed"] == 1_000)
    opened, effects = scene.spawned, scene.times("effects")[before:]
    first, dispatched = (
        effects[0] - opened - 0.6,
        effects[min(999, len(effects) - 1)] - opened - 0.6,
    )
    measured(f"first progress after {first:.2f} s, all dispatched after {dispatched:.2f} s")
    assert first < 1 * PATIENCE
    assert dispatched < 5 * PATIENCE
    await scene.kill()
    assert len(set(scene.keys())) == 2_000


async def wait_for_effects(scene: Scene, count: int) -> None:
    async with asyncio.timeout(30):
        while len(scene.lines("effects")) < count:  # noqa: ASYNC110 - another process writes them
            await asyncio.sleep(0.01)
