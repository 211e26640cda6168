"""A program: one step graph made executable. Loaded once per revision, shared by all executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.graph import steps as kinds
from engine.interpreter.kinds.activity import ActivityNode
from engine.interpreter.kinds.block import RootNode, TryNode
from engine.interpreter.kinds.branches import ParallelNode, RaceNode
from engine.interpreter.kinds.child import StartNode, WorkflowNode
from engine.interpreter.kinds.choice import ChoiceNode
from engine.interpreter.kinds.do import DoNode
from engine.interpreter.kinds.foreach import ForeachNode
from engine.interpreter.kinds.loop import LoopNode
from engine.interpreter.kinds.mailbox import SignalNode, WaitNode
from engine.interpreter.kinds.plain import (
    ContinueAsNewNode,
    LogNode,
    RaiseNode,
    ReturnNode,
    SetNode,
    StatusNode,
)
from engine.interpreter.kinds.timing import SleepNode
from engine.interpreter.node import Node, Sequence, StepNode
from engine.values.schema import Problem, Schema

if TYPE_CHECKING:
    from engine.values.json import Json

KINDS: dict[type, Any] = {
    kinds.ActivityStep: ActivityNode,
    kinds.WorkflowStep: WorkflowNode,
    kinds.StartStep: StartNode,
    kinds.SetStep: SetNode,
    kinds.DoStep: DoNode,
    kinds.IfStep: ChoiceNode,
    kinds.SwitchStep: ChoiceNode,
    kinds.ForeachStep: ForeachNode,
    kinds.LoopStep: LoopNode,
    kinds.ParallelStep: ParallelNode,
    kinds.RaceStep: RaceNode,
    kinds.TryStep: TryNode,
    kinds.SleepStep: SleepNode,
    kinds.WaitStep: WaitNode,
    kinds.SignalStep: SignalNode,
    kinds.RaiseStep: RaiseNode,
    kinds.ReturnStep: ReturnNode,
    kinds.ContinueAsNewStep: ContinueAsNewNode,
    kinds.LogStep: LogNode,
    kinds.StatusStep: StatusNode,
}


class Builder:
    """Makes nodes out of steps; numbers them in the order of the graph."""

    def __init__(self, graph: kinds.StepGraph) -> None:
        self.graph = graph
        self.nodes: list[Node] = []
        self.undoing = False

    def register(self, node: Node) -> int:
        """The index of a new node."""
        self.nodes.append(node)
        return len(self.nodes) - 1

    def sequence(self, steps: tuple[kinds.Step, ...], *, undo: bool = False) -> Sequence:
        """Steps one after another; inside an undo, steps are retried by default."""
        outside, self.undoing = self.undoing, self.undoing or undo
        sequence = Sequence(self)
        sequence.steps = tuple(self.step(step) for step in steps)
        self.undoing = outside
        return sequence

    def step(self, step: kinds.Step) -> StepNode:
        """One step."""
        node: StepNode = KINDS[type(step)](self, step)
        return node


class Program:
    """What an execution runs on. Immutable."""

    def __init__(self, graph: kinds.StepGraph) -> None:
        self.graph = graph
        self.input_schema = Schema(graph.input_schema)
        self.output_schema = Schema(graph.output_schema)
        self.signals = {
            name: Schema(declared.payload_schema) for name, declared in graph.signals.items()
        }
        builder = Builder(graph)
        self.root = RootNode(builder)
        self.nodes = builder.nodes

    def refused_signal(self, name: str, payload: Json) -> Problem | None:
        """Why instances of this program do not take a signal, or None."""
        schema = self.signals.get(name)
        if schema is None:
            known = ", ".join(f"`{one}`" for one in self.signals) or "none"
            return Problem("/", f"`{self.graph.name}` does not declare it; declared: {known}")
        return schema.problem(payload)

    def refused_output(self, value: Json) -> str | None:
        """Why this cannot be the workflow's output, or None."""
        problem = self.output_schema.problem(value)
        return None if problem is None else f"output refused at `{problem.path}`: {problem.message}"
