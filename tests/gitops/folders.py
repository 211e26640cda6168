"""A small project of workflows, and git commands that look at no configuration of the machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

ORDER = """\
# who pays what
dsl: 1
name: order
version: "1.2.0"   # raised by the tool
input_schema:
  type: object
  required: [id]
  properties:
    # the order's own number
    id: { $ref: schemas/id.json }
    note: { type: string }
steps:
  - id: pay
    activity: payments.charge
    timeout: 2m
  - id: done
    log: done
"""
BILLING = """\
dsl: 1
name: billing/order
version: 0.3.0
steps:
  - id: bill
    activity: billing.bill
    timeout: 1m
"""


def project(root: Path) -> Path:
    """A project with two workflows and a schema file; its workflow folder."""
    folder = root / "workflows"
    (folder / "schemas").mkdir(parents=True)
    (folder / "billing").mkdir()
    (folder / "order.yaml").write_text(ORDER)
    (folder / "billing" / "order.yaml").write_text(BILLING)
    (folder / "schemas" / "id.json").write_text('{"type": "string", "minLength": 1}')
    return folder


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = file.read_bytes().decode()
    assert old in text, text
    file.write_bytes(text.replace(old, new).encode())


def git(folder: Path, *words: str, check: bool = True) -> str:
    """Run git as nobody in particular."""
    done = subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-C", folder, *words],
        capture_output=True,
        text=True,
        check=False,
        env={"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": "/usr/bin:/bin"},
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def commit(folder: Path, message: str = "change") -> str:
    """Commit everything."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD").strip()


def repository(root: Path) -> Path:
    """A project in a git repository, not committed yet."""
    folder = project(root)
    git(root, "init", "-q", "-b", "main")
    return folder
