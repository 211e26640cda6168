"""What starts and children get, by policy, range or number; states, pruning and the audit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine import Client
from engine.client.deploying import compile_text, release_of
from engine.errors import (
    InputRefused,
    InstanceFailed,
    StaleState,
    UnknownVersion,
    UnknownWorkflow,
    VersionInUse,
    VersionLocked,
    VersionWithdrawn,
)
from engine.runtime.engine import open_client
from engine.storage.versions import ChangeSet, PolicyChange
from tests.runtime.rig import running, workflow
from tests.versions.stories import eternal, eventually, simple


async def started_on(client: Client, name: str = "main", **options: Any) -> tuple[str, str]:
    """Version and reason of a new instance."""
    handle = await client.start(name, {}, **options)
    started: dict[str, Any] = dict((await handle.history(1))[0])
    return started["version"], started["resolution"]


async def test_a_start_follows_the_policy() -> None:
    texts = [simple(version) for version in ("1.9.0", "1.10.0", "2.0.0", "2.1.0-rc.1")]
    async with running("sqlite://:memory:", *texts) as rig:
        client = rig.client
        assert await started_on(client) == ("2.0.0", "policy latest")
        for policy, version, reason in (
            ("^1", "1.10.0", "policy range ^1"),
            ("1.9.0", "1.9.0", "policy exact 1.9.0"),
            ("2.1.0-rc.1", "2.1.0-rc.1", "policy exact 2.1.0-rc.1"),
            ({"1.9.0": 1, "2.0.0": 0}, "1.9.0", "policy weighted 100 % 1.9.0"),
            ("latest", "2.0.0", "policy latest"),
        ):
            await client.set_policy("main", policy)
            assert await started_on(client) == (version, reason)
        await client.set_policy("main", "1.9.0")
        assert await started_on(client, version="^1") == ("1.10.0", "asked for ^1")
        assert (await client.policy("main")).text == "1.9.0"


async def test_a_repeated_start_gets_the_version_it_got_before() -> None:
    async with running("sqlite://:memory:", eternal("1.0.0"), eternal("1.1.0")) as rig:
        client = rig.client
        await client.set_policy("main", {"1.0.0": 80, "1.1.0": 20})
        chosen: dict[str, str] = {}
        for number in range(200):
            handle = await client.start("main", {}, id=f"i{number}")
            chosen[handle.id] = (await handle.info()).version
        assert 20 < Counter(chosen.values())["1.1.0"] < 65
        for name, version in list(chosen.items())[:40]:
            again = await client.start("main", {}, id=name, on_duplicate="terminate_and_restart")
            assert (await again.info()).version == version


async def test_an_old_revision_comes_back_under_a_new_version() -> None:
    async with running("sqlite://:memory:", simple("1.0.0")) as rig:
        client = rig.client
        await client.deploy_text(simple("1.1.0"))
        again = simple("1.0.0").replace('version: "1.0.0"', 'version: "1.2.0"')
        third = await client.deploy_text(again)
        first = (await client.deployments("main"))[0]
        assert third.revision == first.revision
        assert await started_on(client) == ("1.2.0", "policy latest")
        with pytest.raises(VersionLocked, match=r"new version, for example 1\.1\.1"):
            await client.deploy_text(simple("1.0.0").replace('"1.0.0"', '"1.1.0"', 1))
        await client.prune_version("main", "1.1.0")
        assert (await client.deploy_text(simple("1.1.0"))).state == "pruned"


async def test_states_are_kept_and_refused() -> None:
    async with running("sqlite://:memory:", eternal("1.0.0"), eternal("1.1.0")) as rig:
        client = rig.client
        await client.start("main", {}, id="m")
        await client.yank("main", "1.1.0", "wrong sum")
        assert await started_on(client) == ("1.0.0", "policy latest")
        with pytest.raises(VersionWithdrawn, match=r"1\.1\.0 is yanked: wrong sum"):
            await client.start("main", {}, version="1.1.0")
        await client.signal("m", "stop")
        assert await client.result("m", 5) == {"n": 0, "version": "1.1.0"}
        await client.unyank("main", "1.1.0")
        await client.deprecate("main", "1.1.0", "use 1.0")
        assert await started_on(client) == ("1.0.0", "policy latest")
        assert (await started_on(client, version="1.1.0"))[0] == "1.1.0"
        with pytest.raises(UnknownVersion):
            await client.yank("main", "9.9.9")


REFUSED = [
    ("main", "newest", InputRefused),
    ("main", {"1.0.0": 1}, InputRefused),
    ("main", "^9", UnknownVersion),
    ("main", "9.0.0", UnknownVersion),
    ("main", {"1.0.0": 1, "9.0.0": 1}, UnknownVersion),
    ("main", "1.1.0", VersionWithdrawn),
    ("nobody", "latest", UnknownWorkflow),
]


@pytest.mark.parametrize(("name", "policy", "error"), REFUSED, ids=str)
async def test_a_policy_that_nothing_fits_is_refused(
    name: str, policy: Any, error: type[Exception]
) -> None:
    async with running("sqlite://:memory:", simple("1.0.0"), simple("1.1.0")) as rig:
        await rig.client.yank("main", "1.1.0")
        before = await rig.client.audit()
        with pytest.raises(error):
            await rig.client.set_policy(name, policy)
        assert await rig.client.audit() == before


PARENT = """
signals: { go: {} }
steps:
  - wait: go
  - { id: exact, workflow: "child@1.0.0" }
  - { id: range, workflow: "child@^1" }
  - { id: free, workflow: child }
  - { id: apart, start: "child@~1.1", instance_id: apart }
