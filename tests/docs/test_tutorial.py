"""The tutorial, played by a shell in an empty folder: each command prints what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.pages import DOCS, ROOT, Block, blocks

PAGE = DOCS / "tutorial.md"
END = "<end of the command>"
# What bash says of a background job that was killed, whenever it notices.
JOB_NOTICE = re.compile(r"bash: line \d+: +\d+ Killed ")
# A command that only looks may look a moment too early; it looks again.
LOOKS = ("lockstep show", "lockstep list", "lockstep history")
PATIENCE_SECONDS = 15.0


class Command(NamedTuple):
    """A command of a console block and the lines it is said to print."""

    place: str
    text: str
    printed: list[str]


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block, in order."""
    found: Command | None = None
    for line in block.text.splitlines():
        if line.startswith("$ "):
            if found is not None:
                yield found
            found = Command(str(block), line[2:], [])
        else:
            assert found is not None, block
            found.printed.append(line)
    if found is not None:
        yield found


class Shell:
    """A bash that plays one command after another."""

    def __init__(self, folder: Path) -> None:
        (folder / "bin").mkdir()
        lockstep = f'exec {shlex.quote(sys.executable)} -m engine.cli.main "$@"\n'
        (folder / "bin/lockstep").write_text(f"#!/bin/sh\n{lockstep}", encoding="utf-8")
        (folder / "bin/lockstep").chmod(0o755)
        self.folder = folder
        path = f"{folder / 'bin'}:{os.environ['PATH']}"
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env={"PATH": path, "HOME": str(folder), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def play(self, command: str) -> list[str]:
        """What a command prints, on both streams."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        keep = "__status=$?"
        end = f"echo '{END}'"
        restore = "(exit $__status)"
        self._bash.stdin.write(f"{command}\n{keep}; {end}; {restore}\n")
        self._bash.stdin.flush()
        lines = []
        for line in self._bash.stdout:
            if line.rstrip("\n") == END:
                return lines
            if not JOB_NOTICE.match(line):
                lines.append(line.rstrip("\n"))
        raise AssertionError(f"the shell ended in: {command}")

    def close(self) -> None:
        """End it with all that it started."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write("kill -9 $(jobs -p) 2>/dev/null; wait 2>/dev/null\nexit\n")
        self._bash.stdin.close()
        self._bash.wait(timeout=10)
        self._bash.stdout.close()


def matches(printed: list[str], stated: list[str]) -> bool:
    """Whether lines are as the page says. `…` is anything, alone on a line any lines."""
    pattern = "".join(
        r"(?:[^\n]*\n)*" if line.strip() == "…" else _line(line) + r"\n" for line in stated
    )
    words = "".join(" ".join(line.split()) + "\n" for line in printed)
    return re.fullmatch(pattern, words) is not None


def _line(line: str) -> str:
    parts = [re.escape(" ".join(part.split())) for part in line.split("…")]
    return r"[^\n]*".join(parts)


def test_what_matches() -> None:
    assert matches(["a   b 7", "c"], ["a b …", "c"])
    assert matches(["x", "y", "z"], ["…", "z"])
    assert not matches(["a"], ["b"])
    assert not matches(["a", "b"], ["a"])


@pytest.mark.timeout(120)
def test_tutorial_plays(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    try:
        for block in blocks(PAGE):
            file = block.value("file")
            if file is not None:
                (tmp_path / "shop" / file).write_text(block.text, encoding="utf-8")
            if block.language == "console" and "untested" not in block.words:
                for command in commands(block):
                    play(shell, command)
    finally:
        shell.close()


def play(shell: Shell, command: Command) -> None:
    """Play one command and compare; one that only looks may look again."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        printed = shell.play(command.text)
        if matches(printed, command.printed):
            return
        if not command.text.startswith(LOOKS) or time.monotonic() > deadline:
            stated, came = "\n".join(command.printed), "\n".join(printed)
            pytest.fail(f"{command.place}: {command.text}\n-- stated\n{stated}\n-- printed\n{came}")
