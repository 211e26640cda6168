"""The page of releases lists the rules and codes there are."""

from __future__ import annotations

from pathlib import Path

from engine.gitops.codes import RELEASING
from engine.gitops.compat import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "releases.md").read_text(encoding="utf-8")


def test_every_rule_stands_in_the_table() -> None:
    rows = [f"| {text} | {bump} | `{name}` |" for name, (bump, text) in RULES.items()]
    assert [row for row in rows if row not in PAGE.splitlines()] == []


def test_every_code_stands_in_the_table() -> None:
    rows = [f"| `{one.code}` | {one.finds} | {one.mend} |" for one in RELEASING]
    assert [row for row in rows if row not in PAGE.splitlines()] == []
