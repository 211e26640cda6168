"""The type an expression must have, and operands that can never fit, without evaluating it.

What paths hold is not known here; who knows it (from schemas) passes `kinds`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from jinja2 import nodes

from engine.errors import ExpressionError
from engine.expr.bounds import kind_of
from engine.expr.filters import FILTERS
from engine.expr.functions import FUNCTIONS
from engine.expr.parse import Path, path_of, place_of

Kinds: TypeAlias = Callable[[Path], str | None]
"""What a path holds: boolean, number, string, list, mapping, null, or None when unknown."""


def unknown(path: Path) -> None:
    """Know nothing about any path."""


_BOOLEAN = (nodes.Compare, nodes.Not, nodes.Test)
_NUMBER = (nodes.Neg, nodes.Pos, nodes.Sub, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow)
_LIST = (nodes.List, nodes.Tuple)
_BY_NODE: tuple[tuple[tuple[type[nodes.Node], ...], str], ...] = (
    (_BOOLEAN, "boolean"),
    (_NUMBER, "number"),
    ((nodes.Concat,), "string"),
    (_LIST, "list"),
    ((nodes.Dict,), "mapping"),
)


def static_type(node: nodes.Node | None, kinds: Kinds = unknown) -> str | None:
    """Return boolean, number, string, list, mapping or null; None when it depends on data."""
    for types, kind in _BY_NODE:
        if isinstance(node, types):
            return kind
    if isinstance(node, nodes.Const):
        return kind_of(node.value)
    if isinstance(node, (nodes.And, nodes.Or)):
        return _common(node.left, node.right, kinds)
    if isinstance(node, nodes.CondExpr):
        return _common(node.expr1, node.expr2, kinds)
    if isinstance(node, nodes.Filter):
        return _filtered(node, kinds)
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        function = FUNCTIONS.get(node.node.name)
        return function.result if function else None
    if isinstance(node, (nodes.Add, nodes.Mul)):
        return _calculated(node, kinds)
    path = None if node is None else path_of(node)
    return None if path is None else kinds(path)


def _common(left: nodes.Node | None, right: nodes.Node | None, kinds: Kinds) -> str | None:
    kind = static_type(left, kinds)
    return kind if kind == static_type(right, kinds) else None


def _filtered(node: nodes.Filter, kinds: Kinds) -> str | None:
    if node.name == "reverse":
        return static_type(node.node, kinds)
    if node.name == "default":
        return _common(node.node, node.args[0], kinds) if node.args else None
    operation = FILTERS.get(node.name)
    return operation.result if operation else None


def _calculated(node: nodes.Add | nodes.Mul, kinds: Kinds) -> str | None:
    left, right = static_type(node.left, kinds), static_type(node.right, kinds)
    if isinstance(node, nodes.Add):
        # Both sides of `+` have one type, whichever it is.
        return left or right
    for kind in ("string", "list"):
        if kind in (left, right):
            return kind
    return "number" if left == right == "number" else None


def misfits(source: str, node: nodes.Node, kinds: Kinds = unknown) -> Iterator[ExpressionError]:
    """Find the operators whose operands can never fit (E231), innermost first."""
    for child in node.iter_child_nodes():
        yield from misfits(source, child, kinds)
    if isinstance(node, nodes.BinExpr) and not isinstance(node, (nodes.And, nodes.Or)):
        yield from _arithmetic(source, node, kinds)
    elif isinstance(node, nodes.Compare):
        left = node.expr
        for operand in node.ops:
            yield from _comparison(source, node, operand.op, (left, operand.expr), kinds)
            left = operand.expr


def _error(source: str, node: nodes.Node, message: str, **more: Any) -> ExpressionError:
    offset, length = place_of(node)
    return ExpressionError(
        message, source=source, offset=offset, length=length, diagnostic="E231", **more
    )


def _named(kind: str) -> str:
    return kind if kind == "null" else f"a {kind}"


def _arithmetic(source: str, node: nodes.BinExpr, kinds: Kinds) -> Iterator[ExpressionError]:
    found = (static_type(node.left, kinds), static_type(node.right, kinds))
    allowed = ("number", "string", "list") if node.operator in ("+", "*") else ("number",)
    for kind in found:
        if kind is not None and kind not in allowed:
            mend = "`~` joins text" if kind == "string" else None
            yield _error(source, node, f"`{node.operator}` does not take {_named(kind)}", mend=mend)
            return
    left, right = found
    if left is None or right is None:
        return
    fits = left == right if node.operator == "+" else "number" in found
    if not fits:
        yield _error(
            source,
            node,
            f"`{node.operator}` does not take {_named(left)} and {_named(right)}",
            mend="`~` joins text" if "string" in found else None,
        )


_SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}


def _comparison(
    source: str,
    node: nodes.Compare,
    name: str,
    operands: tuple[nodes.Expr, nodes.Expr],
    kinds: Kinds,
) -> Iterator[ExpressionError]:
    left, right = (static_type(operand, kinds) for operand in operands)
    sign = _SIGNS.get(name)
    if left is None or right is None or sign is None:
        return
    if sign in ("==", "!="):
        # Anything may be null where a schema says otherwise of the value that is there.
        if left == right or "null" in (left, right):
            return
        message = f"{_named(left)} and {_named(right)} are never equal"
    elif left == right and left in ("number", "string"):
        return
    else:
        message = f"`{sign}` does not compare {_named(left)} with {_named(right)}"
    cast = "`| int`" if {left, right} == {"number", "string"} else None
    yield _error(source, node, message, mend=cast)
