"""The fast path: plain expressions as Python closures.

Rule 1: a closure answers only the ordinary case. On anything else, an undefined path, a type it
does not expect, a large operand, it raises whatever comes, and the whole expression is evaluated
by the generated code, which alone decides about errors: the two cannot disagree about a failure.
Rule 2: what draws from the ambient (`uuid()`) is not compiled here: evaluating twice is harmless.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias

from jinja2 import nodes

from engine.expr.parse import path_of

Closure: TypeAlias = Callable[[Any], Any]


class Unusual(Exception):
    """The fast path does not know this case."""


JSON_TYPES = frozenset({str, int, float, bool, type(None), list, dict})

_SCALARS = frozenset({str, bool, type(None)})
_NUMBERS = frozenset({int, float})
_LARGEST = 1 << 200
_SHORT = 4096
_FEW = 256

_ABSENT = object()


def compile_closure(node: nodes.Node) -> Closure | None:
    """Compile a checked tree, or return None when it needs the generated code."""
    path = path_of(node)
    if path is not None:
        return _path(path)
    build = _BUILDERS.get(type(node))
    return build(node) if build else None


def _path(path: tuple[Any, ...]) -> Closure:
    # A subscript of JSON with a string works on mappings alone, so no type is asked.
    match path:
        case (a,):
            return _root(a)
        case (a, b):
            return lambda scope: scope[a][b]
        case (a, b, c):
            return lambda scope: scope[a][b][c]
        case (a, b, c, d):
            return lambda scope: scope[a][b][c][d]

    def deep(scope: Any) -> Any:
        value: Any = scope
        for part in path:
            value = value[part]
        return value

    return deep


def _root(name: str) -> Closure:
    def root(scope: Any) -> Any:
        value = scope[name]
        # The scope may go on writing to a root (`vars`): a result must not change with it.
        return value.copy() if type(value) is dict else value

    return root


def _constant(node: nodes.Const) -> Closure:
    value = node.value
    return lambda scope: value


def _literal_list(node: nodes.List | nodes.Tuple) -> Closure | None:
    if not all(isinstance(item, nodes.Const) for item in node.items):
        return None
    value = [item.value for item in node.items if isinstance(item, nodes.Const)]
    return lambda scope: value


def _item(node: nodes.Getitem) -> Closure | None:
    base = compile_closure(node.node)
    key = compile_closure(node.arg)
    if base is None or key is None:
        return None

    def item(scope: Any) -> Any:
        container = base(scope)
        at = key(scope)
        if type(at) is int and type(container) is list:
            return container[at]
        if type(at) is str and type(container) is dict:
            return container[at]
        raise Unusual

    return item


def _and(node: nodes.And) -> Closure | None:
    left, right = compile_closure(node.left), compile_closure(node.right)
    if left is None or right is None:
        return None
    return lambda scope: left(scope) and right(scope)


def _or(node: nodes.Or) -> Closure | None:
    left, right = compile_closure(node.left), compile_closure(node.right)
    if left is None or right is None:
        return None
    return lambda scope: left(scope) or right(scope)


def _not(node: nodes.Not) -> Closure | None:
    inner = compile_closure(node.node)
    if inner is None:
        return None
    return lambda scope: not inner(scope)


def _choice(node: nodes.CondExpr) -> Closure | None:
    test, yes = compile_closure(node.test), compile_closure(node.expr1)
    no = compile_closure(node.expr2) if node.expr2 is not None else None
    if test is None or yes is None or no is None:
        return None
    return lambda scope: yes(scope) if test(scope) else no(scope)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def _calculation(node: nodes.BinExpr) -> Closure | None:
    left, right = compile_closure(node.left), compile_closure(node.right)
    if left is None or right is None:
        return None
    calculate = _ARITHMETIC[node.operator]

    def calculation(scope: Any) -> Any:
        mine = left(scope)
        theirs = right(scope)
        if type(mine) in _NUMBERS and type(theirs) in _NUMBERS:
            result = calculate(mine, theirs)
            # Infinity and NaN fail this too.
            if -_LARGEST < result < _LARGEST:
                return result
        raise Unusual

    return calculation


def _negative(node: nodes.Neg) -> Closure | None:
    inner = compile_closure(node.node)
    if inner is None:
        return None

    def negative(scope: Any) -> Any:
        value = inner(scope)
        if type(value) in _NUMBERS and -_LARGEST < value < _LARGEST:
            return -value
        raise Unusual

    return negative


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}


def _comparison(node: nodes.Compare) -> Closure | None:
    if len(node.ops) != 1:
        return None
    name = node.ops[0].op
    left, right = compile_closure(node.expr), compile_closure(node.ops[0].expr)
    if left is None or right is None:
        return None
    if name in ("eq", "ne"):
        return _equality(left, right, name == "eq")
    if name in ("in", "notin"):
        return _membership(left, right, name == "in")
    return _ordering(left, right, _ORDER[name])


def _ordering(left: Closure, right: Closure, order: Callable[[Any, Any], bool]) -> Closure:
    def ordering(scope: Any) -> bool:
        mine = left(scope)
        theirs = right(scope)
        kind, other = type(mine), type(theirs)
        if (kind in _NUMBERS and other in _NUMBERS) or (kind is str and other is str):
            return order(mine, theirs)
        raise Unusual

    return ordering


def _equality(left: Closure, right: Closure, wanted: bool) -> Closure:
    def equality(scope: Any) -> bool:
        mine = left(scope)
        theirs = right(scope)
        kind, other = type(mine), type(theirs)
        if kind is other:
            if kind in _SCALARS or kind in _NUMBERS:
                return (mine == theirs) is wanted
            raise Unusual
        if kind in _NUMBERS and other in _NUMBERS:
            return (mine == theirs) is wanted
        if kind in JSON_TYPES and other in JSON_TYPES:
            return not wanted
        raise Unusual

    return equality


def _membership(left: Closure, right: Closure, wanted: bool) -> Closure:
    def membership(scope: Any) -> bool:
        needle = left(scope)
        haystack = right(scope)
        if type(needle) is not str:
            raise Unusual
        kind = type(haystack)
        if (
            kind is dict
            or (kind is list and len(haystack) <= _FEW)
            or (kind is str and len(haystack) <= _SHORT)
        ):
            return (needle in haystack) is wanted
        raise Unusual

    return membership


def _filter(node: nodes.Filter) -> Closure | None:
    if node.node is None or node.kwargs:
        return None
    if node.name == "length":
        return _length(node.node)
    if node.name == "default" and node.args:
        return _default(node.node, *node.args)
    return None


def _length(node: nodes.Node) -> Closure | None:
    inner = compile_closure(node)
    if inner is None:
        return None

    def length(scope: Any) -> int:
        value = inner(scope)
        if type(value) in (list, str, dict):
            return len(value)
        raise Unusual

    return length


def _default(node: nodes.Node, fallback: nodes.Node, *more: nodes.Node) -> Closure | None:
    path = path_of(node)
    if path is None or not (isinstance(fallback, nodes.Const) or path_of(fallback)):
        return None
    read, instead = _path(path), compile_closure(fallback)
    assert instead is not None
    falsy_too = False
    if more:
        if not isinstance(more[0], nodes.Const):
            return None
        falsy_too = bool(more[0].value)

    def default(scope: Any) -> Any:
        try:
            value = read(scope)
        except (LookupError, TypeError):
            return instead(scope)
        return instead(scope) if falsy_too and not value else value

    return default


def _test(node: nodes.Test) -> Closure | None:
    if node.args or node.kwargs:
        return None
    if node.name in ("defined", "undefined"):
        return _presence(node.node, node.name == "defined")
    inner = compile_closure(node.node)
    kinds = _KINDS.get(node.name)
    if inner is None or kinds is None:
        return None

    def test(scope: Any) -> bool:
        kind = type(inner(scope))
        if kind in JSON_TYPES:
            return kind in kinds
        raise Unusual

    return test


_KINDS: dict[str, frozenset[type]] = {
    "none": frozenset({type(None)}),
    "boolean": frozenset({bool}),
    "number": _NUMBERS,
    "string": frozenset({str}),
    "mapping": frozenset({dict}),
    "sequence": frozenset({list}),
}


def _presence(node: nodes.Node, wanted: bool) -> Closure | None:
    path = path_of(node)
    if path is None:
        return None
    read = _path(path)

    def presence(scope: Any) -> bool:
        try:
            read(scope)
        except (LookupError, TypeError):
            return not wanted
        return wanted

    return presence


_BUILDERS: dict[type[nodes.Node], Callable[[Any], Closure | None]] = {
    nodes.Const: _constant,
    nodes.List: _literal_list,
    nodes.Tuple: _literal_list,
    nodes.Getitem: _item,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.Not: _not,
    nodes.CondExpr: _choice,
    nodes.Add: _calculation,
    nodes.Sub: _calculation,
    nodes.Mul: _calculation,
    nodes.Div: _calculation,
    nodes.FloorDiv: _calculation,
    nodes.Mod: _calculation,
    nodes.Neg: _negative,
    nodes.Compare: _comparison,
    nodes.Filter: _filter,
    nodes.Test: _test,
}
