"""The bytes of a decision do not depend on where its texts came from."""

from __future__ import annotations

import json

from engine.graph.revision import canonical, load_graph
from engine.graph.steps import ActivityStep, ContinueAsNewStep, LogStep, StepGraph
from engine.history.codec import encode_event
from engine.history.events import ContinuedAsNew
from engine.interpreter.outcome import Renew, dump_outcome, load_outcome


def test_a_continue_as_new_out_of_a_snapshot_is_written_as_before() -> None:
    saved = json.loads(json.dumps(dump_outcome(Renew({"n": 1}, "policy"))))
    loaded = load_outcome(saved)
    assert isinstance(loaded, Renew)
    live = ContinuedAsNew(input={"n": 1}, version="policy")
    restored = ContinuedAsNew(input=loaded.input, version=loaded.version)
    assert encode_event(restored) == encode_event(live)


def test_defaults_written_out_in_a_graph_come_back_as_the_defaults_themselves() -> None:
    spelled = "".join
    graph = StepGraph(
        dsl=1,
        name="x",
        steps=(
            ActivityStep(id="a", activity="t.a", queue=spelled(["def", "ault"])),
            LogStep(id="l", text="", level=spelled(["in", "fo"])),  # type: ignore[arg-type]
            ContinueAsNewStep(id="c", version=spelled(["pol", "icy"])),
        ),
    )
    loaded = load_graph(canonical(graph)).steps
    assert isinstance(loaded[0], ActivityStep)
    assert loaded[0].queue is ActivityStep(id="b", activity="t.b").queue
    assert isinstance(loaded[2], ContinueAsNewStep)
    assert loaded[2].version is ContinuedAsNew().version
