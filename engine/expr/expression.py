"""One compiled expression: what it reads, what it calls, what type it has, how to evaluate it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.errors import ExpressionError
from engine.expr.check import Call, Checker, Reference
from engine.expr.closures import JSON_TYPES, Closure, compile_closure
from engine.expr.environment import ENVIRONMENT, Render, generate
from engine.expr.evaluation import Evaluation
from engine.expr.functions import DRAWING
from engine.expr.parse import parse
from engine.expr.tokens import refuse
from engine.expr.types import Kinds, misfits, static_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import nodes

    from engine.expr.ambient import EvalScope
    from engine.values.json import Json


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression. `source` has no delimiters; places are offsets into it."""

    source: str
    references: tuple[Reference, ...]
    calls: tuple[Call, ...]
    static_type: str | None
    constant: bool
    evaluate: Callable[[EvalScope], Json] = field(repr=False, compare=False)
    _tree: nodes.Expr = field(repr=False, compare=False)

    def check_types(self, kinds: Kinds) -> tuple[str | None, tuple[ExpressionError, ...]]:
        """Return the type of the expression, and its E231 errors, when `kinds` knows its paths."""
        return static_type(self._tree, kinds), tuple(misfits(self.source, self._tree, kinds))


@lru_cache(maxsize=4096)
def compile_expression(source: str, *, fast: bool = True) -> Expression:
    """Compile the source of one expression.

    `fast=False` leaves the closures out: for tests that compare the two ways.

    Raises:
        ExpressionError: with the diagnostic's code, the place, why and how to mend it.
    """
    try:
        tree = parse(source, ENVIRONMENT)
        checker = Checker(source)
        checker.visit(tree)
        misfit = next(misfits(source, tree), None)
    except RecursionError:
        refuse(source, "the expression is nested too deeply", 0)
    if misfit is not None:
        raise misfit
    closure = compile_closure(tree) if fast else None
    slow = _generated(source, tree)
    return Expression(
        source=source,
        references=tuple(sorted(checker.references, key=lambda found: found.offset)),
        calls=tuple(sorted(checker.calls, key=lambda found: found.offset)),
        static_type=static_type(tree),
        constant=not checker.references and all(call.name not in DRAWING for call in checker.calls),
        evaluate=slow if closure is None else _fast(closure, slow),
        _tree=tree,
    )


def _generated(source: str, tree: nodes.Expr) -> Closure:
    """Evaluate by generated code, which is made when it is first needed."""
    made: list[Render] = []

    def generated() -> Render:
        if not made:
            made.append(generate(tree))
        return made[0]

    def evaluate(scope: Any) -> Any:
        return Evaluation(source, scope).finish(generated)

    return evaluate


def _fast(closure: Closure, slow: Closure) -> Closure:
    """Evaluate by a closure; what it does not answer with plain JSON goes to generated code."""

    def evaluate(scope: Any) -> Any:
        try:
            value = closure(scope)
        except Exception:  # noqa: BLE001 - the generated code decides what it means
            return slow(scope)
        return value if type(value) in JSON_TYPES else slow(scope)

    return evaluate


def condition_error(expression: Expression, found: str) -> ExpressionError:
    """Build the error of a condition that is no boolean."""
    mends = {
        "list": f"`{expression.source} | length > 0`",
        "string": f"`{expression.source} != ''`",
        "null": f"`{expression.source} is not none`",
    }
    return ExpressionError(
        f"a condition must be a boolean, `${{{{ {expression.source} }}}}` is a {found}",
        source=expression.source,
        offset=0,
        length=max(len(expression.source), 1),
        diagnostic="E220",
        mend=mends.get(found),
    )
