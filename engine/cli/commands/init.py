"""`lockstep init`: a project that runs at once."""

from __future__ import annotations

from pathlib import Path

import click

from engine.cli.exits import OK, CommandFailed
from engine.cli.output import say

SETTINGS = """\
# The settings of this project; `lockstep doctor` shows what they come to.
database = "sqlite:///.lockstep/lockstep.db"
workflows = "workflows"
activities = ["activities"]
"""

WORKFLOW = """\
# yaml-language-server: $schema=schemas/workflow.schema.json
dsl: 1
name: hello
version: "1.0.0"
title: Greet somebody
input_schema:
  type: object
  properties:
    name: { type: string, default: world }
steps:
  - id: greet
    activity: greet
    with: { name: "${{ input.name }}" }
    retry: { max_attempts: 3 }
  - log: ${{ steps.greet.output }}
output:
  greeting: ${{ steps.greet.output }}
"""

ACTIVITIES = '''\
"""The activities of this project: Python functions that workflows call."""

from engine import activity


@activity("greet")
async def greet(name: str) -> str:
    """Say hello. It may be called again after a crash, so it should do no harm twice."""
    return f"Hello, {name}!"
'''

IGNORED = ".lockstep/"


@click.command("init")
@click.argument("folder", default=".", type=click.Path(file_okay=False))
def command(folder: str) -> int:
    """Make a project that runs at once, in FOLDER (here if left out).

    Nothing that is there is changed, but for a line in .gitignore.
    """
    from engine.definition.json_schema import workflow_schema_text

    root = Path(folder)
    files = {
        "lockstep.toml": SETTINGS,
        "workflows/hello.yaml": WORKFLOW,
        "workflows/schemas/workflow.schema.json": workflow_schema_text(),
        "activities.py": ACTIVITIES,
    }
    try:
        for name, text in files.items():
            path = root / name
            if path.exists():
                say(f"kept    {path}")
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            say(f"wrote   {path}")
        _ignore(root / ".gitignore")
    except OSError as error:
        raise CommandFailed(f"{error.filename} cannot be written: {error.strerror}") from error
    say()
    say("Now:" if root == Path() else f"Now, in {root}:")
    say("  lockstep run hello -i name=Ann")
    say("  lockstep check")
    return OK


def _ignore(path: Path) -> None:
    """Keep the database out of Git."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if IGNORED in text.splitlines():
        return
    if text and not text.endswith("\n"):
        text += "\n"
    path.write_text(f"{text}{IGNORED}\n", encoding="utf-8")
    say(f"added   {IGNORED} to {path}")
