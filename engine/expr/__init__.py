"""Expressions: Jinja2's syntax, closed, typed, bounded (LANGUAGE.md section 3).

The only package that imports jinja2. An expression is a function of its scope and of the ambient
the scope carries; there is no other clock, randomness, environment or I/O.

Sources become trees in `tokens` and `parse`, are checked against the allow-list in `check`, and
evaluated either by `closures` (plain paths, comparisons, small arithmetic) or by the code of
`environment` running in an `evaluation`. `template` finds expressions inside YAML data.
"""

from engine.expr.ambient import Ambient, EvalScope, Scope
from engine.expr.check import Call, Reference
from engine.expr.expression import Expression, compile_expression
from engine.expr.filters import FILTERS
from engine.expr.functions import FUNCTIONS
from engine.expr.predicates import PREDICATES
from engine.expr.suggest import suggest
from engine.expr.template import (
    CompiledCondition,
    CompiledValue,
    Found,
    Hole,
    Literal,
    compile_condition,
    compile_value,
    find_expressions,
    scan,
)
from engine.expr.types import Kinds

FILTER_NAMES: tuple[str, ...] = tuple(FILTERS)
TEST_NAMES: tuple[str, ...] = tuple(PREDICATES)
FUNCTION_NAMES: tuple[str, ...] = tuple(FUNCTIONS)

__all__ = [
    "FILTER_NAMES",
    "FUNCTION_NAMES",
    "TEST_NAMES",
    "Ambient",
    "Call",
    "CompiledCondition",
    "CompiledValue",
    "EvalScope",
    "Expression",
    "Found",
    "Hole",
    "Kinds",
    "Literal",
    "Reference",
    "Scope",
    "compile_condition",
    "compile_expression",
    "compile_value",
    "find_expressions",
    "scan",
    "suggest",
]
