"""A save becomes a version or is refused; what runs stays where it is."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from engine import Engine
from engine.client.development import development_version, is_development
from engine.dev.saving import Gone, Refused, Saved
from engine.dev.session import Options, Restarted, open_session
from engine.errors import DevelopmentVersion, NotForDevelopment, SettingsError
from engine.values.version import parse_version
from tests.dev.project import Desk, definition, desk


async def test_new_starts_get_what_was_saved_and_running_instances_stay(tmp_path: Path) -> None:
    Desk(tmp_path).save(definition())
    async with desk(tmp_path) as there:
        first = await there.next(Saved)
        assert first.version == f"1.2.0-dev.{first.revision[:8]}"
        old = await there.session.client.start("order", id="old")
        there.save(definition(text="second"))
        second = await there.next(Saved, after=1)
        new = await there.session.client.start("order", id="new")
        assert (await old.info()).version == first.version
        assert (await new.info()).version == second.version
        for handle in (old, new):
            await handle.signal("go")
        assert await old.result(timeout=10) == "first"
        assert await new.result(timeout=10) == "second"


async def test_a_range_that_means_the_file_means_what_was_saved(tmp_path: Path) -> None:
    Desk(tmp_path).save(definition())
    async with desk(tmp_path) as there:
        saved = await there.next(Saved)
        for wanted in (None, "latest", "^1", "1.2.0", ">=1.1 <2", saved.version):
            assert await there.version(wanted) == saved.version, wanted
        with pytest.raises(Exception, match="no version that satisfies"):
            await there.version("^2")


async def test_back_to_what_it_was_is_back_to_that_version(tmp_path: Path) -> None:
    Desk(tmp_path).save(definition())
    async with desk(tmp_path) as there:
        first = await there.next(Saved)
        there.save(definition(text="second"))
        await there.next(Saved, after=1)
        there.save(definition())
        third = await there.next(Saved, after=2)
        assert third.version == first.version == await there.version()


async def test_a_comment_is_no_new_version(tmp_path: Path) -> None:
    Desk(tmp_path).save(definition())
    async with desk(tmp_path) as there:
        await there.next(Saved)
        there.save("# a comment\n" + definition())
        there.save(definition("other"), "other")
        await there.until(lambda event: isinstance(event, Saved) and event.name == "other")
        assert [event.name for event in there.told if isinstance(event, Saved)] == [
            "order",
            "other",
        ]


@pytest.mark.parametrize(
    "bad",
    ["", definition()[:60], "name: [", definition(name="wrong"), "\x00", definition() * 2],
    ids=["empty", "half written", "no yaml", "wrong name", "no text", "twice"],
)
async def test_a_bad_file_leaves_the_last_good_one(tmp_path: Path, bad: str) -> None:
    Desk(tmp_path).save(definition())
    async with desk(tmp_path) as there:
        good = await there.next(Saved)
        there.save(bad)
        refused = await there.next(Refused)
        assert refused.diagnostics
        assert await there.version() == good.version
        there.save(definition(text="mended"))
        mended = await there.next(Saved, after=2)
        assert await there.version() == mended.version


async def test_a_deleted_file_leaves_the_last_good_one(tmp_path: Path) -> None:
    path = Desk(tmp_path).save(definition())
    async with desk(tmp_path) as there:
        good = await there.next(Saved)
        path.unlink()
        gone = await there.next(Gone)
        assert gone.file == str(path)
        assert await there.version() == good.version


async def test_a_file_renamed_over_is_a_save(tmp_path: Path) -> None:
    Desk(tmp_path).save(definition())
    async with desk(tmp_path) as there:
        await there.next(Saved)
        there.replace(definition(text="second"))
        second = await there.next(Saved, after=1)
        assert await there.version() == second.version
        assert not any(isinstance(event, Refused | Gone) for event in there.told)


async def test_many_at_once_the_bad_ones_do_not_hold_up_the_good(tmp_path: Path) -> None:
    async with desk(tmp_path) as there:
        for number in range(30):
            good = number % 3
            text = definition(f"w{number}") if good else "nothing"
            there.save(text, f"w{number}")
        await there.until(lambda _: len([e for e in there.told if isinstance(e, Saved)]) == 20)
        await there.until(
            lambda _: len({e.file for e in there.told if isinstance(e, Refused)}) == 10
        )
        assert await there.version(name="w1") == (await there.version("^1", name="w1"))


async def test_a_folder_that_comes_back_is_looked_through(tmp_path: Path) -> None:
    """As when another branch is checked out."""
    Desk(tmp_path).save(definition())
    async with desk(tmp_path) as there:
        good = await there.next(Saved)
        shutil.rmtree(there.folder)
        assert await there.version() == good.version
        there.folder.mkdir()
        there.save(definition(text="other branch"))
        other = await there.next(Saved, after=1)
        assert await there.version() == other.version


async def test_a_schema_concerns_all(tmp_path: Path) -> None:
    made = Desk(tmp_path)
    (made.folder / "schemas").mkdir()
    schema = made.folder / "schemas" / "id.json"
    schema.write_text('{"type": "object"}')
    made.save(definition() + "input_schema: { $ref: schemas/id.json }\n")
    async with desk(tmp_path) as there:
        first = await there.next(Saved)
        schema.write_text('{"type": "object", "properties": {"id": {"default": "x"}}}')
        second = await there.next(Saved, after=1)
        assert second.version != first.version


async def test_running_instances_are_restarted_only_when_asked(tmp_path: Path) -> None:
    Desk(tmp_path).save(definition())
    async with desk(tmp_path, restart_running=True) as there:
        await there.next(Saved)
        handle = await there.session.client.start("order", id="a")
        there.save(definition(text="second"))
        restarted = await there.next(Restarted)
        saved = await there.next(Saved, after=1)
        assert (restarted.instance_id, restarted.problem) == ("a", None)
        info = await handle.info()
        assert (info.version, info.execution) == (saved.version, 2)


async def test_other_stores_refuse_development_versions(tmp_path: Path) -> None:
    async with Engine.open(f"sqlite:///{tmp_path}/store.db") as engine:
        with pytest.raises(DevelopmentVersion, match=r"1\.2\.0-dev\.abcdef12") as refused:
            await engine.client.deploy_text(definition(version="1.2.0-dev.abcdef12"))
        assert refused.value.code == "registry.development_version"
        assert await engine.client.deployments() == []


async def test_a_store_in_use_is_not_taken_for_development(tmp_path: Path) -> None:
    Desk(tmp_path)
    url = f"sqlite:///{tmp_path}/store.db"
    async with Engine.open(url) as engine:
        await engine.client.deploy_text(definition())
    options = Options(root=tmp_path, database=url, workflows=tmp_path / "workflows")
    with pytest.raises(NotForDevelopment):
        async with open_session(options):
            raise AssertionError("it was opened")


async def test_there_must_be_a_folder(tmp_path: Path) -> None:
    options = Options(root=tmp_path, database="sqlite://:memory:", workflows=tmp_path / "none")
    with pytest.raises(SettingsError, match="no workflow folder"):
        async with open_session(options):
            raise AssertionError("it was opened")


@pytest.mark.parametrize(
    ("version", "revision", "expected"),
    [
        ("1.2.0", "abcdef1234567890", "1.2.0-dev.abcdef12"),
        ("1.2.0", "0123456789abcdef", "1.2.0-dev.0123456789a"),
        ("1.2.0", "1234567890", "1.2.0-dev.12345678"),
        ("2.0.0-rc.1", "abcdef1234567890", "2.0.0-dev.abcdef12"),
        ("1.2.0+build", "abcdef1234567890", "1.2.0-dev.abcdef12"),
    ],
)
def test_what_a_save_is_called(version: str, revision: str, expected: str) -> None:
    made = development_version(version, revision)
    assert made == expected
    assert parse_version(made).prerelease is not None
    assert is_development(made)
    assert not is_development(version)


async def test_the_pins_of_running_instances_survive_a_restart(tmp_path: Path) -> None:
    Desk(tmp_path).save(definition())
    async with desk(tmp_path) as there:
        first = await there.next(Saved)
        await there.session.client.start("order", id="a")
    Desk(tmp_path).save(definition(text="second"))
    async with desk(tmp_path) as there:
        await there.next(Saved)
        assert (await there.session.client.get("a")).version == first.version
        await asyncio.wait_for(there.session.client.signal("a", "go"), 10)
        assert await there.session.client.result("a", timeout=10) == "first"
