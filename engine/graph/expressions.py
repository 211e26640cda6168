"""Every expression of a document, compiled once, with its place in the file.

Owns E220 to E223, E230 to E232 as `expr` finds them, and the rule that a condition is one whole
expression of type boolean. What an expression's names mean, `scopes` knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from engine.definition.document import Mapping, Node, Scalar, Sequence
from engine.definition.wording import shorten
from engine.errors import ExpressionError
from engine.expr import Expression, compile_expression, find_expressions
from engine.graph.text import holes, sole

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.definition.document import Span

_BOOLEANS: Final = {
    "list": "{} | length > 0",
    "mapping": "{} | length > 0",
    "string": "{} != ''",
    "number": "{} != 0",
    "null": "{} is not none",
}


@dataclass(frozen=True, eq=False)
class Placed:
    """An expression in the scalar it stands in, its source beginning at `offset`."""

    scalar: Scalar
    offset: int
    expression: Expression
    role: Literal["value", "text", "condition"] = "value"

    def span(self, offset: int, length: int) -> Span:
        """The place in the file of a part of the expression's source."""
        return self.scalar.locate(self.offset + offset, length)


class Expressions:
    """Compiles the scalars of one document; what does not compile is noted once."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._values: dict[int, tuple[Placed, ...]] = {}
        self._conditions: dict[int, Placed | None] = {}

    def value(self, node: Node | None) -> tuple[Placed, ...]:
        """The expressions of a VALUE that compile, in the order of the file."""
        if isinstance(node, Scalar):
            if not isinstance(node.value, str) or "{" not in node.value:
                return ()
            if id(node) not in self._values:
                self._values[id(node)] = tuple(self._compile(node))
            return self._values[id(node)]
        if isinstance(node, Sequence):
            return tuple(placed for item in node.items for placed in self.value(item))
        if isinstance(node, Mapping):
            return tuple(placed for entry in node.entries for placed in self.value(entry.value))
        return ()

    def _compile(self, node: Scalar) -> list[Placed]:
        placed = []
        for found in find_expressions(node.value):
            if found.error is not None:
                self._note(node, found.offset, found.error)
            elif found.expression is not None:
                role: Literal["value", "text"] = "value" if found.whole else "text"
                placed.append(Placed(node, found.offset, found.expression, role))
        return placed

    def condition(self, node: Node | None) -> Placed | None:
        """The expression of a COND, None when it is none or does not compile."""
        if not isinstance(node, Scalar):
            return None
        if id(node) not in self._conditions:
            self._conditions[id(node)] = self._condition(node)
        return self._conditions[id(node)]

    def sole(self, node: Scalar, what: str) -> Placed | None:
        """The one expression a scalar consists of, of any type; else E220 tells `what` must be."""
        hole = sole(node.text)
        if hole is None:
            if not self._broken(node):
                self._not_one(node, what)
            return None
        try:
            return Placed(node, hole.offset, compile_expression(hole.source))
        except ExpressionError as error:
            self._note(node, hole.offset, error)
            return None

    def _condition(self, node: Scalar) -> Placed | None:
        placed = self.sole(node, "a condition")
        if placed is None:
            return None
        kind = placed.expression.static_type
        if kind in (None, "boolean"):
            return replace(placed, role="condition")
        not_boolean(self._report, placed, kind)
        return None

    def _broken(self, node: Scalar) -> bool:
        """Whether the text has errors of its own; they are noted."""
        errors = [found for found in find_expressions(node.text) if found.error is not None]
        for found in errors:
            if found.error is not None:
                self._note(node, found.offset, found.error)
        return bool(errors)

    def _not_one(self, node: Scalar, what: str) -> None:
        text = node.text.strip()
        found = holes(node.text)
        if isinstance(node.value, bool):
            why, mend = "it would always be the same", f"${{{{ {str(node.value).lower()} }}}}"
        elif not found:
            why, mend = "without `${{ }}` it is text", f"${{{{ {text} }}}}"
        else:
            sources = " and ".join(hole.source.strip() for hole in found)
            why, mend = "text around an expression makes text of it", f"${{{{ {sources} }}}}"
        self._report.error(
            "E220",
            node.span,
            f"{what} is one whole expression, not `{shorten(text)}`",
            why=why,
            mend=mend,
        )

    def _note(self, node: Scalar, offset: int, error: ExpressionError) -> None:
        mend = error.mend
        if mend is not None and error.suggestions and mend.startswith("did you mean"):
            mend = None  # the suggestions say so
        self._report.error(
            error.diagnostic,
            node.locate(offset + error.offset, error.length),
            error.message,
            why=error.why,
            mend=mend,
            suggestions=error.suggestions,
        )


def not_boolean(report: Report, placed: Placed, kind: str | None) -> None:
    """Note that a condition has another type."""
    source = placed.expression.source
    shown = source.strip()
    report.error(
        "E220",
        placed.span(len(source) - len(source.lstrip()), len(shown)),
        f"a condition is a boolean, `{shorten(shown)}` is {_article(kind)}",
        why="what counts as true is written out, so that `0`, `''` and `[]` surprise nobody",
        mend=f"${{{{ {_BOOLEANS[kind].format(shown)} }}}}" if kind in _BOOLEANS else None,
    )


def _article(kind: str | None) -> str:
    return "null" if kind == "null" else f"a {kind}"
