"""The real command: `lockstep dev` beside other commands, and `lockstep rebase`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dev.project import definition

ROOT = Path(__file__).parents[2]
MODULE = """from engine import activity


@activity
async def say(text: str) -> str:
    return text
"""


class Terminal:
    """A project folder, `lockstep dev` in one terminal, commands in another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("LOCKSTEP")},
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
        }
        self.lines: list[str] = []
        self.dev = subprocess.Popen(
            [sys.executable, "-m", "engine.cli.main", "dev"],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def read_until(self, beginning: str) -> str:
        """The next line of the session that begins so."""
        assert self.dev.stderr is not None
        for line in self.dev.stderr:
            self.lines.append(line.rstrip("\n"))
            if line.startswith(beginning):
                return line.removeprefix(beginning).strip()
        raise AssertionError(f"no line begins with {beginning!r}: {self.lines}")

    def call(self, *arguments: str, code: int = 0, database: str | None = None) -> Any:
        place = database or f"sqlite:///{self.folder}/.lockstep/dev.db"
        said = subprocess.run(
            [sys.executable, "-m", "engine.cli.main", *arguments],
            cwd=self.folder,
            env={**self.environment, "LOCKSTEP_DATABASE": place},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert said.returncode == code, said.stderr
        return json.loads(said.stdout) if "json" in arguments else said.stdout + said.stderr

    def stop(self) -> int:
        self.dev.send_signal(signal.SIGTERM)
        assert self.dev.stderr is not None
        self.lines += self.dev.stderr.read().splitlines()
        return self.dev.wait(30)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "order.yaml").write_text(definition())
    (tmp_path / "activities.py").write_text(MODULE)
    made = Terminal(tmp_path)
    yield made
    made.dev.kill()
    made.dev.communicate()


def test_edit_save_run(terminal: Terminal) -> None:
    """A save, a mistake, its repair, a module, and the instances meanwhile; then a hot fix."""
    path = terminal.folder / "workflows" / "order.yaml"
    first = terminal.read_until("saved: order ")
    terminal.call("start", "order", "--id", "old", "-o", "json")
    path.write_text(definition().replace("wait: go", "wait: nobody"))
    assert "order.yaml" in terminal.read_until("refused: ")
    assert any("E" in line and "nobody" in line for line in terminal.lines), terminal.lines
    path.write_text(definition(text="second"))
    second = terminal.read_until("saved: order ")
    terminal.call("start", "order", "--id", "new", "-o", "json")
    shown = {one["instance_id"]: one["version"] for one in terminal.call("list", "-o", "json")}
    assert shown == {"old": first, "new": second}
    (terminal.folder / "activities.py").write_text("import nothing_of_that_name\n")
    assert "nothing_of_that_name" in terminal.read_until("activities do not import")
    told = terminal.call("rebase", "order", "--to", second, "--dry-run", "-o", "json")
    assert {one["instance_id"]: one["result"] for one in told} == {
        "old": "compatible",
        "new": "there",
    }
    told = terminal.call("rebase", "order", "--to", second, "-o", "json")
    assert {one["result"] for one in told} == {"moved", "there"}
    for instance_id in ("old", "new"):
        terminal.call("signal", instance_id, "go")
        assert "completed" in terminal.call("watch", instance_id)
        assert terminal.call("show", instance_id, "-o", "json")["output"] == "second"
    path.unlink()
    terminal.read_until("gone: workflows/order.yaml")
    assert terminal.stop() == 0
    assert terminal.lines[-1] == "stopped"


def test_a_database_in_use_is_refused(terminal: Terminal) -> None:
    terminal.read_until("saved: order ")
    assert terminal.stop() == 0
    production = f"sqlite:///{terminal.folder}/production.db"
    terminal.call("deploy", database=production)
    said = terminal.call("dev", "--database", production, code=1)
    assert "is no development store" in said


def test_a_version_made_by_a_save_is_deployed_nowhere_else(terminal: Terminal) -> None:
    path = terminal.folder / "workflows" / "order.yaml"
    version = terminal.read_until("saved: order ")
    assert terminal.stop() == 0
    path.write_text(definition(version=version))
    production = f"sqlite:///{terminal.folder}/production.db"
    said = terminal.call("deploy", code=1, database=production)
    assert "is a development version" in said
