"""Every diagnostic code: what it finds, how to mend it, and why it exists.

The one table from which `lockstep explain`, the documentation page and the SARIF rules are made.
E1xx are found by reading a file, E2xx by compiling it alone, E3xx with activities and other
workflows at hand; W4xx never fail a check unless it is strict.
"""

from __future__ import annotations

from typing import Final

from engine.definition.codes_checking import CHECKING
from engine.definition.codes_compiling import COMPILING
from engine.definition.codes_reading import READING

CODES: Final = {one.code: one for one in (*READING, *COMPILING, *CHECKING)}


def explain(code: str) -> str:
    """The page of a code, as text for a terminal.

    Raises:
        KeyError: there is no such code.
    """
    one = CODES[code.upper()]
    return "\n".join(
        [
            f"{one.code}: {one.title}",
            "",
            one.explanation,
            "",
            f"Finds: {one.finds}.",
            f"Mend:  {one.mend}.",
            "",
            "Wrong:",
            *(f"    {line}" for line in one.bad.split("\n")),
            "",
            "Right:",
            *(f"    {line}" for line in one.good.split("\n")),
            "",
        ]
    )
