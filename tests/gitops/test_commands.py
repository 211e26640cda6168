"""`lockstep release, bump, lock, compat, diff`: what they print, where, and how they exit."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from engine.cli import exits, main
from tests.gitops.folders import ORDER, commit, edit, git, repository

ROOT = Path(__file__).parents[2]
CHANGE = ("timeout: 2m", "timeout: 3m")
BREAK = ("required: [id]", "required: [id, note]")


class Said(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a repository, in which commands are called."""
    monkeypatch.chdir(tmp_path)
    return repository(tmp_path)


@pytest.fixture
def call(folder: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*words: str) -> Said:
        code = main.run(list(words))
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def released(folder: Path, call: Call) -> Path:
    assert call("release", "order").code == exits.OK
    commit(folder.parent)
    return folder


def test_release_prints_the_frozen_file(folder: Path, call: Call) -> None:
    said = call("release", "order")
    assert (said.code, said.out) == (exits.OK, "workflows/releases/order/1.2.0.yaml\n")
    assert "order 1.2.0 is released" in said.err
    assert "was released before, the same" in call("release", "order").err


def test_release_for_programs(folder: Path, call: Call) -> None:
    data = json.loads(call("release", "order", "--minor", "--format", "json").out)
    assert (data["name"], data["version"], data["fresh"]) == ("order", "1.3.0", True)


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_a_locked_release_is_refused_in_every_format(released: Path, call: Call, form: str) -> None:
    edit(released / "order.yaml", *CHANGE)
    said = call("release", "order", "--format", form)
    assert said.code == exits.LOCKED
    assert "the next free version is 1.2.1" in said.err
    assert "pay: timeout: 2m -> 3m" in said.out
    assert "E320" in said.out


def test_release_of_what_does_not_compile_shows_where(folder: Path, call: Call) -> None:
    edit(folder / "order.yaml", "log: done", "log: ${{ vars.nothing }}")
    said = call("release", "order")
    assert (said.code, said.out) == (exits.FAILED, "")
    assert "workflows/order.yaml:17:14: error E225" in said.err
    assert "^^^" in said.err


def test_bump(released: Path, call: Call) -> None:
    assert call("bump", "order", "patch").out.split() == ["before", "1.2.0", "after", "1.2.1"]
    assert (released / "order.yaml").read_text() == ORDER.replace("1.2.0", "1.2.1")
    edit(released / "order.yaml", *BREAK)
    said = call("bump", "order", "-o", "json")
    assert json.loads(said.out)["after"] == "2.0.0"
    assert "input /note: is required now" in said.err


def test_lock_check(released: Path, call: Call) -> None:
    said = call("lock", "--check", "--against", "HEAD")
    assert (said.code, said.out) == (exits.OK, "")
    assert "1 release: sound" in said.err


@pytest.mark.parametrize("against", [(), ("--against", "HEAD")])
def test_a_broken_lock_exits_with_3(released: Path, call: Call, against: tuple[str, ...]) -> None:
    edit(released / "releases/order/1.2.0.yaml", *CHANGE)
    said = call("lock", "--check", *against)
    assert said.code == exits.LOCKED
    assert said.out.startswith("workflows/releases/order/1.2.0.yaml:1:1: error E322")


def test_lock_check_as_json_sarif_and_annotations(released: Path, call: Call) -> None:
    edit(released / "order.yaml", *CHANGE)
    (found,) = json.loads(call("lock", "--check", "--format", "json").out)
    assert (found["code"], found["file"], found["line"]) == ("E320", "workflows/order.yaml", 4)
    log = json.loads(call("lock", "--check", "--format", "sarif").out)
    assert log["version"] == "2.1.0"
    assert [one["ruleId"] for one in log["runs"][0]["results"]] == ["E320"]
    line = call("lock", "--check", "--format", "github").out
    assert line.startswith("::error file=workflows/order.yaml,line=4,")
    assert line.count("\n") == 1


def test_an_empty_finding_list_is_still_json(released: Path, call: Call) -> None:
    assert json.loads(call("lock", "--check", "--format", "json").out) == []


def test_lock_writes_the_lines_in_order(released: Path, call: Call) -> None:
    call("release", "billing/order")
    lock = released / "workflows.lock"
    tidy = lock.read_text()
    head, first, second = tidy.splitlines(True)
    lock.write_text(head + second + first)
    assert call("lock", "--check").code == exits.LOCKED
    assert call("lock").code == exits.OK
    assert lock.read_text() == tidy


def test_a_broken_line_is_told_by_every_command(released: Path, call: Call) -> None:
    edit(released / "workflows.lock", "dsl=1", "dsl=x")
    for words in (("release", "order"), ("bump", "order"), ("lock",), ("lock", "--check")):
        assert call(*words).code == exits.LOCKED, words


def test_compat(released: Path, call: Call) -> None:
    assert call("compat", "--against", "HEAD").code == exits.OK
    edit(released / "order.yaml", *BREAK)
    said = call("compat", "--against", "HEAD")
    assert said.code == exits.TOO_SMALL
    assert "1.2.0   1.2.0    none      major     too-small" in said.out
    assert "workflows/order.yaml:4:10: error E325" in said.out
    assert 'version: "2.0.0"' in said.out
    (found,) = json.loads(call("compat", "--against", "HEAD", "--format", "json").out)
    assert found["code"] == "E325"
    assert call("bump", "order").code == exits.OK
    assert call("compat", "--against", "HEAD").code == exits.OK


