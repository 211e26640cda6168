"""Figures: starts during deploys, eternal instances that follow one, a policy set back, drained."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from engine import Client
from engine.errors import VersionInUse
from engine.runtime.engine import open_client
from engine.storage.records import InstanceFilter
from engine.values.version import parse_version
from tests.runtime.rig import measured, running
from tests.versions.stories import eternal, eventually, simple

SIZES = [
    pytest.param(2_000, 20, id="2000-20"),
    pytest.param(10_000, 100, id="10000-100", marks=[pytest.mark.slow, pytest.mark.timeout(180)]),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("starts", "deploys"), SIZES)
async def test_starts_during_deploys(tmp_path: Path, starts: int, deploys: int) -> None:
    """Every pin is valid, and whoever begins after `deploy` has returned gets the new version.

    Two processes start and deploy in turn: the node, and a client that leaves requests in the file.
    """
    url = f"sqlite:///{tmp_path}/store.db"
    returned = [0]  # the minor version whose deploy returned last
    asked: list[tuple[str, int]] = []  # instance, and that number when its start was called
    began = time.monotonic()
    async with running(url, simple("1.0.0")) as rig, open_client(url) as other:

        async def start_some(client: Client, who: str, count: int) -> None:
            for number in range(count):
                name = f"{who}-{number}"
                asked.append((name, returned[0]))
                await client.start("main", {}, id=name)

        async def deploy_all() -> None:
            for minor in range(1, deploys + 1):
                client = rig.client if minor % 2 else other
                await client.deploy_text(simple(f"1.{minor}.0"))
                returned[0] = minor
                target = starts * minor // (deploys + 1)
                while len(asked) < target:  # noqa: ASYNC110  # in step with the starts
                    await asyncio.sleep(0.001)

        clients = [other] * 2 + [rig.client] * 8
        loads = [start_some(one, f"s{i}", starts // 10) for i, one in enumerate(clients)]
        await asyncio.gather(deploy_all(), *loads)
        revisions = {one.version: one.revision for one in await rig.client.deployments()}
        found = Counter[str]()
        for name, least in asked:
            info = await rig.client.get(name)
            assert info.revision == revisions[info.version]
            assert parse_version(info.version).minor >= least, (name, info.version)
            found[info.version] += 1
        for number in range(100):
            client = (rig.client, other)[number % 2]
            handle = await client.start("main", {})
            assert (await handle.info()).version == f"1.{deploys}.0"
    assert len(found) > deploys // 2  # they did overlap
    seconds = time.monotonic() - began
    measured(f"{starts} starts during {deploys} deploys: {len(found)} versions, {seconds:.1f} s")


MANY = [
    pytest.param(200, id="200"),
    pytest.param(1_000, id="1000", marks=[pytest.mark.slow, pytest.mark.timeout(180)]),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("instances", MANY)
async def test_eternal_instances_follow_a_deploy(tmp_path: Path, instances: int) -> None:
    """Within one cycle; those of exact and range policies as these say; the blocked are listed."""
    url = f"sqlite:///{tmp_path}/store.db"
    kinds = {"free": None, "exact": "1.0.0", "range": "^1", "narrow": None}
    wanted = {"free": "2.0.0", "exact": "1.0.0", "range": "1.1.0", "narrow": "1.0.0"}
    async with running(url, *(eternal("1.0.0", name=kind) for kind in kinds)) as rig:
        client = rig.client
        names = [f"{kind}/{n}" for kind in kinds for n in range(instances // 4)]
        await asyncio.gather(*(client.start(n.partition("/")[0], {}, id=n) for n in names))
        for kind, policy in kinds.items():
            if kind == "range":
                await client.deploy_text(eternal("1.1.0", name=kind))
            newer = eternal("2.0.0", name=kind)
            if kind == "narrow":
                newer = newer.replace("default: 0", "default: 0, maximum: 0")
            await client.deploy_text(newer)
            if policy is not None:
                await client.set_policy(kind, policy)
        began = time.monotonic()
        await asyncio.gather(*(client.signal(name, "tick") for name in names))

        async def one_cycle() -> bool:
            counts = Counter(
                one.execution for one in await client.list(limit=instances, status="running")
            )
            return counts == {2: len(names)}

        await eventually(one_cycle)
        seconds = time.monotonic() - began
        listed = await client.list(limit=instances)
        found = Counter((one.workflow, one.version) for one in listed)
        assert found == {(kind, wanted[kind]): instances // 4 for kind in kinds}
        blocked = [one.workflow for one in listed if one.upgrade_blocked is not None]
        assert Counter(blocked) == {"narrow": instances // 4}
    measured(f"{instances} eternal instances followed a deploy in {seconds:.2f} s")


async def test_a_policy_is_set_back_under_load() -> None:
    """Starts are on the old version again at once; what runs on the new one is left alone."""
    async with running("sqlite://:memory:", eternal("1.0.0"), eternal("1.1.0")) as rig:
        client = rig.client
        stop = asyncio.Event()
        began: list[tuple[float, str]] = []

        async def load(who: int) -> None:
            number = 0
            while not stop.is_set():
                at = time.monotonic()
                await client.start("main", {}, id=f"{who}-{number}")
                began.append((at, f"{who}-{number}"))
                number += 1

        loads = [asyncio.create_task(load(who)) for who in range(8)]
        while len(began) < 300:  # noqa: ASYNC110  # until there is load
            await asyncio.sleep(0.005)
        at = time.monotonic()
        await client.set_policy("main", "1.0.0")
        done = time.monotonic()
        while len(began) < 900:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        stop.set()
        await asyncio.gather(*loads)
        versions = {name: (await client.get(name)).version for _, name in began}
        assert {versions[name] for when, name in began if when > done} == {"1.0.0"}
        before = [name for _, name in began if versions[name] == "1.1.0"]
        assert len(before) >= 300
        for name in before[:50]:
            assert (await client.get(name)).status == "running"
        assert done - at < 1
    measured(f"a policy set back under load: {(done - at) * 1000:.1f} ms")


@pytest.mark.timeout(60)
async def test_reports_are_exact() -> None:
    """1,000 looks at random moments: the report is what a recount of all instances says."""
    rng = random.Random(7)
    looks = disagreements = 0
    slowest = 0.0
    async with running("sqlite://:memory:", eternal("1.0.0")) as rig:
        client, store = rig.client, rig.store.inner
        alive: list[str] = []
        minor = 0
        for number in range(1_000):
            match rng.choices(("start", "tick", "stop", "deploy"), (4, 3, 3, 0.3))[0]:
                case "start":
                    wanted = rng.choice((None, "1.0.0", "^1"))
                    alive.append(f"m{number}")
                    await client.start("main", {}, id=alive[-1], version=wanted)
                case "tick" if alive:
                    await client.signal(rng.choice(alive), "tick")
                case "stop" if alive:
                    name = alive.pop(rng.randrange(len(alive)))
                    await client.signal(name, "stop")
                    await client.result(name, 5)
                case "deploy":
                    minor += 1
                    await client.deploy_text(eternal(f"1.{minor}.0"))
            while rig.node._ready or rig.node._group:  # noqa: ASYNC110  # nothing comes between
                await asyncio.sleep(0)
            began = time.perf_counter()
            report = {
                one.version: (one.running, one.drained)
                for one in await client.version_report("main")
            }
            slowest = max(slowest, time.perf_counter() - began)
            where = InstanceFilter(status=("pending", "running", "suspended"))
            records = await store.list(where, after=None, limit=10_000)
            recount = Counter(one.pin.version for one in records)
            looks += 1
            disagreements += report != {
                version: (recount[version], recount[version] == 0) for version in report
            }
    assert (looks, disagreements) == (1_000, 0)
    assert slowest < 1
    measured(f"{looks} reports of {minor + 1} versions: 0 wrong, {slowest * 1000:.1f} ms at most")


@pytest.mark.timeout(60)
async def test_pruning_and_starting_at_once(tmp_path: Path) -> None:
    """A version is pruned the moment it is there: a start or the pruning gets it, never both."""
    url = f"sqlite:///{tmp_path}/store.db"
    pruned = refused = 0
    async with running(url, simple("1.0.0")) as rig, open_client(url) as other:
        stop = asyncio.Event()
        started: list[str] = []

        async def load(client: Client) -> None:
            while not stop.is_set():
                started.append((await client.start("main", {})).id)

        loads = [asyncio.create_task(load(one)) for one in (rig.client, rig.client, other)]
        for minor in range(1, 31):
            client = (rig.client, other)[minor % 2]
            await client.deploy_text(simple(f"1.{minor}.0"))
            try:
                await client.prune_version("main", f"1.{minor}.0")
                pruned += 1
            except VersionInUse:
                refused += 1
        stop.set()
        await asyncio.gather(*loads)
        states = {one.version: one.state for one in await rig.client.version_report("main")}
        for name in started:
            assert await rig.client.result(name, 5)
            assert states[(await rig.client.get(name)).version] == "released"
        assert await rig.store.inner.stranded(now=rig.clock.now()) == []
    assert pruned
    measured(f"{pruned} versions pruned, {refused} refused, among {len(started)} starts")
