"""`compat`: the declared bump is not smaller than the one the changes ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.gitops.compat_check import Judged, compat_check
from engine.gitops.refusals import UnknownTarget
from engine.gitops.release import release
from tests.gitops.folders import commit, edit, project, repository


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = repository(tmp_path)
    release(folder, "order")
    release(folder, "billing/order")
    commit(tmp_path)
    return folder


def judged(folder: Path, name: str, against: str = "HEAD") -> Judged:
    (found,) = [one for one in compat_check(folder, against).judged if one.name == name]
    return found


def test_nothing_changed(folder: Path) -> None:
    found = compat_check(folder, "HEAD")
    assert found.findings == ()
    assert {one.state for one in found.judged} == {"same"}


# change, version, required, state, the version that would do
ORDER = {
    "a retry, as patch": ("timeout: 2m", "timeout: 3m", "1.2.1", "patch", "enough", None),
    "a retry, not raised": ("timeout: 2m", "timeout: 3m", "1.2.0", "patch", "too-small", "1.2.1"),
    "a call, as patch": ("s.charge", "s.take", "1.2.1", "minor", "too-small", "1.3.0"),
    "a call, as minor": ("s.charge", "s.take", "1.3.0", "minor", "enough", None),
    "a call, as major": ("s.charge", "s.take", "2.0.0", "minor", "enough", None),
    "a required input, as minor": ("[id]", "[id, note]", "1.3.0", "major", "too-small", "2.0.0"),
    "a required input, as major": ("[id]", "[id, note]", "2.0.0", "major", "enough", None),
    "lowered": ("timeout: 2m", "timeout: 3m", "1.1.0", "none", "new", None),
}


@pytest.mark.parametrize(
    ("old", "new", "version", "required", "state", "mend"), ORDER.values(), ids=ORDER
)
def test_a_change(
    folder: Path, old: str, new: str, version: str, required: str, state: str, mend: str | None
) -> None:
    edit(folder / "order.yaml", old, new)
    if version != "1.2.0":
        edit(folder / "order.yaml", "1.2.0", version)
    found = judged(folder, "order")
    assert (found.required, found.state, found.mend) == (required, state, mend)
    findings = compat_check(folder, "HEAD").findings
    assert [one.code for one in findings] == (["E325"] if state == "too-small" else [])
    for one in findings:
        assert (one.file, one.span.line, one.span.column) == (str(folder / "order.yaml"), 4, 10)
        assert str(mend) in str(one.mend)


def test_below_1_a_minor_is_major(folder: Path) -> None:
    edit(folder / "billing/order.yaml", "steps:", "input_schema: { required: [a] }\nsteps:")
    edit(folder / "billing/order.yaml", "0.3.0", "0.3.1")
    assert judged(folder, "billing/order").mend == "0.4.0"
    edit(folder / "billing/order.yaml", "0.3.1", "0.4.0")
    assert judged(folder, "billing/order").state == "enough"


def test_a_new_workflow_may_be_anything(folder: Path) -> None:
    text = (folder / "billing/order.yaml").read_text()
    (folder / "fresh.yaml").write_text(text.replace("billing/order", "fresh"))
    assert judged(folder, "fresh").state == "new"


def test_a_mend_of_an_old_version_is_compared_with_that(folder: Path) -> None:
    edit(folder / "order.yaml", "[id]", "[id, note]")
    release(folder, "order", "major")
    commit(folder.parent)
    edit(folder / "order.yaml", "[id, note]", "[id]")
    edit(folder / "order.yaml", "timeout: 2m", "timeout: 3m")
    edit(folder / "order.yaml", "2.0.0", "1.2.1")
    found = judged(folder, "order")
    assert (found.before, found.required, found.state) == ("1.2.0", "patch", "enough")


def test_what_was_never_released_may_change(folder: Path) -> None:
    text = (folder / "billing/order.yaml").read_text().replace("billing/order", "fresh")
    (folder / "fresh.yaml").write_text(text)
    commit(folder.parent)
    (folder / "fresh.yaml").write_text(text.replace("billing.bill", "billing.other"))
    assert judged(folder, "fresh").state == "new"


def test_without_any_release_the_working_files_are_compared(tmp_path: Path) -> None:
    folder = repository(tmp_path)
    commit(tmp_path)
    edit(folder / "order.yaml", "timeout: 2m", "timeout: 3m")
    assert judged(folder, "order").state == "too-small"
    edit(folder / "schemas/id.json", '"minLength": 1', '"minLength": 2')
    assert judged(folder, "order").mend == "2.0.0"


def test_the_base_may_be_another_folder(tmp_path: Path) -> None:
    one, other = project(tmp_path / "one"), project(tmp_path / "other")
    edit(other / "order.yaml", "timeout: 2m", "timeout: 3m")
    assert judged(other, "order", str(one)).state == "too-small"


def test_a_base_that_is_none(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownTarget):
        compat_check(folder, "nowhere")
    outside = project(tmp_path / "outside")
    (tmp_path / ".git").rename(tmp_path / "git")
    with pytest.raises(UnknownTarget, match="not in a git repository"):
        compat_check(outside, "HEAD")
