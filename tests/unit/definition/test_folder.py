"""The workflow root, and names that follow from paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.definition.build import load_file, load_text
from tests.unit.definition.trees import WORKFLOW


def write(path: Path, *, name: str, version: str = "1.0.0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(WORKFLOW.replace("name: a", f"name: {name}").replace("1.0.0", version))
    return path


@pytest.mark.parametrize(
    ("markers", "path", "name"),
    [
        ([], "a.yaml", "a"),
        ([], "x/y/a.yaml", "a"),
        ([], "workflows/etl/extract.yaml", "etl/extract"),
        ([], "workflows/old/workflows/a.yaml", "a"),
        (["lockstep.toml"], "etl/extract.yaml", "etl/extract"),
        (["lockstep.toml"], "workflows/etl/extract.yaml", "etl/extract"),
        (["sub/lockstep.toml"], "sub/a.yaml", "a"),
        (["pyproject.toml"], "etl/a.yml", "etl/a"),
    ],
)
def test_the_name_is_the_path_below_the_workflow_folder(
    tmp_path: Path, markers: list[str], path: str, name: str
) -> None:
    for marker in markers:
        (tmp_path / marker).parent.mkdir(exist_ok=True)
        (tmp_path / marker).write_text("[tool.lockstep]\n")
    assert load_file(write(tmp_path / path, name=name)).diagnostics == ()
    found = load_file(write(tmp_path / path, name="other")).diagnostics
    assert [(one.code, one.span.line, one.span.column) for one in found] == [("E105", 2, 7)]
    assert f"write `name: {name}`" in str(found[0].mend)


def test_a_project_file_of_other_tools_is_no_marker(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    assert load_file(write(tmp_path / "etl" / "a.yaml", name="a")).diagnostics == ()


def test_a_broken_project_file_is_no_marker(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool\n")
    assert load_file(write(tmp_path / "etl" / "a.yaml", name="a")).diagnostics == ()


def test_a_frozen_copy_is_named_and_versioned_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "workflows" / "releases" / "etl" / "extract" / "2.1.0.yaml"
    assert load_file(write(path, name="etl/extract", version="2.1.0")).diagnostics == ()
    found = load_file(write(path, name="extract", version="2.1.1")).diagnostics
    assert [(one.code, one.span.line) for one in found] == [("E105", 2), ("E105", 3)]


def test_a_text_has_no_path_to_compare_with() -> None:
    assert load_text(WORKFLOW.replace("name: a", "name: any/thing")).diagnostics == ()