output:
  - ${{ steps.exact.output.version }}
  - ${{ steps.range.output.version }}
  - ${{ steps.free.output.version }}
"""
BOUND = [
    (None, ["1.0.0", "1.2.0", "2.0.0"], "policy latest"),
    ("1.1.0", ["1.0.0", "1.2.0", "1.1.0"], "policy exact 1.1.0"),
]


@pytest.mark.parametrize(("policy", "versions", "reason"), BOUND, ids=str)
async def test_children_bind_when_their_step_is_reached(
    policy: str | None, versions: list[str], reason: str
) -> None:
    old = [simple("1.0.0", name="child"), simple("1.1.0", name="child")]
    async with running("sqlite://:memory:", *old, workflow(PARENT)) as rig:
        client = rig.client
        handle = await client.start("main", id="p")
        for version in ("1.2.0", "2.0.0"):
            await client.deploy_text(simple(version, name="child"))
        if policy is not None:
            await client.set_policy("child", policy)
        await handle.signal("go")
        assert await handle.result(5) == versions
        assert (await client.get("apart")).version == "1.1.0"
        begun = [e["version"] for e in await handle.history() if e["kind"] == "child_started"]
        assert begun == [*versions, "1.1.0"]
        children = await client.list(parent="p")
        started = [(await client.history(one.instance_id))[0] for one in children]
        assert sorted(str(fact["resolution"]) for fact in started) == sorted(
            ["asked for 1.0.0", "asked for ^1", reason, "asked for ~1.1"]
        )


async def test_a_yanked_child_is_an_error_of_its_step() -> None:
    body = 'steps:\n  - workflow: "child@1.0.0"\n'
    async with running("sqlite://:memory:", simple("1.0.0", name="child"), workflow(body)) as rig:
        await rig.client.yank("child", "1.0.0")
        handle = await rig.client.start("main")
        with pytest.raises(InstanceFailed, match=r"1\.0\.0 is yanked"):
            await handle.result(5)


async def test_what_is_needed_is_not_pruned() -> None:
    """Instances, archived executions, running parents, policies; then it is."""
    parent = workflow(
        'signals: { go: {} }\nsteps:\n  - wait: go\n  - workflow: "main@1.0.0"\n', name="p"
    )
    async with running("sqlite://:memory:", eternal("1.0.0"), parent) as rig:
        client = rig.client

        async def references(version: str = "1.0.0") -> dict[str, int]:
            with pytest.raises(VersionInUse) as caught:
                await client.prune_version("main", version)
            return {one.kind: one.count for one in caught.value.references}

        await client.start("main", {}, id="m")
        await client.start("p", {}, id="parent")
        await client.set_policy("main", "1.0.0")
        assert await references() == {"instance": 1, "child binding": 1, "policy": 1}
        await client.deploy_text(eternal("1.1.0"))
        await client.set_policy("main", "latest")
        await client.signal("m", "tick")

        async def moved() -> bool:
            return (await client.get("m")).version == "1.1.0"

        await eventually(moved)
        assert await references() == {"execution": 1, "child binding": 1}
        assert await references("1.1.0") == {"instance": 1}
        await client.terminate("parent")
        assert await references() == {"execution": 1}
        await client.signal("m", "stop")
        await client.result("m", 5)
        await rig.store.inner.prune(finished_before=rig.clock.now() + 1, limit=9)
        await client.prune_version("main", "1.0.0")
        report = {one.version: one.state for one in await client.version_report("main")}
        assert report == {"1.0.0": "pruned", "1.1.0": "released"}
        assert await started_on(client) == ("1.1.0", "policy latest")
        with pytest.raises(VersionWithdrawn, match="is pruned"):
            await client.start("main", {}, version="1.0.0")


async def test_a_change_for_another_state_is_refused_whole() -> None:
    async with running("sqlite://:memory:", simple("1.0.0")) as rig:
        client = rig.client
        seen, _ = await client.catalog()
        release = release_of(compile_text(simple("1.1.0")), at=1, actor="ci", commit="abc")
        change = ChangeSet(
            at=1,
            actor="ci",
            commit="abc",
            releases=(release,),
            policies=(PolicyChange("main", "1.1.0", ("1.1.0",)),),
            expected_version=seen,
        )
        await client.deprecate("main", "1.0.0")
        with pytest.raises(StaleState):
            await client.change(change)
        assert [one.version for one in await client.deployments()] == ["1.0.0"]
        done = await client.change(
            ChangeSet(at=1, releases=change.releases, policies=change.policies)
        )
        assert done.version == (await client.catalog())[0]
        assert await started_on(client) == ("1.1.0", "policy exact 1.1.0")
        rows = [(r.action, r.before, r.after) for r in await client.audit("main")][1:]
        assert rows == [
            ("state", "released", "deprecated"),
            ("deploy", None, release.deployment.revision),
            ("policy", None, "1.1.0"),
        ]


async def test_another_process_is_heard_at_once(tmp_path: Path) -> None:
    """Both ways: no start after a deploy has returned gets the old version."""
    url = f"sqlite:///{tmp_path}/store.db"
    async with running(url, simple("1.0.0")) as rig, open_client(url) as other:
        for number in range(1, 11):
            here, there = (rig.client, other) if number % 2 else (other, rig.client)
            await here.deploy_text(simple(f"1.{number}.0"))
            for client in (there, here):
                assert (await started_on_request(client))[0] == f"1.{number}.0"
        await other.set_policy("main", "1.3.0")
        assert await started_on(rig.client) == ("1.3.0", "policy exact 1.3.0")


async def started_on_request(client: Client) -> tuple[str, str]:
    """The same for a client that leaves its request to the node."""
    handle = await client.start("main", {})
    info = await handle.info()
    return info.version, info.status


async def test_the_catalog_is_read_only_when_it_moved() -> None:
    async with running("sqlite://:memory:", simple("1.0.0")) as rig:
        rig.store.reset()
        for _ in range(20):
            await rig.client.start("main", {})
        assert rig.store.calls["catalog"] == 0
        await rig.client.set_policy("main", "^1")
        await rig.client.start("main", {})
        assert rig.store.calls["catalog"] == 1
