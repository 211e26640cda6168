"""continue_as_new: which version goes on, what blocks it, and what it waits for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import InstanceCancelled, InstanceFailed
from tests.runtime.rig import Rig, running, workflow
from tests.versions.stories import eternal, eventually, in_execution, resolutions

FOLLOWS = [
    # continue_as_new says, the policy says, the next execution
    ("policy", None, "2.0.0", "policy latest"),
    ("policy", "^1", "1.1.0", "policy range ^1"),
    ("policy", "1.0.0", "1.0.0", "policy exact 1.0.0"),
    ("policy", {"1.1.0": 1, "1.0.0": 0}, "1.1.0", "policy weighted 100 % 1.1.0"),
    ("^1", None, "1.1.0", "asked for ^1"),
    ("^1", "2.0.0", "1.1.0", "asked for ^1"),
    ("1.1.0", None, "1.1.0", "asked for 1.1.0"),
    ("latest", "1.0.0", "2.0.0", "asked for latest"),
    ("pinned", None, "1.0.0", "pinned"),
    ("pinned", "^2", "1.0.0", "pinned"),
]


@pytest.mark.parametrize(("follows", "policy", "version", "reason"), FOLLOWS, ids=str)
async def test_the_next_execution_is_on(
    follows: str, policy: Any, version: str, reason: str
) -> None:
    async with running("sqlite://:memory:", eternal("1.0.0", follows)) as rig:
        await rig.client.start("main", {}, id="m")
        for newer in ("1.1.0", "2.0.0", "3.0.0-rc.1"):
            await rig.client.deploy_text(eternal(newer, follows))
        if policy is not None:
            await rig.client.set_policy("main", policy)
        await rig.client.signal("m", "tick")
        await in_execution(rig.client, "m", 2)
        assert await resolutions(rig.client, "m") == [
            ("1.0.0", "policy latest"),
            (version, reason),
        ]
        assert (await rig.client.get("m")).upgrade_blocked is None
        await rig.check()


# Contracts that do not take over what 1.0.0 carries.
NARROW = eternal("1.1.0").replace("default: 0", "default: 0, maximum: 0")
PICKY = eternal("1.1.0") + 'accepts_state_from: ">=1.0.5"\n'
BLOCKED = [
    (NARROW, "1.1.0 refuses the input at"),
    (PICKY, "1.1.0 accepts state from >=1.0.5, not from 1.0.0"),
]


@pytest.mark.parametrize(("newer", "why"), BLOCKED, ids=["schema", "accepts_state_from"])
async def test_an_incompatible_contract_blocks_and_harms_nobody(newer: str, why: str) -> None:
    async with running("sqlite://:memory:", eternal("1.0.0")) as rig:
        client = rig.client
        names = [f"m{number}" for number in range(20)]
        for name in names:
            await client.start("main", {}, id=name)
        await client.deploy_text(newer)
        for name in names:
            await client.signal(name, "tick")
        for name in names:
            await in_execution(client, name, 2)
        listed = await client.list(workflow="main")
        assert [one.status for one in listed] == ["running"] * 20
        for one in listed:
            assert one.version == "1.0.0"
            assert one.upgrade_blocked is not None
            assert one.upgrade_blocked.startswith(why)
            [_, (version, reason)] = await resolutions(client, one.instance_id)
            assert (version, reason) == ("1.0.0", f"upgrade_blocked: {one.upgrade_blocked}")
        # a version that takes the state over ends it
        await client.deploy_text(eternal("1.2.0"))
        await client.signal("m0", "tick")
        await in_execution(client, "m0", 3)
        info = await client.get("m0")
        assert (info.version, info.upgrade_blocked) == ("1.2.0", None)
        await rig.check()


async def test_operators_cannot_make_an_instance_fail() -> None:
    """Everything yanked, or a policy that names what is yanked: it stays, and says so."""
    async with running("sqlite://:memory:", eternal("1.0.0")) as rig:
        client = rig.client
        await client.start("main", {}, id="m")
        await client.set_policy("main", "1.0.0")
        await client.yank("main", "1.0.0", "charges twice")
        await client.signal("m", "tick")
        await in_execution(client, "m", 2)
        info = await client.get("m")
        assert (info.version, info.upgrade_blocked) == (
            "1.0.0",
            "`main` 1.0.0 is yanked: charges twice",
        )
        await client.set_policy("main", "latest")
        await client.signal("m", "tick")
        await in_execution(client, "m", 3)
        info = await client.get("m")
        assert info.status == "running"
        assert info.upgrade_blocked == "workflow `main` has no version that satisfies `latest`"


async def test_a_range_that_nothing_satisfies_fails_the_next_execution() -> None:
    async with running("sqlite://:memory:", eternal("1.0.0", "^7")) as rig:
        handle = await rig.client.start("main", {}, id="m")
        await handle.signal("tick")
        with pytest.raises(InstanceFailed) as caught:
            await handle.result(5)
        assert caught.value.error["type"] == "sys.unknown_version"
        await rig.check()


# -- waiting for a version that is not there -------------------------------------------------------


async def _waiting(rig: Rig, name: str = "m") -> None:
    """An instance that waits for 2.0.0."""
    await rig.client.start("main", {}, id=name)
    await rig.client.signal(name, "tick")

    async def waits() -> bool:
        return (await rig.client.get(name)).awaits_version == "2.0.0"

    await eventually(waits)


async def test_it_waits_for_an_exact_version_and_goes_on() -> None:
    async with running("sqlite://:memory:", eternal("1.0.0", "2.0.0")) as rig:
        client = rig.client
        await _waiting(rig)
        info = await client.get("m")
        assert (info.status, info.version, info.execution) == ("running", "1.0.0", 1)
        assert info.waiting_for == [
            {"kind": "version", "step": "continue_as_new", "workflow": "main", "version": "2.0.0"}
        ]
        assert [one.awaits_version for one in await client.list()] == ["2.0.0"]
        await client.deploy_text(eternal("1.5.0", "2.0.0"))  # not the one
        await client.signal("m", "stop")  # to the next execution; it is not lost
        assert (await client.get("m")).execution == 1
        await client.deploy_text(eternal("2.0.0"))
        assert await client.result("m", 5) == {"n": 1, "version": "2.0.0"}
        assert await resolutions(client, "m") == [
            ("1.0.0", "policy latest"),
            ("2.0.0", "asked for 2.0.0"),
        ]
        assert (await client.get("m")).awaits_version is None
        await rig.check()


async def test_it_waits_through_restarts_and_deaths_of_its_node(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    async with running(url, eternal("1.0.0", "2.0.0")) as rig:
        await _waiting(rig)
    for _ in range(8):  # more often than poison is tried
        async with running(url) as rig:

            async def waits(rig: Rig = rig) -> bool:
                return rig.node.awaited == {"m": ("main", "2.0.0")}

            await eventually(waits)
            assert (await rig.client.get("m")).status == "running"
            rig.node.fail(RuntimeError("it dies"))  # gives nothing back
    async with running(url, eternal("2.0.0")) as rig:
        await in_execution(rig.client, "m", 2)
        await rig.client.signal("m", "stop")
        assert await rig.client.result("m", 5) == {"n": 1, "version": "2.0.0"}
        await rig.check()


@pytest.mark.parametrize("parked", [False, True], ids=["warm", "parked"])
async def test_many_wait_and_all_go_on(parked: bool) -> None:
    async with running("sqlite://:memory:", eternal("1.0.0", "2.0.0")) as rig:
        names = [f"m{number}" for number in range(30)]
        for name in names:
            await _waiting(rig, name)
        if parked:
            assert rig.node.shelf.park(everything=True) == 30
        await rig.client.deploy_text(eternal("2.0.0"))
        for name in names:
            await in_execution(rig.client, name, 2)
        assert rig.node.awaited == {}
        await rig.check()


async def test_what_waits_can_be_cancelled_and_terminated() -> None:
    async with running("sqlite://:memory:", eternal("1.0.0", "2.0.0")) as rig:
        client = rig.client
        for name in ("c", "t"):
            await _waiting(rig, name)
        await client.cancel("c", "not needed")
        with pytest.raises(InstanceCancelled, match="not needed"):
            await client.result("c", 5)
        await client.terminate("t")

        async def ended() -> bool:
            return (await client.get("t")).status == "terminated"

        await eventually(ended)
        assert (await resolutions(client, "c"))[1] == (
            "1.0.0",
            "told to end while it waited for version 2.0.0",
        )
        await rig.check()


async def test_a_child_step_does_not_wait() -> None:
    """A step that names a version which is not there is an error of that step, at once."""
    body = "steps:\n  - workflow: child@2.0.0\n"
    child = workflow("steps: [{ return: 1 }]\n", name="child")
    async with running("sqlite://:memory:", child, workflow(body)) as rig:
        handle = await rig.client.start("main")
        with pytest.raises(InstanceFailed) as caught:
            await handle.result(5)
        error = caught.value.error
        assert "sys.unknown_version" in (error["type"], (error.get("cause") or {}).get("type"))
