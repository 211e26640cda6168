"""Expressions inside YAML data: `${{ … }}` in scalars, values, conditions.

Rule 1: a scalar that is one expression and nothing else keeps the expression's type; any other
scalar holding one is text.
Rule 2: constant data is returned as it is, the same object every time; callers never change JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from engine.errors import ExpressionError
from engine.expr.bounds import RESULT_BYTES, SOURCE_CHARACTERS, Refusal, kind_of
from engine.expr.evaluation import failure
from engine.expr.expression import Expression, compile_expression, condition_error
from engine.expr.operators import text_of
from engine.expr.tokens import refuse

if TYPE_CHECKING:
    from engine.expr.ambient import EvalScope
    from engine.values.json import Json

JsonPath: TypeAlias = tuple[str | int, ...]

_MARK = re.compile(r"\$\$\{|\$\{\{|\{\{|\$\{")
# An open quote swallows the rest: trying each later quote again would take quadratic time.
_INSIDE = re.compile(r"""'(?:[^'\\]|\\.)*+'?|"(?:[^"\\]|\\.)*+"?|\}\}|[\[\](){}]""", re.DOTALL)
_MARKS = 10_000
_CLOSES = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Hole:
    """One `${{ source }}`. `offset` is where `source` begins in the scalar."""

    source: str
    offset: int


