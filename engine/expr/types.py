"""The type an expression must have, where that can be proved without evaluating it."""

from __future__ import annotations

from jinja2 import nodes

from engine.expr.bounds import kind_of
from engine.expr.filters import FILTERS
from engine.expr.functions import FUNCTIONS


def static_type(node: nodes.Node | None) -> str | None:
    """Return boolean, number, string, list, mapping or null; None when it depends on data."""
    if isinstance(node, nodes.Const):
        return kind_of(node.value)
    if isinstance(node, (nodes.Compare, nodes.Not, nodes.Test)):
        return "boolean"
    if isinstance(node, nodes.Concat):
        return "string"
    if isinstance(node, (nodes.List, nodes.Tuple)):
        return "list"
    if isinstance(node, nodes.Dict):
        return "mapping"
    if isinstance(node, (nodes.And, nodes.Or)):
        return _common(node.left, node.right)
    if isinstance(node, nodes.CondExpr):
        return _common(node.expr1, node.expr2)
    if isinstance(node, nodes.Filter):
        return _filtered(node)
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        function = FUNCTIONS.get(node.node.name)
        return function.result if function else None
    return _calculated(node)


def _common(left: nodes.Node | None, right: nodes.Node | None) -> str | None:
    kind = static_type(left)
    return kind if kind == static_type(right) else None


def _filtered(node: nodes.Filter) -> str | None:
    if node.name in ("default", "reverse"):
        kind = static_type(node.node)
        if node.name == "reverse" or not node.args:
            return kind
        return kind if kind == static_type(node.args[0]) else None
    operation = FILTERS.get(node.name)
    return operation.result if operation else None


def _calculated(node: nodes.Node | None) -> str | None:
    if isinstance(node, (nodes.Neg, nodes.Pos)):
        return "number"
    if isinstance(node, (nodes.Sub, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow)):
        return "number"
    if isinstance(node, nodes.Add):
        # Both sides of `+` have one type, whichever it is.
        return static_type(node.left) or static_type(node.right)
    if isinstance(node, nodes.Mul):
        kinds = {static_type(node.left), static_type(node.right)}
        for kind in ("string", "list"):
            if kind in kinds:
                return kind
        return "number" if kinds == {"number"} else None
    return None
