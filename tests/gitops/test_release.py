"""A release freezes what the working file means now, and nothing changes it afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.client.deploying import compile_path, compile_text
from engine.errors import DefinitionError, SettingsError
from engine.gitops import release as release_module
from engine.gitops.bump import bump
from engine.gitops.lockcheck import lock_check
from engine.gitops.lockfile import LockEntry, parse_lock
from engine.gitops.refusals import OutsideFolder, ReleaseLocked, ReleaseRefused, UnknownTarget
from engine.gitops.release import release
from tests.gitops.folders import BILLING, ORDER, edit, project

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path)


def lock_entries(folder: Path) -> dict[tuple[str, str], LockEntry]:
    return parse_lock((folder / "workflows.lock").read_text()).entries


def test_a_release_is_a_frozen_file_and_a_line(folder: Path) -> None:
    done = release(folder, "order")
    assert (done.fresh, done.file) == (True, folder / "releases" / "order" / "1.2.0.yaml")
    assert lock_entries(folder) == {("order", "1.2.0"): done.entry}
    assert lock_check(folder) == ()


def test_the_frozen_file_compiles_alone_to_the_same_revision(folder: Path) -> None:
    done = release(folder, "order")
    working = next(one for one in compile_path(folder)[0] if one.name == "order")
    alone = compile_text(done.file.read_bytes())
    assert alone.revision == working.revision == done.entry.revision


def test_comments_stay_in_the_frozen_file(folder: Path) -> None:
    text = release(folder, "order").file.read_text()
    for comment in ("# who pays what", "# raised by the tool", "# the order's own number"):
        assert comment in text


def test_a_file_that_needs_no_other_is_frozen_byte_for_byte(folder: Path) -> None:
    done = release(folder, "billing/order")
    assert done.file == folder / "releases" / "billing" / "order" / "0.3.0.yaml"
    assert done.file.read_bytes() == (folder / "billing" / "order.yaml").read_bytes()


def test_the_same_again_changes_no_byte(folder: Path) -> None:
    first = release(folder, "order")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = release(folder, "order")
    assert (again.fresh, again.entry) == (False, first.entry)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_comment_in_the_working_file_leaves_the_release_alone(folder: Path) -> None:
    first = release(folder, "order")
    frozen = first.file.read_bytes()
    edit(folder / "order.yaml", "# who pays what", "# who pays what, and when")
    assert not release(folder, "order").fresh
    assert first.file.read_bytes() == frozen
    assert lock_check(folder) == ()


def test_another_revision_under_a_released_version_is_refused(folder: Path) -> None:
    first = release(folder, "order")
    edit(folder / "order.yaml", "timeout: 2m", "timeout: 3m")
    with pytest.raises(ReleaseLocked) as caught:
        release(folder, "order")
    error = caught.value
    assert error.released == first.entry.revision
    assert error.offered not in ("", error.released)
    assert error.changes == ("~ pay: timeout: 2m -> 3m",)
    assert error.next_free == "1.2.1"
    assert error.released[:12] in str(error)
    assert error.offered[:12] in str(error)


def test_the_next_free_version_is_as_far_as_the_change_asks(folder: Path) -> None:
    release(folder, "order")
    edit(folder / "order.yaml", "required: [id]", "required: [id, note]")
    with pytest.raises(ReleaseLocked) as caught:
        release(folder, "order")
    assert caught.value.next_free == "2.0.0"


def test_a_schema_file_that_changes_is_a_change_of_the_workflow(folder: Path) -> None:
    release(folder, "order")
    (folder / "schemas" / "id.json").write_text('{"type": "string", "minLength": 2}')
    with pytest.raises(ReleaseLocked, match="is locked"):
        release(folder, "order")


def test_back_to_an_old_meaning_is_a_new_version_with_the_old_revision(folder: Path) -> None:
    first = release(folder, "order")
    edit(folder / "order.yaml", "timeout: 2m", "timeout: 3m")
    second = release(folder, "order", "patch")
    edit(folder / "order.yaml", "timeout: 3m", "timeout: 2m")
    third = release(folder, "order", "patch")
    assert [one.entry.version for one in (first, second, third)] == ["1.2.0", "1.2.1", "1.2.2"]
    assert third.entry.revision == first.entry.revision != second.entry.revision
    assert lock_check(folder) == ()


def test_an_interrupted_release_is_taken_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(release_module.Workspace, "write_lock", crash)
        with pytest.raises(KeyboardInterrupt):
            release(folder, "order")
    assert [one.code for one in lock_check(folder)] == ["E324"]
    assert release(folder, "order").fresh
    assert lock_check(folder) == ()


@pytest.mark.parametrize("gone", [True, False])
def test_a_release_whose_frozen_file_is_spoilt_is_not_called_released(
    folder: Path, gone: bool
) -> None:
    file = release(folder, "order").file
    if gone:
        file.unlink()
    else:
        edit(file, "who pays", "who paid")
    with pytest.raises(ReleaseRefused, match="is gone" if gone else "was changed"):
        release(folder, "order")


def test_releases_at_the_same_time_keep_each_others_lines(folder: Path) -> None:
    names = [f"w{number}" for number in range(8)]
    for name in names:
        (folder / f"{name}.yaml").write_text(BILLING.replace("billing/order", name))
    code = "import sys, pathlib; from engine.gitops.release import release; "
    code += "release(pathlib.Path(sys.argv[1]), sys.argv[2])"
    running = [
        subprocess.Popen([sys.executable, "-c", code, folder, name], cwd=ROOT) for name in names
    ]
    assert [one.wait(timeout=60) for one in running] == [0] * len(names)
    assert {name for name, _ in lock_entries(folder)} == set(names)
    assert lock_check(folder) == ()


def test_a_stray_file_of_another_content_is_not_written_over(folder: Path) -> None:
    stray = folder / "releases" / "order" / "1.2.0.yaml"
    stray.parent.mkdir(parents=True)
    stray.write_text("mine")
    with pytest.raises(ReleaseRefused, match="no line in the lock"):
        release(folder, "order")
    assert stray.read_text() == "mine"
    assert not (folder / "workflows.lock").exists()


@pytest.mark.parametrize(
    ("version", "said"),
    [("1.3.0-dev.0123abcd", "version of development"), ("1.3.0+build.7", "build metadata")],
)
def test_versions_that_are_never_released(folder: Path, version: str, said: str) -> None:
    edit(folder / "order.yaml", "1.2.0", version)
    with pytest.raises(ReleaseRefused, match=said):
        release(folder, "order")


def test_a_prerelease_may_be_released(folder: Path) -> None:
    edit(folder / "order.yaml", "1.2.0", "1.3.0-rc.1")
    assert release(folder, "order").entry.version == "1.3.0-rc.1"
    assert lock_check(folder) == ()


def test_what_does_not_compile_is_not_raised_either(folder: Path) -> None:
    edit(folder / "order.yaml", "log: done", "log: ${{ vars.nothing }}")
    before = (folder / "order.yaml").read_bytes()
    with pytest.raises(DefinitionError):
        release(folder, "order", "minor")
    assert (folder / "order.yaml").read_bytes() == before


def test_a_name_that_is_not_there_gets_a_suggestion(folder: Path) -> None:
    with pytest.raises(UnknownTarget, match="did you mean `order`"):
        release(folder, "odrer")


@pytest.mark.parametrize("name", ["../order", "/etc/passwd", "a/../../b", "order\0", "", "x" * 300])
def test_a_name_never_leads_out(folder: Path, name: str) -> None:
    for call in (release, bump):
        with pytest.raises(OutsideFolder):
            call(folder, name)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        release(tmp_path / "nowhere", "order")


@pytest.mark.parametrize("linked", ["releases", "releases/order", "workflows.lock"])
def test_a_link_is_not_followed(folder: Path, tmp_path: Path, linked: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / linked).parent.mkdir(exist_ok=True)
    (folder / linked).symlink_to(outside / "lock" if linked.endswith("lock") else outside)
    with pytest.raises(OutsideFolder, match="symbolic link"):
        release(folder, "order")
    assert list(outside.iterdir()) == []


def test_a_working_file_that_is_a_link_is_not_replaced(folder: Path) -> None:
    (folder / "order.yaml").rename(folder / "real.txt")
    (folder / "order.yaml").symlink_to("real.txt")
    with pytest.raises(OutsideFolder, match="symbolic link"):
        bump(folder, "order", "patch")
    assert (folder / "order.yaml").is_symlink()
    assert (folder / "real.txt").read_text() == ORDER


def test_a_working_file_that_is_a_link_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "order.yaml"
    outside.write_text(ORDER)
    (folder / "order.yaml").unlink()
    (folder / "order.yaml").symlink_to(outside)
    with pytest.raises(DefinitionError, match="outside the workflow root"):
        release(folder, "order")


@pytest.mark.parametrize("name", ["order-saga", "create-instance", "instance-actor", "hello"])
def test_the_examples_can_be_released(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "workflows"
    (folder / "schemas").mkdir(parents=True)
    for file in (ROOT / "workflows").glob("schemas/*.json"):
        (folder / "schemas" / file.name).write_bytes(file.read_bytes())
    (folder / f"{name}.yaml").write_bytes((ROOT / "workflows" / f"{name}.yaml").read_bytes())
    release(folder, name)
    assert lock_check(folder) == ()


BUMPS = {
    "patch": ("patch", "1.2.1"),
    "minor": ("minor", "1.3.0"),
    "major": ("major", "2.0.0"),
    "an exact version": ("1.10.0", "1.10.0"),
}


@pytest.mark.parametrize(("to", "after"), BUMPS.values(), ids=BUMPS)
def test_raising_a_version_changes_nothing_else(folder: Path, to: str, after: str) -> None:
    done = bump(folder, "order", to)
    assert (done.before, done.after) == ("1.2.0", after)
    assert (folder / "order.yaml").read_text() == ORDER.replace("1.2.0", after)


WRITTEN = {
    "plain": "version: 1.2.0",
    "single quotes": "version: '1.2.0'",
    "double quotes": 'version:   "1.2.0"   # here',
    "behind an anchor": "version: &v 1.2.0",
    "key in quotes": '"version": 1.2.0',
}


@pytest.mark.parametrize("line", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "bom"])
def test_a_version_is_raised_however_it_is_written(
    folder: Path, line: str, end: str, mark: str
) -> None:
    text = f"# é, version: 9.9.9\ndsl: 1\nname: order\n{line}\nsteps:\n  - log: 1.2.0\n"
    data = (mark + text.replace("\n", end)).encode()
    (folder / "order.yaml").write_bytes(data)
    bump(folder, "order", "minor")
    wanted = data.replace(line.encode(), line.replace("1.2.0", "1.3.0").encode())
    assert (folder / "order.yaml").read_bytes() == wanted
    assert release(folder, "order").entry.version == "1.3.0"


def test_a_released_version_is_passed_over(folder: Path) -> None:
    edit(folder / "order.yaml", "1.2.0", "1.2.1")
    release(folder, "order")
    edit(folder / "order.yaml", "1.2.1", "1.2.0")
    assert bump(folder, "order", "patch").after == "1.2.2"


@pytest.mark.parametrize("to", ["1.2.0", "1.1.9", "1.2", "next"])
def test_exact_versions_that_are_refused(folder: Path, to: str) -> None:
    with pytest.raises(ReleaseRefused):
        bump(folder, "order", to)
    assert (folder / "order.yaml").read_text() == ORDER


def test_without_a_word_the_changes_say_how_far(folder: Path) -> None:
    release(folder, "order")
    edit(folder / "order.yaml", "required: [id]", "required: [id, note]")
    done = bump(folder, "order")
    assert done.after == "2.0.0"
    assert done.reasons == ("input /note: is required now",)
    again = bump(folder, "order")
    assert (again.before, again.after) == ("2.0.0", "2.0.0")


def test_a_version_that_was_raised_too_little_is_raised_further(folder: Path) -> None:
    release(folder, "order")
    edit(folder / "order.yaml", "required: [id]", "required: [id, note]")
    bump(folder, "order", "patch")
    assert bump(folder, "order").after == "2.0.0"


def test_no_half_file_is_left_when_the_disk_refuses(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.gitops.files.os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        bump(folder, "order", "patch")
    assert (folder / "order.yaml").read_text() == ORDER
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
