"""One evaluation of generated code: every operation passes here, is counted and has a place.

Stands where Jinja's code expects its context. Any exception below becomes `ExpressionError`, so
nothing of Python or Jinja shows through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from engine.errors import EngineError, ExpressionError
from engine.expr import operators
from engine.expr.bounds import Refusal, Work, settle
from engine.expr.environment import RESULT
from engine.expr.filters import FILTERS
from engine.expr.functions import FUNCTIONS
from engine.expr.parse import pack, unpack
from engine.expr.predicates import PREDICATES
from engine.expr.undefined import NOWHERE, Missing, known

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.expr.environment import Render

_OPERATIONS: dict[str, Callable[..., Any]] = {
    "binary": operators.binary,
    "unary": operators.unary,
    "compare": operators.compare,
    "concat": operators.concat,
    "list": operators.make_list,
    "mapping": operators.make_mapping,
    "slice": operators.slice_of,
}


class Evaluation:
    """The state of one evaluation."""

    __slots__ = ("exported_vars", "scope", "source", "vars", "work")

    eval_ctx = None

    def __init__(self, source: str, scope: Any) -> None:
        self.source = source
        self.scope = scope
        self.work = Work(getattr(scope, "ambient", None))
        self.vars: dict[str, Any] = {}
        self.exported_vars: set[str] = set()

    def resolve_or_missing(self, name: str) -> None:
        """Answer the prologue of the generated code; roots are read where they stand."""

    def root(self, place: int, name: str) -> Any:
        """Read a root of the scope."""
        try:
            return self.scope[name]
        except KeyError:
            return Missing(name, unpack(place))
        except Exception as error:  # noqa: BLE001 - translated, never swallowed
            self.fail(place, error)

    def whole_root(self, place: int, name: str) -> Any:
        """Read a root that is used whole: a copy, as the scope may go on writing to its own."""
        value = self.root(place, name)
        return value.copy() if type(value) is dict else value

    def item(self, place: int, value: Any, key: Any) -> Any:
        """Read an item; one that is not there is undefined."""
        if type(value) is Missing:
            return self._missing(place)
        try:
            return operators.item_of(value, known(key))
        except LookupError:
            return self._missing(place)
        except Exception as error:  # noqa: BLE001 - translated, never swallowed
            self.fail(place, error)

    def _missing(self, place: int) -> Missing:
        offset, length = unpack(place)
        return Missing(self.source[offset : offset + length], (offset, length))

    def do(self, place: int, operation: str, *operands: Any) -> Any:
        """Apply an operator."""
        return self._run(place, _OPERATIONS[operation], *operands)

    def filter(self, place: int, name: str, /, *operands: Any, **named: Any) -> Any:
        """Apply a filter; what only a filter can find undefined is named after it."""
        result = self._run(place, FILTERS[name].run, *operands, **named)
        if type(result) is Missing and result.place == NOWHERE:
            return Missing(f"… | {name}", unpack(place))
        return result

    def test(self, place: int, name: str, /, *operands: Any, **named: Any) -> Any:
        """Apply a test."""
        return self._run(place, PREDICATES[name].run, *operands, **named)

    def call(self, place: int, name: str, /, *operands: Any, **named: Any) -> Any:
        """Call a function."""
        return self._run(place, FUNCTIONS[name].run, *operands, **named)

    def _run(self, place: int, run: Callable[..., Any], /, *operands: Any, **named: Any) -> Any:
        try:
            return run(self.work, *operands, **named)
        except Exception as error:  # noqa: BLE001 - translated, never swallowed
            self.fail(place, error)

    def fail(self, place: int, error: Exception) -> NoReturn:
        """Raise the public error for what went wrong at a place."""
        if isinstance(error, EngineError):
            raise error
        offset, length = unpack(place)
        if isinstance(error, Refusal):
            if error.place is not None and error.place != NOWHERE:
                offset, length = error.place
            raise failure(self.source, error, offset, length) from None
        raise failure(self.source, Refusal("this cannot be evaluated"), offset, length) from None

    def finish(self, generated: Callable[[], Render]) -> Any:
        """Run the generated code and return its value as JSON."""
        whole = pack(0, len(self.source))
        try:
            for _ in generated()(self):
                pass
            return settle(known(self.vars[RESULT]), self.work)
        except Exception as error:  # noqa: BLE001 - translated, never swallowed
            self.fail(whole, error)


def failure(source: str, refusal: Refusal, offset: int, length: int) -> ExpressionError:
    """Build the public error; its message names the expression, for those who see it in a log."""
    shown = " ".join(source.split())
    shown = shown if len(shown) <= 120 else f"{shown[:117]}…"
    return ExpressionError(
        f"{refusal.message} in `${{{{ {shown} }}}}`",
        source=source,
        offset=offset,
        length=max(length, 1),
        diagnostic=refusal.diagnostic,
        mend=refusal.mend,
    )
