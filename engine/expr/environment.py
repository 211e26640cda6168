"""Jinja's sandbox, closed: our tables instead of its own, and a code generator of our own.

Rule 1: the generated code does nothing by itself. Every operation, even `==` and a list literal,
is a call into the `Evaluation`, which counts, checks and knows the place.
Rule 2: nothing is evaluated while compiling: the optimizer is off and every operator intercepted.
"""

# ruff: noqa: N802, N815 - the visitor's method names are Jinja's
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.expr.filters import FILTERS
from engine.expr.predicates import PREDICATES

RESULT = "_result"

Render = Callable[[Any], Iterator[str]]


class _Generator(CodeGenerator):
    """Writes each node as a call of the evaluation, with the node's packed place."""

    def _do(self, node: nodes.Node, frame: Frame, operation: str, *operands: Any) -> None:
        """Write `context.do(place, operation, …)`; text operands stand as literals."""
        self.write(f"context.do({node.lineno}, {operation!r}")
        for operand in operands:
            self.write(", ")
            if isinstance(operand, nodes.Node):
                self.visit(operand, frame)
            else:
                self.write(repr(operand))
        self.write(")")

    def visit_Name(self, node: nodes.Name, frame: Frame) -> None:
        if node.ctx == "load":
            self.write(f"context.whole_root({node.lineno}, {node.name!r})")
        else:
            super().visit_Name(node, frame)

    def _base(self, node: nodes.Expr, frame: Frame) -> None:
        if isinstance(node, nodes.Name):
            self.write(f"context.root({node.lineno}, {node.name!r})")
        else:
            self.visit(node, frame)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        self.write(f"context.item({node.lineno}, ")
        self._base(node.node, frame)
        self.write(f", {node.attr!r})")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        if isinstance(node.arg, nodes.Slice):
            cut = node.arg
            self._do(node, frame, "slice", node.node, cut.start, cut.stop, cut.step)
            return
        self.write(f"context.item({node.lineno}, ")
        self._base(node.node, frame)
        self.write(", ")
        self.visit(node.arg, frame)
        self.write(")")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:
        self._do(node, frame, "list", *node.items)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:
        self._do(node, frame, "list", *node.items)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        parts = [part for pair in node.items for part in (pair.key, pair.value)]
        self._do(node, frame, "mapping", *parts)

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        names = tuple(operand.op for operand in node.ops)
        self.write(f"context.do({node.lineno}, 'compare', {names!r}, ")
        self.visit(node.expr, frame)
        for operand in node.ops:
            self.write(", lambda: ")
            self.visit(operand.expr, frame)
        self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self._do(node, frame, "concat", *node.nodes)

    def _binary(self, node: nodes.BinExpr, frame: Frame) -> None:
        self._do(node, frame, "binary", node.operator, node.left, node.right)

    def _unary(self, node: nodes.UnaryExpr, frame: Frame) -> None:
        self._do(node, frame, "unary", node.operator, node.node)

    visit_Add = visit_Sub = visit_Mul = visit_Div = _binary
    visit_FloorDiv = visit_Mod = visit_Pow = _binary
    visit_Neg = visit_Pos = _unary

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:
        self._apply(node, frame, "filter", node.name)

    def visit_Test(self, node: nodes.Test, frame: Frame) -> None:
        self._apply(node, frame, "test", node.name)

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        self._apply(node, frame, "call", node.node.name)  # type: ignore[attr-defined] # checked

    def _apply(self, node: Any, frame: Frame, method: str, name: str) -> None:
        self.write(f"context.{method}({node.lineno}, {name!r}")
        operands = node.args if method == "call" else [node.node, *node.args]
        for operand in operands:
            self.write(", ")
            self.visit(operand, frame)
        # As a dict: a name such as `class` is no keyword argument of Python's.
        self.write(", **{")
        for keyword in node.kwargs:
            self.write(f"{keyword.key!r}: ")
            self.visit(keyword.value, frame)
            self.write(", ")
        self.write("})")


class _Environment(ImmutableSandboxedEnvironment):
    code_generator_class = _Generator
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """No attribute is: expressions read items only."""
        return False

    def is_safe_callable(self, obj: Any) -> bool:
        """No object is: functions are called by name."""
        return False


def _build() -> _Environment:
    environment = _Environment(autoescape=False, optimized=False, cache_size=0)
    environment.filters = {name: operation.run for name, operation in FILTERS.items()}
    environment.tests = {name: operation.run for name, operation in PREDICATES.items()}
    environment.globals = {}
    return environment


ENVIRONMENT = _build()


def generate(tree: nodes.Expr) -> Render:
    """Compile a checked tree; the result stores its value as `vars[RESULT]` of the evaluation."""
    assign = nodes.Assign(nodes.Name(RESULT, "store", lineno=0), tree, lineno=0)
    template = nodes.Template([assign], lineno=0)
    template.set_environment(ENVIRONMENT)
    return ENVIRONMENT.from_string(template).root_render_func
