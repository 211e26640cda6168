"""Activity modules are taken over as they are saved; what is in flight ends on the old code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.dev.saving import Saved
from engine.dev.session import Broken, Reloaded
from tests.dev.project import Desk, desk

WORKFLOW = """dsl: 1
name: order
version: "1.0.0"
steps:
  - { id: say, activity: say }
output: "${{ steps.say.output }}"
"""
MODULE = """from engine import activity
from {helper} import WORD


@activity
def say() -> str:
    return WORD
"""
SLOW = """import pathlib, time
from engine import activity

HERE = pathlib.Path(__file__).parent


@activity
def say() -> str:
    (HERE / "begun").touch()
    while not (HERE / "go_on").exists():
        time.sleep(0.01)
    return "old code"
"""


@pytest.fixture(autouse=True)
def _paths() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before


def project(root: Path, word: str = "one") -> Desk:
    made = Desk(root)
    made.save(WORKFLOW)
    (root / "shop").mkdir()
    write(root, word)
    (root / "shop" / "__init__.py").write_text(MODULE.format(helper="shop.words"))
    return made


def write(root: Path, word: str) -> None:
    (root / "shop" / "words.py").write_text(f'WORD = "{word}"\n')


async def said(there: Desk) -> object:
    return await (await there.session.client.start("order")).result(timeout=20)


async def test_a_changed_module_is_used_by_the_next_attempt(tmp_path: Path) -> None:
    """Also when it is not the activity's own but one that it imports."""
    project(tmp_path)
    async with desk(tmp_path, modules=("shop",)) as there:
        await there.next(Saved)
        assert await said(there) == "one"
        write(tmp_path, "two")
        reloaded = await there.until(lambda event: event == Reloaded(2, ("say",)))
        assert reloaded is not None
        assert await said(there) == "two"
        assert "shop" not in sys.modules, "the server itself imports nothing"


async def test_a_broken_module_keeps_the_last_good_code(tmp_path: Path) -> None:
    """Whichever worker it is: those that start after the bad save have the good code too."""
    project(tmp_path)
    async with desk(tmp_path, modules=("shop",)) as there:
        await there.next(Saved)
        for bad in ("WORD = (", "raise RuntimeError('no')", "import sys; sys.exit(3)"):
            count = len(there.told)
            (tmp_path / "shop" / "words.py").write_text(bad)
            broken = await there.next(Broken, after=count)
            assert broken.generation == 1
            assert "words.py:1: " in broken.problem
            assert await said(there) == "one"
        for pid in there.session.runner.worker_pids:
            os.kill(pid, 9)
        while there.session.runner.worker_pids:
            await there.session.provider.counts()
        assert await said(there) == "one", "a fresh worker has the recorded code"
        count = len(there.told)
        write(tmp_path, "mended")
        await there.next(Reloaded, after=count)
        assert await said(there) == "mended"


async def test_what_is_in_flight_ends_on_the_old_code(tmp_path: Path) -> None:
    made = Desk(tmp_path)
    made.save(WORKFLOW)
    (tmp_path / "shop.py").write_text(SLOW)
    async with desk(tmp_path, modules=("shop",)) as there:
        await there.next(Saved)
        handle = await there.session.client.start("order")
        async for event in there.session.client.events(handle.id):
            if event["kind"] == "activity_scheduled":
                break
        while not (tmp_path / "begun").exists():
            await there.session.node.provider.counts()
        old = there.session.runner.worker_pids
        (tmp_path / "shop.py").write_text(SLOW.replace("old code", "new code"))
        await there.until(lambda event: isinstance(event, Reloaded) and event.generation == 2)
        (tmp_path / "go_on").touch()
        assert await handle.result(timeout=20) == "old code"
        assert await said(there) == "new code"
        assert not set(old) & set(there.session.runner.worker_pids), "the old processes ended"


async def test_an_activity_that_is_missed_is_waited_for(tmp_path: Path) -> None:
    made = Desk(tmp_path)
    made.save(WORKFLOW)
    (tmp_path / "shop.py").write_text("import nothing_of_that_name\n")
    async with desk(tmp_path, modules=("shop",)) as there:
        broken = await there.next(Broken)
        assert broken.generation == 0
        await there.next(Saved)
        handle = await there.session.client.start("order")
        assert (await handle.info()).status == "running"
        (tmp_path / "go_on").touch()
        (tmp_path / "shop.py").write_text(SLOW)
        assert await handle.result(timeout=20) == "old code"