def test_diff(released: Path, call: Call) -> None:
    edit(released / "order.yaml", *CHANGE)
    said = call("diff", "order@1.2.0", "order")
    assert said.code == exits.OK
    assert "~ pay: timeout: 2m -> 3m\n\nleast bump: patch\n" in said.out
    again = call("diff", "HEAD:workflows/order.yaml", "workflows/order.yaml", "--exit-code")
    assert again.code == exits.FAILED
    assert "~ pay: timeout: 2m -> 3m" in again.out
    data = json.loads(call("diff", "order@1.2.0", "order", "--format", "json").out)
    assert data["least_bump"] == "patch"
    assert call("diff", "order", "order", "--exit-code").code == exits.OK


def test_diff_with_a_deployment(folder: Path, call: Call) -> None:
    assert call("diff", "billing/order@0.3.0", "billing/order").code == exits.NOT_FOUND
    assert call("deploy").code == exits.OK
    edit(folder / "billing/order.yaml", "timeout: 1m", "timeout: 2m")
    said = call("diff", "billing/order@0.3.0", "billing/order")
    assert "~ bill: timeout: 1m -> 2m" in said.out
    assert call("diff", "billing/order@9.9.9", "billing/order").code == exits.NOT_FOUND


WRONG = {
    "a name that is not there": (("release", "odrer"), exits.NOT_FOUND),
    "a name that leads out": (("release", "../order"), exits.USAGE),
    "a commit that is not there": (("compat", "--against", "nowhere"), exits.NOT_FOUND),
    "nothing to compare with": (("compat",), exits.USAGE),
    "a base nobody looks at": (("lock", "--against", "HEAD"), exits.USAGE),
    "nothing to diff": (("diff", "order"), exits.USAGE),
    "a version that is no higher": (("bump", "order", "1.0.0"), exits.FAILED),
    "a folder that is not there": (("lock", "--check", "--workflows", "nowhere"), exits.USAGE),
}


@pytest.mark.parametrize(("words", "code"), WRONG.values(), ids=WRONG)
def test_wrong_calls(released: Path, call: Call, words: tuple[str, ...], code: int) -> None:
    said = call(*words)
    assert (said.code, said.out) == (code, "")
    assert "error:" in said.err


def test_without_git_it_may_work_later(
    released: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert call("lock", "--check", "--against", "HEAD").code == exits.UNAVAILABLE


# -- hooks -----------------------------------------------------------------------------------------


def hooks() -> dict[str, Any]:
    found = YAML(typ="safe").load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return {one["id"]: one for one in found}


def run_hook(name: str, folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """As pre-commit does: the entry, then the staged files that fit."""
    hook = hooks()[name]
    fitting = [
        file
        for file in files
        if re.search(hook["files"], file) and not re.search(hook.get("exclude", "^$"), file)
    ]
    if not fitting:
        return subprocess.CompletedProcess([], 0, "", "")
    words = shlex.split(hook["entry"])
    if hook.get("pass_filenames", True):
        words += fitting
    scripts = Path(sys.executable).parent
    return subprocess.run(
        words,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{scripts}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
    )


def test_the_hooks_are_those_that_are_promised() -> None:
    assert set(hooks()) == {"lockstep-check", "lockstep-lock"}


def test_the_check_hook(released: Path) -> None:
    assert run_hook("lockstep-check", released.parent, "workflows/order.yaml").returncode == 0
    edit(released / "order.yaml", "steps:", "step:")
    said = run_hook("lockstep-check", released.parent, "workflows/order.yaml", "README.md")
    assert (said.returncode, "E103" in said.stdout) == (exits.FAILED, True)


@pytest.mark.parametrize(
    "file",
    ["workflows/releases/order/1.2.0.yaml", "workflows/schemas/id.yaml", "workflows/a.test.yaml"],
)
def test_the_check_hook_passes_over(released: Path, file: str) -> None:
    assert run_hook("lockstep-check", released.parent, file).args == []


def test_the_lock_hook(released: Path) -> None:
    root = released.parent
    assert run_hook("lockstep-lock", root, "workflows/order.yaml").returncode == 0
    edit(released / "releases/order/1.2.0.yaml", *CHANGE)
    said = run_hook("lockstep-lock", root, "workflows/releases/order/1.2.0.yaml")
    assert (said.returncode, "E322" in said.stdout) == (exits.LOCKED, True)
    assert run_hook("lockstep-lock", root, "README.md").args == []


def test_the_lock_hook_finds_a_line_that_vanishes(released: Path) -> None:
    git(released, "rm", "-q", "-r", "--cached", "releases", "workflows.lock")
    (released / "workflows.lock").unlink()
    (released / "releases/order/1.2.0.yaml").unlink()
    said = run_hook("lockstep-lock", released.parent, "workflows/workflows.lock")
    assert (said.returncode, "E323" in said.stdout) == (exits.LOCKED, True)


def test_the_lock_hook_on_the_first_commit(folder: Path) -> None:
    assert run_hook("lockstep-lock", folder.parent, "workflows/order.yaml").returncode == 0
