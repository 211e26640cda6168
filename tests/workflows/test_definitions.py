"""The project's own workflow files compile without a word, and call only what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import workflows
import workflows.activities
from engine.activities.registry import ActivityRegistry
from engine.definition.build import load_file
from engine.graph.compile import compile_document

FOLDER = Path(workflows.__file__).parent
FILES = sorted(FOLDER.glob("*.yaml"))


def test_the_files_are_all_there() -> None:
    assert [path.stem for path in FILES] == [
        "album-thumbnails",
        "create-image",
        "create-instance",
        "delete-instance",
        "hello",
        "instance-actor",
        "order-saga",
        "system-pruner",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_compiles_without_a_word(path: Path) -> None:
    loaded = load_file(path)
    assert loaded.document is not None, loaded.diagnostics
    compiled = compile_document(loaded.document)
    assert compiled.graph is not None
    assert compiled.diagnostics == ()


def test_workflows_call_every_activity_and_no_other() -> None:
    known = set(ActivityRegistry([workflows.activities]).names())
    called = {
        name
        for path in FILES
        for name in re.findall(r"activity: ([a-z_0-9]+[.][a-z_0-9.]+)", path.read_text())
    }
    assert called == known
