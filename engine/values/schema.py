"""JSON Schemas at work: fill in defaults, say what does not fit.

Owns the one use of jsonschema outside the compiler. The library is imported on first need: a
workflow without schemas, and the command line's start, do not pay for it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from engine.values.json import Json, JsonObject

_SIMPLE_KEYS = frozenset({"type", "properties", "required", "title", "description", "default"})
_SIMPLE_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}


class Problem(msgspec.Struct, frozen=True):
    """Where in the value (`/`-separated) and what is wrong there."""

    path: str
    message: str


class Schema:
    """One JSON Schema 2020-12, compiled on first use. None and true accept everything."""

    def __init__(self, schema: JsonObject | bool | None) -> None:
        self.schema = schema
        self._validator: Any = None
        self._has_defaults = isinstance(schema, dict) and '"default"' in str(
            msgspec.json.encode(schema)
        )

    def fill(self, value: Json) -> Json:
        """The value with the defaults of its `properties` filled in, recursively; never in place.

        An explicit null stays. A missing value (None) of an object schema is filled as `{}`.
        """
        if value is None and isinstance(self.schema, dict) and self.schema.get("type") == "object":
            value = {}
        return _fill(self.schema, value) if self._has_defaults else value

    def problem(self, value: Json) -> Problem | None:
        """The first thing that does not fit, or None."""
        if self.schema is None or self.schema is True:
            return None
        if _surely_fits(self.schema, value):
            return None
        if self._validator is None:
            from jsonschema import Draft202012Validator, FormatChecker

            self._validator = Draft202012Validator(self.schema, format_checker=FormatChecker())
        from jsonschema.exceptions import best_match

        try:
            error = best_match(self._validator.iter_errors(value))
        except RecursionError:
            return Problem("/", "it is nested too deeply to be checked")
        if error is None:
            return None
        path = "/" + "/".join(str(part) for part in error.absolute_path)
        return Problem(path, error.message[:500])


def _fill(schema: Any, value: Json) -> Json:
    if not isinstance(schema, dict):
        return value
    if isinstance(value, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            filled = dict(value)
            for name, inner in properties.items():
                if name in filled:
                    filled[name] = _fill(inner, filled[name])
                elif isinstance(inner, dict) and "default" in inner:
                    filled[name] = _fill(inner, copy.deepcopy(inner["default"]))
            return filled
    elif isinstance(value, list) and "items" in schema:
        return [_fill(schema["items"], item) for item in value]
    return value


def _surely_fits(schema: Any, value: Json) -> bool:
    """True only when a plain schema of types and required keys is met: the common case, cheaply."""
    if schema is True:
        return True
    if not isinstance(schema, dict) or not schema.keys() <= _SIMPLE_KEYS:
        return False
    kind = schema.get("type")
    if kind is not None and type(value) not in _SIMPLE_TYPES.get(str(kind), ()):
        return False
    if isinstance(value, dict):
        if any(name not in value for name in schema.get("required", ())):
            return False
        properties = schema.get("properties", {})
        return all(
            _surely_fits(properties[name], value[name]) for name in properties if name in value
        )
    return True
