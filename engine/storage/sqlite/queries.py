"""The statements of `queries.sql` by name.

Rule 1: no other module holds SQL, and none builds any.
Rule 2: every statement has a name and a line that says what it does.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def parse_queries(text: str) -> dict[str, str]:
    """Split a file of named statements.

    Raises:
        ValueError: a name stands twice, or a statement has no description.
    """
    _, *parts = _NAME.split(text)
    queries: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        lines = body.strip().splitlines()
        if name in queries or not lines or not lines[0].startswith("-- "):
            raise ValueError(f"query `{name}` is named twice or has no description")
        queries[name] = "\n".join(line for line in lines if not line.startswith("--"))
    return queries


SQL: Final[Mapping[str, str]] = parse_queries(
    resources.files(__package__).joinpath("queries.sql").read_text(encoding="utf-8")
)
