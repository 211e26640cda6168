"""`lock --check`: a changed release is refused wherever it is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.gitops.lockcheck import lock_check
from engine.gitops.lockfile import parse_lock
from engine.gitops.refusals import UnknownTarget
from engine.gitops.release import release
from engine.values.digest import digest, short
from tests.gitops.folders import commit, edit, git, repository

FROZEN = "releases/order/1.2.0.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two releases, committed."""
    folder = repository(tmp_path)
    release(folder, "order")
    release(folder, "billing/order")
    commit(tmp_path, "released")
    return folder


def codes(folder: Path, against: str | None = "HEAD") -> list[tuple[str, str]]:
    """Code and file of each finding."""
    return [
        (one.code, Path(one.file).relative_to(folder).as_posix())
        for one in lock_check(folder, against)
    ]


def test_what_was_released_is_sound(folder: Path) -> None:
    assert lock_check(folder, "HEAD") == ()


def test_work_goes_on_under_a_new_version(folder: Path) -> None:
    edit(folder / "order.yaml", "timeout: 2m", "timeout: 3m")
    edit(folder / "order.yaml", "1.2.0", "1.2.1")
    assert lock_check(folder, "HEAD") == ()
    release(folder, "order")
    assert lock_check(folder, "HEAD") == ()


def drop_line(folder: Path) -> None:
    lock = folder / "workflows.lock"
    lock.write_text(
        "".join(row for row in lock.read_text().splitlines(True) if "order 1" not in row)
    )


def change_digest(folder: Path) -> None:
    lock = folder / "workflows.lock"
    known = parse_lock(lock.read_text()).entries["order", "1.2.0"].revision
    edit(lock, known, "0" * 64)


def swap_lines(folder: Path) -> None:
    lock = folder / "workflows.lock"
    head, first, second = lock.read_text().splitlines(True)
    lock.write_text(head + second + first)


def reseal(folder: Path) -> None:
    """Edit a frozen file and give the lock its new digests: only the base knows."""
    edit(folder / FROZEN, "timeout: 2m", "timeout: 3m")
    edit(folder / "order.yaml", "timeout: 2m", "timeout: 3m")
    frozen = (folder / FROZEN).read_bytes()
    (folder / FROZEN).unlink()
    drop_line(folder)
    release(folder, "order")
    assert (folder / FROZEN).read_bytes() == frozen


def link_out(folder: Path) -> None:
    outside = folder.parent / "outside.yaml"
    outside.write_bytes((folder / FROZEN).read_bytes())
    (folder / FROZEN).unlink()
    (folder / FROZEN).symlink_to(outside)


def crlf(folder: Path) -> None:
    data = (folder / FROZEN).read_bytes()
    (folder / FROZEN).write_bytes(data.replace(b"\n", b"\r\n"))


# What somebody does: how, and what is found (code, file, a part of what it says).
DEEDS: dict[str, tuple[Callable[[Path], None], list[tuple[str, str, str]]]] = {
    "edits the working file": (
        lambda folder: edit(folder / "order.yaml", "timeout: 2m", "timeout: 3m"),
        [("E320", "order.yaml", "~ pay: timeout: 2m -> 3m")],
    ),
    "edits the schema file": (
        lambda folder: edit(folder / "schemas/id.json", '"minLength": 1', '"minLength": 2'),
        [("E320", "order.yaml", "minLength: 1 -> 2")],
    ),
    "edits the frozen file": (
        lambda folder: edit(folder / FROZEN, "timeout: 2m", "timeout: 3m"),
        [("E322", FROZEN, "~ pay: timeout: 2m -> 3m")],
    ),
    "edits a comment of the frozen file": (
        lambda folder: edit(folder / FROZEN, "who pays", "who paid"),
        [("E322", FROZEN, "locked byte for byte")],
    ),
    "changes the line ends of the frozen file": (crlf, [("E322", FROZEN, ".gitattributes")]),
    "breaks the frozen file": (
        lambda folder: edit(folder / FROZEN, "steps:", "step:"),
        [("E322", FROZEN, "does not compile"), ("E103", FROZEN, "step")],
    ),
    "gives the frozen file another name": (
        lambda folder: edit(folder / FROZEN, "name: order", "name: other"),
        [("E322", FROZEN, "`other` 1.2.0")],
    ),
    "deletes the frozen file": (
        lambda folder: (folder / FROZEN).unlink(),
        [("E322", "workflows.lock", "is gone")],
    ),
    "puts a link in its place": (link_out, [("E322", FROZEN, "symbolic link")]),
    "deletes the line": (
        drop_line,
        [("E323", "workflows.lock", "is gone"), ("E324", FROZEN, "no line")],
    ),
    "changes the line": (
        change_digest,
        [
            ("E323", "workflows.lock", "revision"),
            ("E322", FROZEN, "locked revision 000000000000"),
            ("E320", "order.yaml", "000000000000 is locked"),
        ],
    ),
    "changes a digest of the contract": (
        lambda folder: edit(folder / "workflows.lock", "signals=-", f"signals={'1' * 64}"),
        [
            ("E323", "workflows.lock", "signals - -> 111111111111"),
            ("E323", "workflows.lock", "signals - -> 111111111111"),
            ("E321", "workflows.lock", "does not say what"),
            ("E321", "workflows.lock", "does not say what"),
        ],
    ),
    "releases it anew": (reseal, [("E323", "workflows.lock", "source")]),
    "changes the order": (swap_lines, [("E321", "workflows.lock", "before its turn")]),
    "leaves a merge unfinished": (
        lambda folder: edit(folder / "workflows.lock", "order 1.2.0", "=======\norder 1.2.0"),
        [("E321", "workflows.lock", "merge")],
    ),
    "breaks another working file": (
        lambda folder: edit(folder / "billing/order.yaml", "steps:", "step:"),
        [("E103", "billing/order.yaml", "step")],
    ),
}


