"""A repository is read, and nothing of it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.gitops.git import Repository
from engine.gitops.refusals import GitUnavailable, OutsideFolder, UnknownTarget
from engine.gitops.snapshot import folder_at
from engine.gitops.workspace import open_workspace
from tests.gitops.folders import commit, git, project, repository


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = repository(tmp_path)
    commit(tmp_path)
    return folder


def test_a_folder_as_it_was(folder: Path) -> None:
    (folder / "order.yaml").unlink()
    with folder_at(open_workspace(folder), "HEAD") as there:
        found = sorted(
            path.relative_to(there.base).as_posix()
            for path in there.base.rglob("*")
            if path.is_file()
        )
        assert found == ["billing/order.yaml", "order.yaml", "schemas/id.json"]
        place = there.base
    assert not place.exists()
    assert not (folder / "order.yaml").exists()


@pytest.mark.parametrize("name", ["main", "v1", "HEAD~0"])
def test_names_of_commits(folder: Path, name: str) -> None:
    git(folder, "tag", "-m", "a tag", "v1")
    assert Repository(folder).commit(name) == git(folder, "rev-parse", "HEAD").strip()


def test_nothing_of_the_repository_runs(folder: Path, tmp_path: Path) -> None:
    """Hooks, fsmonitor, filters, pager, ssh, aliases and ext transports all would leave a mark."""
    mark = tmp_path / "ran"
    script = tmp_path / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    (tmp_path / ".gitattributes").write_text("*.yaml filter=evil diff=evil\n")
    commit(tmp_path)
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        file = tmp_path / ".git" / "hooks" / hook
        file.write_text(script.read_text())
        file.chmod(0o755)
    for key in (
        "core.fsmonitor", "core.pager", "core.sshCommand", "core.askPass", "core.editor",
        "filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv",
        "diff.external", "core.alternateRefsCommand", "gpg.program", "alias.ls-tree",
        "pager.cat-file",
    ):  # fmt: skip
        git(tmp_path, "config", key, str(script))
    git(tmp_path, "config", "protocol.ext.allow", "always")
    git(tmp_path, "config", "extensions.partialClone", "evil")
    git(tmp_path, "config", "remote.evil.url", f"ext::{script}")
    git(tmp_path, "config", "remote.evil.promisor", "true")
    git(tmp_path, "config", "core.repositoryFormatVersion", "1")
    mark.unlink(missing_ok=True)
    with folder_at(open_workspace(folder), "HEAD") as there:
        assert (there.base / "order.yaml").is_file()
    blob = git(folder, "rev-parse", "HEAD:workflows/order.yaml").strip()
    (tmp_path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    mark.unlink(missing_ok=True)
    with pytest.raises(GitUnavailable), folder_at(open_workspace(folder), "HEAD"):
        pass  # the object is missing, and is not fetched
    assert not mark.exists()


def test_links_and_submodules_are_passed_over(folder: Path, tmp_path: Path) -> None:
    (folder / "evil.yaml").symlink_to("/etc/passwd")
    head = git(tmp_path, "rev-parse", "HEAD").strip()
    git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{head},workflows/sub.yaml")
    commit(tmp_path)
    with folder_at(open_workspace(folder), "HEAD") as there:
        assert not (there.base / "evil.yaml").exists()
        assert not (there.base / "sub.yaml").exists()


def test_a_tree_that_climbs_out(folder: Path, tmp_path: Path) -> None:
    blob = git(tmp_path, "rev-parse", "HEAD:workflows/order.yaml").strip()
    inner = hand_made_tree(tmp_path, "100644 blob", blob, "evil.yaml")
    climbing = hand_made_tree(tmp_path, "040000 tree", inner, "..")
    outer = hand_made_tree(tmp_path, "040000 tree", climbing, "workflows")
    made = git(tmp_path, "commit-tree", outer, "-m", "evil").strip()
    with pytest.raises(OutsideFolder), folder_at(open_workspace(folder), made):
        pass


def hand_made_tree(root: Path, kind: str, identity: str, name: str) -> str:
    """A tree that git itself would not make."""
    mode = kind.split()[0].lstrip("0")
    data = f"{mode} {name}\0".encode() + bytes.fromhex(identity)
    file = root / "tree.bin"
    file.write_bytes(data)
    return git(root, "hash-object", "-t", "tree", "-w", "--literally", str(file)).strip()


def test_a_huge_file_is_not_read(folder: Path, tmp_path: Path) -> None:
    with (folder / "huge.yaml").open("wb") as stream:
        stream.truncate(200 << 20)
    commit(tmp_path)
    with (
        pytest.raises(UnknownTarget, match="too large"),
        folder_at(open_workspace(folder), "HEAD"),
    ):
        pass


def test_many_files_are_not_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.gitops.git.MAX_FILES", 2)
    with (
        pytest.raises(UnknownTarget, match="too large"),
        folder_at(open_workspace(folder), "HEAD"),
    ):
        pass


def test_git_is_found_from_inside_a_hook(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git tells its hooks which repository and index they are for; ours may be another."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere" / "index"))
    assert Repository(folder).prefix == "workflows/"


def test_without_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GitUnavailable, match="not installed"):
        Repository(folder)


def test_a_git_that_does_not_answer(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexec /bin/sleep 30\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent))
    monkeypatch.setattr("engine.gitops.git.TIMEOUT_SECONDS", 0.2)
    with pytest.raises(GitUnavailable, match="did not answer"):
        Repository(folder)


def test_outside_of_any_repository(tmp_path: Path) -> None:
    with pytest.raises(UnknownTarget, match="not in a git repository"):
        Repository(project(tmp_path))
