"""Expressions inside YAML text, brought to one spelling.

Rule 1: only the edges of an expression are touched: `${{x}}` and `${{  x  }}` become `${{ x }}`, so
that formatting does not change a revision. What stands between the edges stays as it was written.
Rule 2: text that cannot be taken apart is left alone; `checks.expressions` says what is wrong.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(r"\s*\$\{\{(.*)\}\}\s*", re.DOTALL)
_HOLE = re.compile(r"(?<!\$)\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)


def normalise(text: str) -> str:
    """The text with every expression's edges in the one spelling."""
    return _HOLE.sub(r"${{ \1 }}", text)


def bare(text: str) -> str | None:
    """The source of the one expression a text consists of, or None."""
    match = _WHOLE.fullmatch(text)
    return match[1].strip() if match else None


def has_expression(text: str) -> bool:
    """Whether any expression stands in a text."""
    return _HOLE.search(text) is not None
