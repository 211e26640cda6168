"""Every history that any release recorded replays on this build, whole and from every snapshot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.graph.revision import load_graph
from engine.history.codec import is_fact, split_page
from engine.history.events import FACTS, Decision
from engine.interpreter import snapshot
from engine.interpreter.execution import Execution
from engine.interpreter.program import KINDS, Program
from engine.interpreter.replay import replay, replay_steps

RECORDED = sorted(Path(__file__).parent.glob("*/*.json"))


def read(path: Path) -> tuple[Program, list[bytes]]:
    """The program and the pages of one recording."""
    held = json.loads(path.read_text(encoding="utf-8"))
    graph = load_graph(json.dumps(held["graph"]).encode())
    return Program(graph), [page.encode() for page in held["pages"]]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_replays(path: Path) -> None:
    program, pages = read(path)
    events = [event for page in pages for event in split_page(page)]
    run = replay(program, pages)
    assert run.seq == len(events)
    steps = replay_steps(Execution(program), pages)
    saved = [snapshot.dump(at) if at.ended is None else None for at in steps]
    assert len(saved) == sum(map(is_fact, events)) == len(pages)
    for number, state in enumerate(saved, 1):
        if state is not None:
            again = replay(program, pages[number:], saved=state)
            assert (again.seq, again.ended) == (run.seq, run.ended)


def test_every_kind_of_step_and_event_is_recorded() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in RECORDED)
    steps = {str(kind.__struct_config__.tag) for kind in KINDS}
    assert {kind for kind in steps if f'"kind": "{kind}"' not in text} == set()
    events = {str(kind.__struct_config__.tag) for kind in (*FACTS, *Decision.__args__)}
    assert {kind for kind in events if f'\\"kind\\":\\"{kind}\\"' not in text} == set()