@dataclass(frozen=True, slots=True)
class CompiledValue:
    """A VALUE ready to be evaluated.

    `expressions` holds for each expression the path of its scalar in the data, the offset of the
    expression's source in that scalar, and the expression.
    """

    source: Json
    constant: bool
    expressions: tuple[tuple[JsonPath, int, Expression], ...]
    evaluate: Callable[[EvalScope], Json] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A COND ready to be evaluated: a boolean, or an `ExpressionError`."""

    expression: Expression
    evaluate: Callable[[EvalScope], bool] = field(repr=False, compare=False)


def scan(text: str) -> tuple[Literal | Hole, ...]:
    """Cut a scalar into literal text and holes.

    `$${` writes a literal `${`, so `$${{` is the literal `${{`.

    Raises:
        ExpressionError: E221 for a lone `{{ x }}` or `${ x }`, E222 for a hole that is not closed.
    """
    if "{" not in text:
        return (Literal(text),)
    parts: list[Literal | Hole] = []
    literal: list[str] = []
    position = marks = 0
    while (mark := _MARK.search(text, position)) is not None:
        marks += 1
        if marks > _MARKS:
            refuse(text[:80], f"a text with more than {_MARKS} braces is over the limit", 0)
        literal.append(text[position : mark.start()])
        position = mark.end()
        found = mark.group()
        if found == "$${":
            # A second brace belongs to the literal too, so that it opens nothing.
            braces = "${{" if text.startswith("{", position) else "${"
            position += len(braces) - 2
            literal.append(braces)
        elif found == "${{":
            end = _end_of_hole(text, position)
            parts.extend(_literal(literal))
            literal.clear()
            parts.append(Hole(text[position:end], position))
            position = end + 2
        else:
            _refuse_lone(text, mark.start(), found)
            literal.append(found)
    literal.append(text[position:])
    parts.extend(_literal(literal))
    return tuple(parts)


def _literal(pieces: list[str]) -> list[Literal]:
    text = "".join(pieces)
    return [Literal(text)] if text else []


def _end_of_hole(text: str, start: int) -> int:
    """Find the `}}` that closes a hole; those in quotes and inside brackets are part of it."""
    stack: list[str] = []
    position = start
    limit = start + SOURCE_CHARACTERS + 2
    while (found := _INSIDE.search(text, position, limit)) is not None:
        sign = found.group()
        position = found.end()
        if sign == "}}":
            if not stack or stack[-1] != "{":
                return found.start()
            stack.pop()
            position -= 1
        elif sign in "([{":
            stack.append(sign)
        elif sign in _CLOSES and stack and stack[-1] == _CLOSES[sign]:
            stack.pop()
    shown = text if len(text) <= limit else text[:limit]
    return refuse(
        shown, "`${{` is not closed", start - 3, 3, mend="end it with `}}`, close its quotes"
    )


def _refuse_lone(text: str, offset: int, opening: str) -> None:
    closing = "}}" if opening == "{{" else "}"
    # What goes on for longer is no forgotten `$`; and the search stays short.
    end = text.find(closing, offset, offset + 200)
    if end < 0:
        return
    inside = text[offset + len(opening) : end].strip()
    refuse(
        text,
        f"`{opening} {closing}` is not an expression",
        offset,
        end + len(closing) - offset,
        diagnostic="E221",
        why="expressions stand in `${{ }}`",
        mend=f"`${{{{ {inside[:60]} }}}}`",
    )


@dataclass(frozen=True, slots=True)
class Found:
    """An expression in a VALUE, or why it does not compile.

    `offset` is where `expression.source` or `error.source` begins in the scalar at `path`.
    """

    path: JsonPath
    offset: int
    expression: Expression | None
    error: ExpressionError | None
    whole: bool


def find_expressions(value: Json) -> Iterator[Found]:
    """Find every expression of a VALUE, in order; errors are returned, not raised."""
    yield from _find(value, ())


def _find(value: Json, path: JsonPath) -> Iterator[Found]:
    if isinstance(value, str):
        if "{" in value:
            yield from _find_in_text(value, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _find(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find(item, (*path, index))


def _find_in_text(text: str, path: JsonPath) -> Iterator[Found]:
    try:
        parts = scan(text)
    except ExpressionError as error:
        yield Found(path, 0, None, error, False)
        return
    for part in parts:
        if not isinstance(part, Hole):
            continue
        whole = len(parts) == 1
        try:
            expression = compile_expression(part.source)
            if not whole and expression.static_type in ("list", "mapping", "null"):
                _refuse_in_text(expression)
            yield Found(path, part.offset, expression, None, whole)
        except ExpressionError as error:
            yield Found(path, part.offset, None, error, whole)


def _refuse_in_text(expression: Expression) -> None:
    kind = expression.static_type
    refuse(
        expression.source,
        f"a {kind} cannot stand in text" if kind != "null" else "null cannot stand in text",
        0,
        len(expression.source),
        diagnostic="E232",
        mend="add `| tojson` or `| join(', ')`",
    )


def compile_value(value: Json) -> CompiledValue:
    """Compile YAML data whose scalars may hold expressions.

    Raises:
        ExpressionError: the first of the errors `find_expressions` would report.
    """
    expressions = []
    for found in find_expressions(value):
        if found.error is not None:
            raise found.error
        assert found.expression is not None
        expressions.append((found.path, found.offset, found.expression))
    evaluate = _compile(value)
    if evaluate is None:
        return CompiledValue(value, True, (), lambda scope: value)
    return CompiledValue(value, not expressions, tuple(expressions), evaluate)


_Evaluate: TypeAlias = Callable[[Any], Any]


def _compile(value: Json) -> _Evaluate | None:
    """Compile data, or return None when nothing in it differs from what is written."""
    if isinstance(value, str):
        return _compile_text(value)
    if isinstance(value, dict):
        return _compile_mapping(value)
    if isinstance(value, list):
        return _compile_list(value)
    return None


def _compile_text(text: str) -> _Evaluate | None:
    parts = scan(text)
    if len(parts) == 1 and isinstance(parts[0], Hole):
        return compile_expression(parts[0].source).evaluate
    if all(isinstance(part, Literal) for part in parts):
        plain = "".join(part.text for part in parts if isinstance(part, Literal))
        return None if plain == text else lambda scope: plain
    pieces: list[str | Expression] = [
        part.text if isinstance(part, Literal) else compile_expression(part.source)
        for part in parts
    ]

    def evaluate(scope: Any) -> str:
        texts = [piece if isinstance(piece, str) else _inserted(piece, scope) for piece in pieces]
        if sum(map(len, texts)) > RESULT_BYTES:
            refusal = Refusal(f"the text is over the limit of {RESULT_BYTES} bytes")
            raise failure(text, refusal, 0, len(text))
        return "".join(texts)

    return evaluate


def _inserted(expression: Expression, scope: Any) -> str:
    value = expression.evaluate(scope)
    if type(value) is str:
        return value
    try:
        return text_of(value)
    except Refusal as refusal:
        source = expression.source
        raise failure(source, refusal, 0, len(source)) from None


def _compile_mapping(value: dict[str, Json]) -> _Evaluate | None:
    compiled = {key: _compile(item) for key, item in value.items()}
    changing = tuple((key, item) for key, item in compiled.items() if item is not None)
    if not changing:
        return None
    if len(changing) == len(value):
        return lambda scope: {key: evaluate(scope) for key, evaluate in changing}
    # A copy of the literal keeps the order of its keys.
    return lambda scope: value | {key: evaluate(scope) for key, evaluate in changing}


def _compile_list(value: list[Json]) -> _Evaluate | None:
    compiled = [_compile(item) for item in value]
    if not any(compiled):
        return None
    items = tuple(
        evaluate if evaluate is not None else _constantly(item)
        for evaluate, item in zip(compiled, value, strict=True)
    )
    return lambda scope: [evaluate(scope) for evaluate in items]


def _constantly(value: Json) -> _Evaluate:
    return lambda scope: value


def compile_condition(source: str) -> CompiledCondition:
    """Compile a COND, given without its delimiters.

    Raises:
        ExpressionError: E220 when its type is provably not boolean.
    """
    expression = compile_expression(source)
    if expression.static_type not in (None, "boolean"):
        raise condition_error(expression, expression.static_type)
    value_of = expression.evaluate

    def evaluate(scope: Any) -> bool:
        value = value_of(scope)
        if value is True or value is False:
            return value
        raise condition_error(expression, kind_of(value))

    return CompiledCondition(expression, evaluate)
