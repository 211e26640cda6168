"""Hostile files and inputs on the command line: a message and an exit code, never a traceback."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.badinput.corpus import FILES
from tests.runtime.rig import workflow

SAMPLE = (
    "alias bomb of lists",
    "python tag",
    "depth 100k of lists",
    "bad UTF-8",
    "NUL",
    "binary",
    "ten megabytes",
    "control characters",
    "duplicate key",
    "expression of depth",
)
GOOD = workflow(
    "input_schema: { type: object, properties: { n: { type: integer } } }\n"
    "steps:\n  - log: hi\noutput: ${{ input.n | default(1) }}\n"
)


async def lockstep(folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from engine.cli.main import main; main()",
        *arguments,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path.cwd()), "HOME": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "workflows"
    folder.mkdir()
    (folder / "main.yaml").write_text(GOOD)
    return tmp_path


async def test_check_deploy_and_run_refuse_hostile_files(project: Path) -> None:
    for name in SAMPLE:
        (project / "workflows" / "bad.yaml").write_bytes(FILES[name])
        for command in (("check",), ("deploy",), ("run", "bad")):
            if command[0] != "check" and name not in SAMPLE[:3]:
                continue
            code, out, err = await lockstep(project, *command)
            assert code in (1, 2, 8), (name, command, err)
            assert "Traceback" not in out + err
            assert "bad.yaml:" in out + err, (name, command)
            assert "\x1b[31m" not in out + err
    (project / "workflows" / "bad.yaml").unlink()
    code, out, err = await lockstep(project, "run", "main")
    assert (code, out.strip()) == (0, "1"), err


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("{", 2),
        ("[" * 100_000, 2),
        ('{"n": "x"}', 2),
        ('{"n": NaN}', 2),
        ('{"n": 1e999}', 2),
        ('"\\ud800"', 2),
        ("[1]", 2),
    ],
    ids=range(7),
)
async def test_run_refuses_input_that_is_none(given: str, code: int, project: Path) -> None:
    found, out, err = await lockstep(project, "run", "main", "--input", given)
    assert found == code, err
    assert out == ""
    assert "Traceback" not in err
    assert len(err) < 3_000


async def test_a_database_that_cannot_be_is_exit_75(project: Path) -> None:
    """D7: a clear message and no file left behind."""
    before = files(project)
    url = f"sqlite:///{project}/nowhere/deep/db"
    for command in (("run", "main"), ("list",), ("deploy",), ("worker",)):
        code, _, err = await lockstep(project, *command, "--database", url)
        assert code == 75, (command, err)
        assert "nowhere" in err
        assert "Traceback" not in err
    assert files(project) == before
