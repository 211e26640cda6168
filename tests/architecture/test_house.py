"""The house is tidy: what stands where, and what stands nowhere."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {
    ".ci",
    ".github",
    ".gitignore",
    ".pre-commit-hooks.yaml",
    ".vscode",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "benchmarks",
    "constraints.txt",
    "deploy",
    "docs",
    "engine",
    "pyproject.toml",
    "schemas",
    "tests",
    "workflows",
}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers"}


def tracked() -> list[Path]:
    """Every file of the repository that is there, as `git` knows it."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [Path(name) for name in listing.stdout.split("\0") if name]
    assert names, "an empty listing would prove nothing"
    return [name for name in names if (ROOT / name).is_file()]


def modules() -> list[Path]:
    return sorted((ROOT / "engine").rglob("*.py"))


def test_the_top_level_holds_only_what_belongs_there() -> None:
    assert {name.parts[0] for name in tracked()} <= TOP_LEVEL


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a merge marker", rb"^(?:<{7} |={7}$|>{7} )"),
        ("a path of one machine", rb"/(?:home|root|Users|work)/\w"),
        ("a place to download from", rb"--(?:extra-)?index-url[ =]\S"),
    ],
)
def test_no_file_holds(what: str, pattern: bytes) -> None:
    found = [
        f"{name}:{number}: {what}"
        for name in tracked()
        for number, line in enumerate((ROOT / name).read_bytes().splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert found == []


def test_only_the_command_line_prints() -> None:
    printing = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules()
        if path.relative_to(ROOT).parts[1] != "cli"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"print", "pprint"}
    ]
    assert printing == []


def test_modules_are_named_after_what_they_own() -> None:
    assert [str(path.relative_to(ROOT)) for path in modules() if path.stem in VAGUE] == []


def test_every_module_says_what_it_owns() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in modules()
        if path.name != "__init__.py"
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_constraints_pin_names_and_versions_only() -> None:
    pin = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*(?: ; [a-z_]+ (?:==|!=|<|>=) '[A-Za-z0-9.]+')?")
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines
    assert [line for line in lines if not pin.fullmatch(line)] == []
