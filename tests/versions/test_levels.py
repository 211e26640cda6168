"""Semantics levels: a node leaves alone what it cannot execute, and an operator can see it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.client.starting import started_fact
from engine.history.letters import write_letter
from engine.interpreter import semantics
from engine.runtime.options import NodeOptions
from engine.storage.records import Creation, Pin
from tests.runtime.rig import Rig, running, workflow
from tests.versions.stories import eventually

LATER = semantics.CURRENT + 1
TEXT = workflow("steps: [{ return: 1 }]\n")


async def _of_a_later_build(rig: Rig) -> None:
    """An instance that a node of a later build has been asked for."""
    [deployed] = await rig.client.deployments()
    pin = Pin(deployed.name, deployed.version, deployed.revision, LATER)
    letter = write_letter(msgspec.structs.replace(started_fact("later", pin, {}), at=1))
    creation = Creation(instance_id="later", pin=pin, created_at=1, start=letter)
    assert await rig.store.create([creation]) == [None]


async def test_what_it_does_not_support_is_left_alone_and_listed() -> None:
    async with running("sqlite://:memory:", TEXT) as rig:
        await _of_a_later_build(rig)
        assert await (await rig.client.start("main", id="now")).result(5) == 1
        record = await rig.store.inner.get("later")
        assert (record.status, record.owner, record.attempts) == ("pending", None, 0)
        [listed] = await rig.client.unservable()
        assert (listed.instance_id, listed.semantics) == ("later", LATER)
        assert await rig.client.unservable((semantics.CURRENT, LATER)) == []


async def test_widened_it_suspends_what_it_cannot_replay(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    async with running(url, TEXT) as rig:
        await _of_a_later_build(rig)
    wide = NodeOptions(semantics=(semantics.CURRENT, LATER))
    async with running(url, options=wide) as rig:

        async def suspended() -> bool:
            return (await rig.client.get("later")).status == "suspended"

        await eventually(suspended)
        info = await rig.client.get("later")
        assert info.suspended_reason == (
            f"UnsupportedSemantics: semantics level {LATER} is not among [{semantics.CURRENT}]"
        )
        assert await (await rig.client.start("main", id="now")).result(5) == 1
