"""A diagnostic: one finding about a file, told to a person.

Owns the record and the pad on which a pass collects them. How it is printed lives in `excerpt`,
what each code means in `codes`.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from engine.definition.document import Span

Severity = Literal["error", "warning"]


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True):
    """`what` in the file's own words; `why` names the other place; `mend` is ready to paste."""

    code: str
    file: str
    span: Span
    what: str
    why: str | None = None
    mend: str | None = None
    severity: Severity = "error"
    suggestions: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"{self.file}:{self.span.line}:{self.span.column}"
        return f"{place}: {self.severity} {self.code}: {self.what}"


MAX_FINDINGS: Final = 500


class Report:
    """The findings of one run over one file; says each thing once.

    After `MAX_FINDINGS` it is full: one more says so, the rest is dropped, and passes may stop.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[tuple[str, Span, str], Diagnostic] = {}

    def error(
        self,
        code: str,
        span: Span,
        what: str,
        *,
        why: str | None = None,
        mend: str | None = None,
        suggestions: tuple[str, ...] = (),
    ) -> None:
        """Note a finding; the same one at the same place is not noted twice."""
        if self.full:
            return
        if len(self._found) == MAX_FINDINGS - 1:
            code, what = (
                "E109",
                f"there are more than {MAX_FINDINGS} problems; the rest is not shown",
            )
            why, mend, suggestions = None, "mend those above first", ()
        self._found.setdefault(
            (code, span, what),
            Diagnostic(
                code=code,
                file=self.file,
                span=span,
                what=what,
                why=why,
                mend=mend,
                suggestions=suggestions,
            ),
        )

    @property
    def full(self) -> bool:
        """Whether further findings would be dropped."""
        return len(self._found) >= MAX_FINDINGS

    def __bool__(self) -> bool:
        return bool(self._found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All findings in the order of their places."""
        return tuple(sorted(self._found.values(), key=lambda one: (one.span, one.code)))
