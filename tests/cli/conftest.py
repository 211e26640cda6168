"""A project to call `lockstep` in, and two ways to call it: in this process, and as a process."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main

WORKFLOWS = {
    "add": """
        dsl: 1
        name: add
        version: "1.0.0"
        input_schema:
          type: object
          properties: { a: { type: integer, default: 1 }, b: { type: integer, default: 2 } }
        steps:
          - id: sum
            activity: add
            with: { a: "${{ input.a }}", b: "${{ input.b }}" }
        output: ${{ steps.sum.output }}
    """,
    "fails": """
        dsl: 1
        name: fails
        version: "1.0.0"
        steps:
          - id: broken
            activity: fail
            with: { text: "no \\e[31mgood" }
    """,
    "waits": """
        dsl: 1
        name: waits
        version: "1.0.0"
        signals: { go: { schema: { type: object, required: [by] } } }
        steps:
          - id: wait
            wait: go
        output: ${{ steps.wait.output }}
    """,
    "naps": """
        dsl: 1
        name: naps
        version: "1.0.0"
        steps:
          - id: nap
            sleep: 1h
          - activity: add
            with: { a: 1, b: 1 }
    """,
}
ACTIVITIES = """
from engine import ActivityError, activity


@activity
async def add(a: int, b: int) -> int:
    print("an activity may print")
    return a + b


@activity
async def fail(text: str) -> None:
    raise ActivityError(text, type="shop.broken", retryable=False, details={"why": "test"})
"""


@dataclass(frozen=True)
class Said:
    """What a call left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """A project folder; `call` runs a command in this process, `start` begins a process."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def call(self, *arguments: str) -> Said:
        self.capture.readouterr()
        code = main.run(list(arguments))
        out, err = self.capture.readouterr()
        return Said(code, out, err)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "engine.cli.main", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        sys.modules.pop(path.stem, None)  # what was imported before is not what is there now
        return path


def undented(text: str) -> str:
    from textwrap import dedent

    return dedent(text).lstrip()


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Project]:
    """A project of four workflows and two activities; the working folder."""
    for name in list(os.environ):
        if name.startswith("LOCKSTEP_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    made = Project(tmp_path, capfd)
    for name, text in WORKFLOWS.items():
        made.write(f"workflows/{name}.yaml", undented(text))
    made.write("activities.py", ACTIVITIES)
    made.write("lockstep.toml", "")
    handlers, level = logging.root.handlers[:], logging.root.level
    yield made
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    sys.modules.pop("activities", None)


def until(holds: Callable[[], bool], *, seconds: float = 20) -> None:
    """Return once something another process does is seen; fail after so long."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def line_with(process: subprocess.Popen[str], text: str) -> str:
    """Read the process's stderr up to the line that holds a text."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if text in line:
            return line
    raise AssertionError(f"{text!r} is not among {seen}")
