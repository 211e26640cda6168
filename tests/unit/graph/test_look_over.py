"""A file whose form is refused still has all its expressions looked at."""

from __future__ import annotations

from pathlib import Path

from engine.client.deploying import compile_path

TEXT = """\
dsl: 1
name: bad
version: "1.0.0"
steps:
  - rase: { x: 1 }
  - when: ${{ input.a && input.b }}
    log: "${{ input.x | lenght }}"
  - log: ${{ input.y }}
    nonsense: ${{ a || b }}
"""


def test_one_run_tells_of_form_and_expressions(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(TEXT)
    candidates, found = compile_path(file)
    assert candidates == []
    assert [(one.span.line, one.code) for one in found] == [
        (5, "E203"),
        (6, "E222"),
        (7, "E222"),
        (9, "E205"),
    ]
