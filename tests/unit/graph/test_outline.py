"""Ids, static paths, and the way from a run-time path back to the file."""

from __future__ import annotations

import pytest

from tests.unit.graph.compiling import HEADER, compiled

BODY = """\
steps:
  - log: one
  - id: log_2
    log: two
  - log: three
  - id: place
    saga:
      - activity: a.b
        compensate: [ { activity: a.c } ]
    catch:
      - steps: [ { activity: a.d } ]
    finally: [ { activity: a.e } ]
  - id: shrink
    foreach: [1]
    steps:
      - id: thumb
        activity: a.b
  - parallel:
      one: [ { log: four } ]
      two: [ { log: five } ]
  - do: [ { log: again } ]
    retry: { max_attempts: 2 }
finally:
  - log: last
"""


def test_ids_and_paths() -> None:
    assert list(compiled(HEADER + BODY).places) == [
        "log",
        "log_2",
        "log_3",
        "place",
        "place/activity",
        "place/activity/activity",
        "place/activity_2",
        "place/activity_3",
        "shrink",
        "shrink/thumb",
        "parallel",
        "parallel/log",
        "parallel/log_3",
        "do",
        "do/log",
        "log_4",
    ]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("log_3", 8),
        ("shrink[17]/thumb", 19),
        ("place/catch[0]/activity_2", 14),
        ("place/activity/undo/activity", 12),
        ("parallel/two/log_3", 23),
        ("do#2/log", 24),
        ("finally/log_4", 27),
        ("place/nothing", 9),
        ("nothing", None),
    ],
)
def test_the_place_of_a_run_time_path(path: str, line: int | None) -> None:
    span = compiled(HEADER + BODY).place(path)
    assert (span.line if span else None) == line
