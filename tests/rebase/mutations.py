"""Random mutations of graphs, and which steps an execution has entered."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

import msgspec

from engine.graph import steps as g
from engine.interpreter.execution import Execution
from engine.values.duration import SECOND
from tests.property.programs import (
    BROKEN,
    CONDITIONS,
    POLICIES,
    WHERES,
    Choices,
    Place,
    Writer,
)

Steps = tuple[Any, ...]
Edit = Callable[[Choices, Steps, int], Steps]


class Traced(Execution):
    """An execution that remembers the ids of the steps it came to."""

    def __init__(self, program: Any) -> None:
        super().__init__(program)
        self.entered: set[str] = set()

    def start_step(self, step: Any, parent: Any) -> Any:
        self.entered.add(step.id)
        return super().start_step(step, parent)


class Mutation(msgspec.Struct, frozen=True):
    """A changed graph. Nothing is other than before until an execution comes to step `touched`."""

    kind: str
    touched: str | None
    graph: g.StepGraph


def step_ids(value: Any) -> list[str]:
    """The ids of all steps, in the order of the graph."""
    found = []
    if isinstance(value, g.StepBase):
        found.append(value.id)
    if isinstance(value, msgspec.Struct):
        value = [getattr(value, name) for name in value.__struct_fields__]
    if isinstance(value, list | tuple):
        found += [one for item in value for one in step_ids(item)]
    return found


def mutate(pick: Choices, graph: g.StepGraph, near: Container[str] | None = None) -> Mutation:
    """One random change; of one of the steps in `near`, if there are any."""
    if pick.once_in(12):
        return Mutation("workflow", None, _workflow(pick, graph))
    ids = step_ids(graph)
    touched = pick.of([one for one in ids if near is None or one in near] or ids)
    kind: str = pick.of(tuple(EDITS))

    def edit(steps: Steps, index: int) -> Steps:
        return EDITS[kind](pick, steps, index)

    return Mutation(kind, touched, _rewritten(graph, touched, edit))


def _rewritten(value: Any, at: str, edit: Callable[[Steps, int], Steps]) -> Any:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            if isinstance(item, g.StepBase) and item.id == at:
                return edit(value, index)
        return tuple(_rewritten(item, at, edit) for item in value)
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
        held = {name: getattr(value, name) for name in names}
        nested = {name: it for name, it in held.items() if isinstance(it, tuple)}
        return msgspec.structs.replace(
            value, **{name: _rewritten(it, at, edit) for name, it in nested.items()}
        )
    return value


def _workflow(pick: Choices, graph: g.StepGraph) -> g.StepGraph:
    change: dict[str, Any] = pick.of(
        (
            {"output": {"m": "${{ vars.n + 1 }}"}},
            {"vars": {"n": 1}},
            {"vars": {"n": 0, "more": 1}},
            {"timeout": 30 * SECOND if graph.timeout is None else None},
            {"input_schema": {"type": "object", "properties": {"n": {"type": "integer"}}}},
            {"input_schema": {"type": "object", "required": ["other"]}},
            {"finally_": () if graph.finally_ else _fresh(pick)},
            {"catch": () if graph.catch else (g.Clause(steps=_fresh(pick)),)},
        )
    )
    return msgspec.structs.replace(graph, **change)


def _fresh(pick: Choices) -> Steps:
    write = Writer(pick)
    write.count = 1_000 + pick.below(200)
    return (write.step(Place(depth=4, leaving=False)),)


def _removed(pick: Choices, steps: Steps, index: int) -> Steps:
    left = (*steps[:index], *steps[index + 1 :])
    return left or _fresh(pick)


def _inserted(pick: Choices, steps: Steps, index: int) -> Steps:
    return (*steps[:index], *_fresh(pick), *steps[index:])


def _appended(pick: Choices, steps: Steps, index: int) -> Steps:
    return (*steps[: index + 1], *_fresh(pick), *steps[index + 1 :])


def _replaced(pick: Choices, steps: Steps, index: int) -> Steps:
    return (*steps[:index], *_fresh(pick), *steps[index + 1 :])


def _renamed(pick: Choices, steps: Steps, index: int) -> Steps:
    named = msgspec.structs.replace(steps[index], id=f"{steps[index].id}x")
    return (*steps[:index], named, *steps[index + 1 :])


def _swapped(pick: Choices, steps: Steps, index: int) -> Steps:
    pair = steps[index : index + 2]
    return (*steps[:index], *reversed(pair), *steps[index + 2 :])


def _unwrapped(pick: Choices, steps: Steps, index: int) -> Steps:
    """A block becomes its body, or a step gets a block around it."""
    step = steps[index]
    body = getattr(step, "steps", None)
    if body is None:
        body = (g.DoStep(id=f"{step.id}w", steps=(step,)),)
    return (*steps[:index], *body, *steps[index + 1 :])


def _raced(pick: Choices, steps: Steps, index: int) -> Steps:
    """`parallel` becomes `race` and the other way; else a signal nobody asked for goes out."""
    step = steps[index]
    common = {"id": step.id, "when": step.when}
    other: Any
    if isinstance(step, g.ParallelStep):
        other = g.RaceStep(**common, branches=step.branches)
    elif isinstance(step, g.RaceStep):
        other = g.ParallelStep(**common, branches=step.branches)
    else:
        other = g.SignalStep(id=step.id, signal="ping", to="other")
    return (*steps[:index], other, *steps[index + 1 :])


FIELDS: dict[str, tuple[Any, ...]] = {
    "when": (None, *CONDITIONS[:4], BROKEN),
    "args": ({}, {"n": "${{ vars.n }}"}, {"n": "${{ vars.n + 1 }}"}),
    "retry": POLICIES,
    "timeout": (None, 2 * SECOND, 50 * SECOND),
    "continue_on_error": (True, False),
    "text": ("n is ${{ vars.n }}", "other"),
    "duration": ("5s", "6s"),
    "where": (None, *WHERES),
    "signal": ("ping", "pong"),
    "condition": CONDITIONS,
    "concurrency": (1, 2, 3),
    "max_failures": (0, 1, 9),
    "max_iterations": (1, 2, 5),
    "every": (None, 3 * SECOND),
    "join": (None, 1),
    "on_error": ("fail_fast", "wait_all"),
    "saga": (True, False),
    "compensate": ((), (g.ActivityStep(id="extra", activity="t.undo"),)),
    "finally_": ((), (g.LogStep(id="last", text="bye"),)),
    "type": ("net.down", "bank.declined"),
    "output": (msgspec.UNSET, "${{ vars.n }}"),
    "value": ({"n": "${{ vars.n }}"}, {"m": 1}),
    "workflow": ("kid", "kid_2"),
    "items": ([1, 2], [1, 2, 3]),
}


def _changed(pick: Choices, steps: Steps, index: int) -> Steps:
    step = steps[index]
    names = [name for name in step.__struct_fields__ if name in FIELDS]
    name = pick.of(names)
    value = pick.of(FIELDS[name])
    if name == "timeout" and isinstance(step, g.WaitStep):
        value = None if value is None else "8s"
    if name == "output" and isinstance(step, g.DoStep | g.TryStep) and value is msgspec.UNSET:
        value = "${{ vars.n + 1 }}"
    changed = msgspec.structs.replace(step, **{name: value})
    return (*steps[:index], changed, *steps[index + 1 :])


EDITS: dict[str, Edit] = {
    "changed": _changed,
    "changed again": _changed,
    "removed": _removed,
    "inserted": _inserted,
    "appended": _appended,
    "replaced": _replaced,
    "renamed": _renamed,
    "swapped": _swapped,
    "unwrapped": _unwrapped,
    "raced": _raced,
}