@pytest.mark.parametrize(("deed", "found"), DEEDS.values(), ids=DEEDS)
def test_a_deed_is_found(
    folder: Path, deed: Callable[[Path], None], found: list[tuple[str, str, str]]
) -> None:
    deed(folder)
    findings = lock_check(folder, "HEAD")
    assert codes(folder) == [(code, file) for code, file, _ in found], findings
    for one, (_, _, said) in zip(findings, found, strict=True):
        assert said in f"{one.what} {one.why}"
        assert one.span.line >= 1
        assert one.mend or one.suggestions


def test_a_finding_names_both_digests_the_place_and_the_next_version(folder: Path) -> None:
    edit(folder / "order.yaml", "timeout: 2m", "timeout: 3m")
    (one,) = lock_check(folder)
    known = parse_lock((folder / "workflows.lock").read_text()).entries["order", "1.2.0"]
    assert short(known.revision) in one.what
    assert one.what.count("is locked") == 1
    assert (one.span.line, one.span.column) == (4, 10)
    assert "1.2.1" in str(one.mend)


def test_a_changed_frozen_file_names_both_digests(folder: Path) -> None:
    known = parse_lock((folder / "workflows.lock").read_text()).entries["order", "1.2.0"]
    edit(folder / FROZEN, "who pays", "who paid")
    (one,) = lock_check(folder)
    assert short(known.source) in one.what
    assert short(digest((folder / FROZEN).read_bytes())) in one.what


def test_resealing_is_found_only_with_the_base(folder: Path) -> None:
    reseal(folder)
    assert lock_check(folder) == ()
    assert codes(folder, "HEAD") == [("E323", "workflows.lock")]


def test_the_base_may_be_a_lock_file(folder: Path, tmp_path: Path) -> None:
    base = tmp_path / "base.lock"
    base.write_bytes((folder / "workflows.lock").read_bytes())
    assert lock_check(folder, str(base)) == ()
    drop_line(folder)
    assert codes(folder, str(base)) == [("E323", "workflows.lock"), ("E324", FROZEN)]


def test_a_base_without_a_lock_asks_for_nothing(tmp_path: Path) -> None:
    folder = repository(tmp_path)
    commit(tmp_path)
    release(folder, "order")
    assert lock_check(folder, "HEAD") == ()


def test_before_the_first_commit_there_is_no_base(tmp_path: Path) -> None:
    folder = repository(tmp_path)
    release(folder, "order")
    assert lock_check(folder, "HEAD") == ()


@pytest.mark.parametrize("ref", ["nowhere", "--upload-pack=x", "-h", "HEAD^{tree}", "a\0b", ""])
def test_a_base_that_is_no_commit(folder: Path, ref: str) -> None:
    with pytest.raises(UnknownTarget):
        lock_check(folder, ref)


def test_a_huge_lock_is_not_read(folder: Path) -> None:
    with (folder / "workflows.lock").open("ab") as stream:
        stream.truncate(1 << 30)
    with pytest.raises(UnknownTarget, match="33,554,432 bytes"):
        lock_check(folder)


def test_a_lock_that_is_no_text(folder: Path) -> None:
    (folder / "workflows.lock").write_bytes(b"# lockstep lock, format 1\n\xff\n")
    (one,) = lock_check(folder)
    assert (one.code, one.span.line) == ("E321", 2)


# --- two branches ------------------------------------------------------------------------------


def branch(root: Path, name: str, workflow: str, change: tuple[str, str], to: str) -> None:
    """A branch on which a workflow is changed and released."""
    folder = root / "workflows"
    git(root, "checkout", "-q", "-b", name, "main")
    edit(folder / f"{workflow}.yaml", *change)
    release(folder, workflow, "patch" if to == "patch" else "minor")
    commit(root, name)


def test_two_branches_that_release_different_workflows_merge(folder: Path) -> None:
    root = folder.parent
    branch(root, "one", "order", ("timeout: 2m", "timeout: 3m"), "patch")
    branch(root, "two", "billing/order", ("timeout: 1m", "timeout: 3m"), "patch")
    git(root, "merge", "-q", "--no-edit", "one")
    assert lock_check(folder, "main") == ()
    assert len(parse_lock((folder / "workflows.lock").read_text()).entries) == 4


def test_two_branches_that_release_the_same_version_conflict(folder: Path) -> None:
    root = folder.parent
    branch(root, "one", "order", ("timeout: 2m", "timeout: 3m"), "patch")
    branch(root, "two", "order", ("timeout: 2m", "timeout: 4m"), "patch")
    merged = git(root, "merge", "-q", "--no-edit", "one", check=False)
    assert "CONFLICT" in merged
    assert [one.code for one in lock_check(folder)] == ["E321"]


def test_a_union_merge_of_the_same_version_is_still_found(folder: Path) -> None:
    root = folder.parent
    (root / ".gitattributes").write_text("workflows/workflows.lock merge=union\n")
    commit(root)
    branch(root, "one", "order", ("timeout: 2m", "timeout: 3m"), "patch")
    branch(root, "two", "order", ("timeout: 2m", "timeout: 4m"), "patch")
    git(root, "merge", "-q", "--no-edit", "one", check=False)
    (one,) = lock_check(folder)
    assert "with two revisions" in one.what
