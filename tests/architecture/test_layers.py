"""The contracts of pyproject.toml hold, and would be noticed if they did not."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READER = ROOT / "engine" / "definition" / "source.py"
TOUCHES_FILES = {
    "chmod", "exists", "expanduser", "glob", "is_dir", "is_file", "is_symlink",
    "iterdir", "lstat", "mkdir", "open", "read_bytes", "read_text", "resolve", "rglob", "rmdir",
    "stat", "touch", "unlink", "walk", "write_bytes", "write_text",
}  # fmt: skip
PURE = ("values", "expr", "history", "definition", "graph", "interpreter", "registry")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    """Our contracts over a house with nothing but one empty file in each room."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for room in (*PURE, "errors", "runtime", "storage", "cli"):
        folder = tmp_path / "engine" / room
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    (tmp_path / "engine" / "__init__.py").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("values/clock.py", "import time", "The core knows no clock"),
        ("interpreter/advance.py", "import asyncio", "The core knows no clock"),
        ("graph/resolve.py", "from pathlib import Path", "The core knows no clock"),
        ("definition/parse.py", "import os", "The core knows no clock"),
        ("values/retry.py", "import engine.graph", "Imports point one way"),
        ("graph/compile.py", "import engine.runtime", "Imports point one way"),
        ("history/codec.py", "import engine.expr", "Imports point one way"),
        ("helpers/__init__.py", "", "Imports point one way"),
        ("graph/compile.py", "import jinja2", "Only expr"),
        ("cli/check.py", "import ruamel.yaml", "Only definition"),
    ],
)
def test_a_breach_is_noticed(small_house: Path, file: str, line: str, contract: str) -> None:
    assert lint_imports(small_house).returncode == 0
    path = small_house / "engine" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{line}\n")
    result = lint_imports(small_house)
    assert result.returncode == 1
    assert any(
        row.startswith(contract) and row.endswith("BROKEN") for row in result.stdout.splitlines()
    ), result.stdout


@pytest.mark.parametrize("room", PURE)
def test_the_core_asks_no_clock(room: str) -> None:
    """`datetime` is welcome for its arithmetic; asking it for the time is not."""
    asked = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "engine" / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"datetime", "date"}
    ]
    assert asked == []


def test_one_file_of_definition_touches_files() -> None:
    """Its paths are values everywhere else; import contracts cannot tell the two apart."""
    touching = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "engine" / "definition").rglob("*.py"))
        if path != READER
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in TOUCHES_FILES)
            or (isinstance(node.func, ast.Name) and node.func.id == "open")
        )
    ]
    assert touching == []
