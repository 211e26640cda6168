"""The findings of compiling one file: the report of errors, with warnings beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.definition.diagnostic import Diagnostic, Report

if TYPE_CHECKING:
    from engine.definition.document import Span


class Findings(Report):
    """A report that takes warnings too, each said once."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self._warnings: dict[tuple[str, Span, str], Diagnostic] = {}

    def warning(
        self,
        code: str,
        span: Span,
        what: str,
        *,
        why: str | None = None,
        mend: str | None = None,
        suggestions: tuple[str, ...] = (),
    ) -> None:
        """Note something that never stands in the way of a graph."""
        self._warnings.setdefault(
            (code, span, what),
            Diagnostic(
                code=code,
                file=self.file,
                span=span,
                what=what,
                why=why,
                mend=mend,
                severity="warning",
                suggestions=suggestions,
            ),
        )

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Errors and warnings in the order of their places."""
        everything = (*super().sorted(), *self._warnings.values())
        return tuple(sorted(everything, key=lambda one: (one.span, one.code)))
