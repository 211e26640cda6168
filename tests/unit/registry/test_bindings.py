"""The versions that a graph names by their whole number."""

from __future__ import annotations

from engine.client.deploying import compile_text
from engine.registry.bindings import exact_bindings

TEXT = """
dsl: 1
name: parent
version: 1.0.0
steps:
  - workflow: a@1.0.0
  - workflow: a@^1
  - workflow: b
  - parallel:
      one: [{ start: c/d@2.0.0-rc.1 }]
      two:
        - try: [{ workflow: a@1.0.0 }]
          catch: [{ steps: [{ workflow: e@3.0.0 }] }]
  - if: ${{ input is defined }}
    then:
      - continue_as_new: null
        version: 2.0.0
    else:
      - continue_as_new: null
        version: ^1
"""


def test_steps_at_any_depth_count_and_ranges_do_not() -> None:
    assert exact_bindings(compile_text(TEXT).graph) == [
        ("a", "1.0.0"),
        ("c/d", "2.0.0-rc.1"),
        ("e", "3.0.0"),
        ("parent", "2.0.0"),
    ]
