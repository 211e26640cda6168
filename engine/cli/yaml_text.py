"""JSON data as YAML text, in blocks. Texts that YAML might take for something else are quoted."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from engine.cli.clean import clean_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.values.json import Json

_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@-]*(?: [A-Za-z0-9_./@-]+)*")
# What YAML 1.1 or 1.2 takes for a truth value or nothing.
_TAKEN: Final = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))


def yaml_text(value: Json) -> str:
    """The document; ends with a newline."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Json) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _entry(f"{_scalar(key)}:", item)
    elif isinstance(value, list) and value:
        for item in value:
            first, *more = _lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in more)
    else:
        yield _scalar(value)


def _entry(head: str, item: Json) -> Iterator[str]:
    if isinstance(item, dict | list) and item:
        yield head
        yield from (f"  {line}" for line in _lines(item))
    else:
        yield f"{head} {_scalar(item)}"


def _scalar(value: Json) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _TAKEN:
        return value
    return clean_json(json.dumps(value, ensure_ascii=False))
