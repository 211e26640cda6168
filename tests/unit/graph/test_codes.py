"""Every code that compiling can find fails and passes in some chunk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHUNKS = Path(__file__).parents[2] / "diagnostics"
CHECKS = Path(__file__).parents[3] / "engine" / "graph"
FOUND_BY_EXPRESSIONS = {"E221", "E222", "E223", "E230"}


def codes() -> list[str]:
    """The codes that stand in the package's source."""
    found = {
        code
        for path in CHECKS.rglob("*.py")
        for code in re.findall(r'"([EW]\d{3})"', path.read_text(encoding="utf-8"))
    }
    # Its files cannot be followed to a mistake from a text alone: tests/unit/graph/test_schemas.py.
    return sorted((found | FOUND_BY_EXPRESSIONS) - {"E110"})


@pytest.mark.parametrize("code", codes())
def test_a_chunk_fails_and_a_chunk_passes(code: str) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(CHUNKS.glob("graph-*.yaml")))
    chunks = re.split(r"^---\n", text.replace("\n# ", "\n---\n# "), flags=re.MULTILINE)
    assert any(f"### {code}" in chunk for chunk in chunks)
    passing = [chunk for chunk in chunks if re.match(rf"# {code} passes", chunk)]
    assert passing
    assert all("###" not in chunk for chunk in passing)
