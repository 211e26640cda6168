"""Check a parsed expression against the allow-list; collect what it reads and calls.

Rule 1: a node whose type is not in `_VISITS` is refused: new syntax of the parser is no way in.
Rule 2: nothing is evaluated here.
Rule 3: whether an undefined path is tolerated is decided here, once: `Reference.guarded`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from jinja2 import nodes

from engine.expr.bounds import INTEGER_BITS
from engine.expr.filters import FILTERS
from engine.expr.functions import FUNCTIONS, Operation
from engine.expr.parse import Path, path_of, place_of
from engine.expr.predicates import PREDICATES
from engine.expr.suggest import suggest
from engine.expr.tokens import refuse


@dataclass(frozen=True, slots=True)
class Reference:
    """A path the expression reads: `("steps", "conn", "output")` up to a dynamic subscript.

    `offset` and `length` are the place of the path's text in the source. `guarded`: an undefined
    value is tolerated here, because `default` or `is defined` takes it.
    """

    path: Path
    offset: int
    length: int
    guarded: bool

    @property
    def root_length(self) -> int:
        """The length of the root's name, which stands at `offset`."""
        return len(str(self.path[0]))


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function such as `now()`; the place is that of the whole call."""

    name: str
    offset: int
    length: int


_METHODS = {
    "lower": "| lower", "upper": "| upper", "title": "| title", "strip": "| trim",
    "split": "| split('…')", "replace": "| replace('…', '…')", "join": "| join('…')",
    "format": "~", "get": "| default(…)", "items": "| items", "keys": "| keys",
    "values": "| values", "startswith": "is startswith('…')", "endswith": "is endswith('…')",
    "append": "+ […]", "update": "| merge(…)", "count": "| length", "index": "in",
}  # fmt: skip

# What the same thing is called in Jinja, Python or JavaScript.
_ELSEWHERE = {
    ("filter", "count"): "length", ("filter", "len"): "length", ("filter", "size"): "length",
    ("filter", "d"): "default", ("filter", "strip"): "trim", ("filter", "json"): "tojson",
    ("filter", "dictsort"): "items", ("filter", "concat"): "join", ("filter", "combine"): "merge",
    ("filter", "filter"): "select", ("filter", "capitalize"): "title", ("filter", "number"): "int",
    ("test", "list"): "sequence", ("test", "array"): "sequence", ("test", "iterable"): "sequence",
    ("test", "dict"): "mapping", ("test", "object"): "mapping", ("test", "null"): "none",
    ("test", "str"): "string", ("test", "int"): "number", ("test", "integer"): "number",
    ("test", "float"): "number", ("test", "bool"): "boolean", ("test", "equalto"): "eq",
    ("test", "search"): "match", ("test", "contains"): "in",
}  # fmt: skip

_APPLIES = {
    "map": FILTERS,
    "select": PREDICATES,
    "reject": PREDICATES,
    "selectattr": PREDICATES,
    "rejectattr": PREDICATES,
}

_SIGNATURES: dict[int, inspect.Signature] = {
    id(operation.run): inspect.signature(operation.run)
    for table in (FILTERS, PREDICATES, FUNCTIONS)
    for operation in table.values()
}


def _usage(name: str, operation: Operation, given: int) -> str:
    """Write how an operation is called: `replace(old, new, count=none)`."""
    shown = []
    for parameter in list(_SIGNATURES[id(operation.run)].parameters.values())[given:]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            shown.append(f"{parameter.name}…")
        elif parameter.default is inspect.Parameter.empty:
            shown.append(parameter.name)
        else:
            spelled = {None: "none", True: "true", False: "false"}
            value = parameter.default
            plain = spelled[value] if value is None or type(value) is bool else repr(value)
            shown.append(f"{parameter.name}={plain}")
    return f"{name}({', '.join(shown)})"


def _named(node: Any) -> list[str]:
    return [keyword.key for keyword in node.kwargs]


class Checker:
    """One walk over one tree."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.references: list[Reference] = []
        self.calls: list[Call] = []

    def visit(self, node: nodes.Node, guarded: bool = False) -> None:
        """Check a node and all below it. `guarded`: its value may be undefined."""
        check = _VISITS.get(type(node))
        if check is None:
            self.refuse(node, "this is not part of the language")
        check(self, node, guarded)

    def refuse(self, node: nodes.Node, message: str, **more: Any) -> NoReturn:
        """Raise at the place of a node."""
        refuse(self.source, message, *place_of(node), **more)

    def children(self, node: nodes.Node, guarded: bool) -> None:
        """Check the operands of an operator; none of them may be undefined."""
        for child in node.iter_child_nodes():
            self.visit(child)

    def constant(self, node: nodes.Const, guarded: bool) -> None:
        """Check a literal."""
        if type(node.value) is int and node.value.bit_length() > INTEGER_BITS:
            self.refuse(node, "an integer of more than 256 bits")

    def path(self, node: nodes.Name | nodes.Getattr | nodes.Getitem, guarded: bool) -> None:
        """Check a path; the longest literal one from a root becomes a reference."""
        offset, length = place_of(node)
        path = path_of(node)
        if path is not None:
            for part in path:
                self._name(node, part)
            self.references.append(Reference(path, offset, length, guarded))
            return
        assert not isinstance(node, nodes.Name)
        if isinstance(node, nodes.Getattr):
            self._name(node, node.attr)
        else:
            if isinstance(node.arg, nodes.Const):
                self._name(node, node.arg.value)
            self.visit(node.arg)
        self.visit(node.node, guarded)

    def _name(self, node: nodes.Node, part: Any) -> None:
        if type(part) is str and part.startswith("__") and part.endswith("__"):
            self.refuse(
                node,
                f"`{part[:40]}` is not a key of data",
                diagnostic="E223",
                why="an expression reads items of JSON values and nothing of Python",
            )

    def choice(self, node: nodes.CondExpr, guarded: bool) -> None:
        """Check `a if c else b`."""
        if node.expr2 is None:
            self.refuse(
                node,
                "`if` without `else`",
                diagnostic="E230",
                mend=f"`{self._text(node)} else none`",
            )
        self.visit(node.test)
        self.visit(node.expr1, guarded)
        self.visit(node.expr2, guarded)

    def _text(self, node: nodes.Node) -> str:
        offset, length = place_of(node)
        return self.source[offset : offset + length]

    def junction(self, node: nodes.And | nodes.Or, guarded: bool) -> None:
        """Check `and`, `or`: the left operand is always used, the right one may be the result."""
        self.visit(node.left)
        self.visit(node.right, guarded)

    def filter(self, node: nodes.Filter, guarded: bool) -> None:
        """Check a filter: its name, the shape of its call, its operand."""
        operation = self._operation(node, "filter", FILTERS)
        assert node.node is not None
        tolerant = node.name == "default"
        self.visit(node.node, tolerant)
        self._arguments(node, operation, guarded=guarded and tolerant)
        table = _APPLIES.get(node.name)
        if table is not None:
            self._applied(node, table)

    def _operation(
        self, node: nodes.Filter | nodes.Test, what: str, table: dict[str, Operation]
    ) -> Operation:
        operation = table.get(node.name)
        if operation is None:
            self._unknown(node, what, node.name, table)
        return operation

    def _unknown(
        self, node: nodes.Node, what: str, name: str, table: dict[str, Operation]
    ) -> NoReturn:
        usual = _ELSEWHERE.get((what, name.lower()))
        near = (usual,) if usual else suggest(name, table)
        other = "filter" if what == "test" else "test"
        mend = None
        if near:
            mend = "did you mean " + " or ".join(f"`{found}`" for found in near) + "?"
        elif what == "test" and name.lower() in ("true", "false"):
            mend = f"`== {name.lower()}`"
        elif name in FUNCTIONS:
            mend = f"`{name}()` is a function"
        elif name in (FILTERS if other == "filter" else PREDICATES):
            mend = f"`{name}` is a {other}: `x {'|' if other == 'filter' else 'is'} {name}`"
        self.refuse(node, f"no {what} `{name[:40]}`", mend=mend, suggestions=near)

    def _arguments(
        self, node: nodes.Filter | nodes.Test | nodes.Call, operation: Operation, *, guarded: bool
    ) -> None:
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            stars = "**" if node.dyn_kwargs is not None else "*"
            message = f"`{stars}` arguments are not part of the language"
            self.refuse(node, message, diagnostic="E223")
        for argument in node.args:
            self.visit(argument, guarded)
        for keyword in node.kwargs:
            self.visit(keyword.value, guarded)
        value = 0 if isinstance(node, nodes.Call) else 1
        name: str = (node.node if isinstance(node, nodes.Call) else node).name  # type: ignore[attr-defined]
        self._bind(node, name, operation, 1 + value, len(node.args), _named(node))

    def _bind(
        self,
        node: nodes.Node,
        name: str,
        operation: Operation,
        given: int,
        positional: int,
        named: list[str],
    ) -> None:
        try:
            if len(set(named)) < len(named):
                raise TypeError
            signature = _SIGNATURES[id(operation.run)]
            signature.bind(*[None] * (given + positional), **dict.fromkeys(named))
        except TypeError:
            usage = _usage(name, operation, given)
            self.refuse(node, f"`{name}` does not take these arguments", mend=f"`{usage}`")

    def _applied(self, node: nodes.Filter, table: dict[str, Operation]) -> None:
        """Check the filter or test that another filter applies to each item."""
        skipped = 1 if node.name.endswith("attr") else 0
        arguments = node.args[skipped:]
        own = {"attribute", "default"} if node.name == "map" else set()
        extra = [key for key in _named(node) if key not in own]
        if extra and not arguments:
            self.refuse(node, f"`{node.name}` takes no `{extra[0]}` without a filter")
        while arguments:
            name = arguments[0]
            what = "filter" if table is FILTERS else "test"
            if not isinstance(name, nodes.Const) or type(name.value) is not str:
                self.refuse(name, f"the name of the {what} is a literal string")
            if name.value not in table:
                self._unknown(name, what, name.value, table)
            self._bind(name, name.value, table[name.value], 2, len(arguments) - 1, extra)
            inner = _APPLIES.get(name.value) if table is FILTERS else None
            if inner is None:
                return
            arguments = arguments[2 if name.value.endswith("attr") else 1 :]
            table = inner

    def test(self, node: nodes.Test, guarded: bool) -> None:
        """Check a test: its name, the shape of its call, its operand."""
        operation = self._operation(node, "test", PREDICATES)
        self.visit(node.node, node.name in ("defined", "undefined"))
        self._arguments(node, operation, guarded=False)

    def call(self, node: nodes.Call, guarded: bool) -> None:
        """Check a call: only the functions of the language can be called."""
        if not isinstance(node.node, nodes.Name):
            method = node.node.attr if isinstance(node.node, nodes.Getattr) else None
            instead = _METHODS.get(method or "")
            self.refuse(
                node,
                f"`.{method[:40]}()` is a method call" if method else "only functions are called",
                diagnostic="E223",
                why="data has no methods; filters do this work",
                mend=f"`{instead}`" if instead else None,
            )
        name = node.node.name
        operation = FUNCTIONS.get(name)
        if operation is None:
            near = suggest(name, FUNCTIONS)
            mend = "did you mean " + " or ".join(f"`{found}()`" for found in near) + "?"
            if not near and name in FILTERS:
                mend = f"`{name}` is a filter: `x | {name}`"
            elif not near:
                mend = "the functions are " + ", ".join(f"`{known}()`" for known in FUNCTIONS)
            self.refuse(node, f"no function `{name[:40]}`", mend=mend, suggestions=near)
        self.calls.append(Call(name, *place_of(node)))
        self._arguments(node, operation, guarded=False)

    def pair(self, node: nodes.Pair, guarded: bool) -> None:
        """Check one entry of a mapping."""
        if isinstance(node.key, nodes.Const) and type(node.key.value) is not str:
            self.refuse(node.key, "a mapping key must be a string")
        self.children(node, guarded)


_Visit = Callable[[Checker, Any, bool], None]

_VISITS: dict[type[nodes.Node], _Visit] = {
    nodes.Const: Checker.constant,
    nodes.Name: Checker.path,
    nodes.Getattr: Checker.path,
    nodes.Getitem: Checker.path,
    nodes.Slice: Checker.children,
    nodes.List: Checker.children,
    nodes.Tuple: Checker.children,
    nodes.Dict: Checker.children,
    nodes.Pair: Checker.pair,
    nodes.Compare: Checker.children,
    nodes.Operand: Checker.children,
    nodes.And: Checker.junction,
    nodes.Or: Checker.junction,
    nodes.Not: Checker.children,
    nodes.Neg: Checker.children,
    nodes.Pos: Checker.children,
    nodes.Add: Checker.children,
    nodes.Sub: Checker.children,
    nodes.Mul: Checker.children,
    nodes.Div: Checker.children,
    nodes.FloorDiv: Checker.children,
    nodes.Mod: Checker.children,
    nodes.Pow: Checker.children,
    nodes.Concat: Checker.children,
    nodes.CondExpr: Checker.choice,
    nodes.Filter: Checker.filter,
    nodes.Test: Checker.test,
    nodes.Call: Checker.call,
}
