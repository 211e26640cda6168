"""What a path yields when it leads nowhere: strict, chainable, and it knows its own place.

`default`, `is defined` and `is undefined` take it; any other use refuses with the path's text.
"""

from __future__ import annotations

from typing import Any, NoReturn

from engine.expr.bounds import Refusal

NOWHERE = (0, 0)
"""The place of an undefined value made inside a filter; the caller knows the real one."""


class Missing:
    """The value of an undefined path. `text` is the path as the author wrote it."""

    __slots__ = ("place", "text")

    def __init__(self, text: str, place: tuple[int, int]) -> None:
        self.text = text
        self.place = place

    def refuse(self) -> NoReturn:
        """Say which path is undefined."""
        text = self.text if len(self.text) <= 80 else f"{self.text[:79]}…"
        raise Refusal(
            f"`{text}` is undefined",
            mend=f"`{text} | default(…)` or `{text} is defined`",
            place=self.place,
        )

    def __bool__(self) -> bool:
        self.refuse()

    def __str__(self) -> str:
        self.refuse()

    def __iter__(self) -> NoReturn:
        self.refuse()

    def __len__(self) -> int:
        self.refuse()

    def __eq__(self, other: object) -> bool:
        self.refuse()

    def __hash__(self) -> int:
        self.refuse()


def known(value: Any) -> Any:
    """Return the value, or refuse when it is undefined."""
    if type(value) is Missing:
        value.refuse()
    return value
