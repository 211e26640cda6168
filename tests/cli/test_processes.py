"""Real processes: a worker, others that talk to it, signals, kill -9, start-up cost."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.cli import exits
from tests.cli.conftest import Project, line_with, until

SLOW = """
import asyncio, os, pathlib

from engine import activity


@activity(timeout="60s")
async def add(a: int, b: int) -> int:
    pathlib.Path("begun").touch()
    while not pathlib.Path("finish").exists():
        await asyncio.sleep(0.01)
    return a + b


@activity
async def fail(text: str) -> None: ...
"""


@contextmanager
def worker(project: Project, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A worker that is ready; killed at the end if it still lives."""
    process = project.start("worker", *options)
    try:
        line_with(process, "working on")
        yield process
    finally:
        process.kill()
        process.communicate()


def status(project: Project, instance_id: str) -> str:
    found: str = project.call("show", instance_id, "-o", "json").data["status"]
    return found


def test_others_talk_to_a_worker(project: Project) -> None:
    with worker(project) as process:
        assert project.call("run", "add", "-i", "a=4").out == "6\n"
        assert project.call("start", "waits", "--id", "w").out == "w\n"
        assert project.call("signal", "w", "nope").code == exits.USAGE
        assert project.call("signal", "w", "go", "by=3").code == exits.OK
        until(lambda: status(project, "w") == "completed")
        assert project.call("show", "w", "-o", "json").data["output"] == {"by": 3}
        assert project.call("start", "add", "--wait").out == "3\n"
        failed = project.call("start", "fails", "--wait")
        assert (failed.code, "at broken, attempt 1" in failed.err) == (exits.FAILED, True)
        for name, command, left in [("c", "cancel", "cancelled"), ("t", "terminate", "terminated")]:
            project.call("start", "naps", "--id", name)
            assert project.call(command, name, "--reason", "enough").code == exits.OK
            until(lambda name=name, left=left: status(project, name) == left)  # type: ignore[misc]
        second = project.call("worker")
        assert second.code == exits.UNAVAILABLE
        assert f"has a node already (process {process.pid})" in second.err
        assert "PostgreSQL" in second.err
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == exits.OK
    assert status(project, "w") == "completed"


def test_a_worker_lets_activities_finish(project: Project) -> None:
    project.write("activities.py", SLOW)
    with worker(project) as process:
        project.call("start", "add", "--id", "a")
        until((project.folder / "begun").exists)
        process.send_signal(signal.SIGINT)
        line_with(process, "stopping")
        (project.folder / "finish").touch()
        assert process.wait(10) == exits.OK
    assert status(project, "a") == "completed"


def test_a_second_signal_ends_a_worker_at_once(project: Project) -> None:
    project.write("activities.py", SLOW)
    with worker(project, "--grace", "600") as process:
        project.call("start", "add", "--id", "a")
        until((project.folder / "begun").exists)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)  # to the process and its group: one request
        line_with(process, "stopping")
        time.sleep(0.3)  # what is tested is that more than a moment lies between
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == exits.INTERRUPTED
    assert status(project, "a") == "running"


def test_ctrl_c_leaves_an_instance_that_goes_on(project: Project) -> None:
    project.write("activities.py", SLOW)
    process = project.start("run", "add", "--id", "a")
    until((project.folder / "begun").exists)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (exits.INTERRUPTED, "")
    assert "lockstep worker" in err
    assert "Traceback" not in err
    (project.folder / "finish").touch()
    with worker(project):
        until(lambda: status(project, "a") == "completed")
    assert project.call("replay", "a").code == exits.OK


def test_a_killed_run_is_taken_up_by_the_next(project: Project) -> None:
    project.write("activities.py", SLOW)
    process = project.start("run", "add", "--id", "a")
    until((project.folder / "begun").exists)
    process.kill()
    process.communicate()
    assert status(project, "a") == "running"
    assert project.call("doctor").out.count("warning") == 1  # no node is alive
    (project.folder / "finish").touch()
    project.write("activities.py", SLOW)
    said = project.call("run", "add", "--id", "a", "--on-duplicate", "return_existing")
    assert said.out == "3\n"


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_gets_a_tree(project: Project, colour: bool) -> None:
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    if not colour:
        environment["NO_COLOR"] = "1"
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli.main", "run", "add", "--id", "a"],
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=follower,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=30,
        check=False,
    )
    os.close(follower)
    drawn = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert (done.returncode, done.stdout) == (exits.OK, "3\n")
    assert "└── " in drawn
    assert "sum" in drawn
    assert ("\x1b[32m" in drawn) == colour


def test_a_reader_that_goes_away_is_no_error(project: Project) -> None:
    script = f"{sys.executable} -m engine.cli.main schema 2>err | head -c 1"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    shell = ["bash", "-o", "pipefail", "-c", script]
    done = subprocess.run(shell, env=environment, check=False)
    assert done.returncode == 0
    assert (project.folder / "err").read_text() == ""


HEAVY = {"asyncio", "jinja2", "rich", "msgspec", "ruamel", "jsonschema", "sqlite3", "logging"}
LOADED = """
import json, sys
from engine.cli import main
main.run({arguments!r})
print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """What keeps `lockstep --help` under 150 ms is what it does not import."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(arguments=arguments)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(("Usage: lockstep", "lockstep 0."))
    assert HEAVY.isdisjoint(json.loads(done.stderr))
