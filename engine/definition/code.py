"""The record of one diagnostic code; the tables of them are assembled in `codes`."""

from __future__ import annotations

from typing import Literal

import msgspec


class Code(msgspec.Struct, frozen=True):
    """One code. `bad` and `good` are excerpts of a workflow file."""

    code: str
    title: str
    finds: str
    mend: str
    explanation: str
    bad: str
    good: str

    @property
    def severity(self) -> Literal["error", "warning"]:
        """What a finding of this code usually is."""
        return "warning" if self.code.startswith("W") else "error"
