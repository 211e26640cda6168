"""A diagnostic: one finding about a file, told to a person.

Owns the record only. How it is printed lives in `excerpt`, what each code means in `codes`.
"""

from __future__ import annotations

from typing import Literal

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
        return f"{self.file}:{self.span.line}:{self.span.column}: {self.severity} {self.code}: {self.what}"
