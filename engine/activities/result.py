"""What an activity hands back, turned into JSON: its result, heartbeat details, error details.

Rule 1: what comes out is what a reader of the stored bytes would get: tuples and sets are lists,
keys are text, dataclasses, Structs and TypedDicts are objects, instants are text.
Rule 2: nothing is changed silently: NaN, infinities and lone surrogates are refused, not mended.
Rule 3: the size is checked here, before anything is stored.
"""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from engine.errors import ActivityError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.values.json import Json

RESULT_LIMIT: Final = 1024 * 1024
_DEPTH: Final = 200

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class ActivityResultError(ActivityError):
    """A value is not JSON. ``path`` leads to the culprit, ``$`` is the value itself."""

    def __init__(self, what: str, path: str, problem: str) -> None:
        self.path = path
        where = "" if path == "$" else f" at `{path}`"
        super().__init__(
            f"{what} is not JSON: {problem}{where}", type="sys.validation", retryable=False
        )


class ActivityLimitError(ActivityError):
    """A value is larger than the engine stores. Keep it elsewhere and return a reference."""

    def __init__(self, what: str, size: int, limit: int) -> None:
        self.size_bytes = size
        self.limit_bytes = limit
        super().__init__(
            f"{what} has {size} bytes, the limit is {limit}",
            type="sys.limit",
            retryable=False,
            details={"size_bytes": size, "limit_bytes": limit},
        )


def to_json(value: object, *, limit: int = RESULT_LIMIT, what: str = "the result") -> Json:
    """The JSON form of a value, at most `limit` bytes when encoded.

    Raises:
        ActivityResultError: it holds something that is not JSON.
        ActivityLimitError: it is too large.
    """
    if value is None:
        return None
    try:
        encoded = _encode(value)
        decoded: Json = _decode(encoded)
    except Exception as error:  # noqa: BLE001  # whatever it is, the refusal tells it
        raise _refusal(what, value, error) from None
    if len(encoded) > limit:
        raise ActivityLimitError(what, len(encoded), limit)
    # The encoder writes NaN and the infinities as null, so only a text with a null may hide one;
    # and a value that equals what was read back hides none, which is the cheaper thing to ask.
    if decoded != value and b"null" in encoded:
        _refuse_nan(what, msgspec.to_builtins(value, str_keys=True))
    return decoded


def _refuse_nan(what: str, value: object) -> None:
    pending = [("$", value)]
    while pending:
        path, part = pending.pop()
        if isinstance(part, float) and not math.isfinite(part):
            raise ActivityResultError(what, path, f"{part} is no JSON number")
        pending.extend((path + step, child) for step, child in _children(part))


def _refusal(what: str, value: object, error: Exception) -> ActivityResultError:
    """Find the innermost part that does not encode: it is the one to name."""
    path = "$"
    for _ in range(_DEPTH):
        for step, child in _children(value):
            problem = _problem(child)
            if problem is not None:
                path, value, error = path + step, child, problem
                break
        else:
            return ActivityResultError(what, path, _told(value, error))
    return ActivityResultError(what, "$", "it is nested too deeply, or holds itself")


def _told(value: object, error: Exception) -> str:
    if isinstance(value, str):
        return "a text with a lone surrogate"
    if isinstance(value, int):
        return "an integer too long to write"
    if isinstance(value, dict):
        keys = sorted({type(key).__name__ for key in value if type(key) is not str})
        return f"a mapping with keys of type {', '.join(keys)}" if keys else str(error)
    return f"a value of type `{type(value).__module__}.{type(value).__qualname__}`"


def _problem(value: object) -> Exception | None:
    try:
        _decode(_encode(value))
    except Exception as error:  # noqa: BLE001  # whatever it is, the refusal tells it
        return error
    return None


def _children(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        return ((f".{key}", child) for key, child in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ((f"[{index}]", child) for index, child in enumerate(value))
    if isinstance(value, msgspec.Struct):
        return ((f".{name}", getattr(value, name)) for name in value.__struct_fields__)
    if is_dataclass(value) and not isinstance(value, type):
        return ((f".{f.name}", getattr(value, f.name)) for f in fields(value))
    return iter(())
