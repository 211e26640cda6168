"""The JSON face of a Python function: what `with` may hold, what comes out, and the way in.

Type hints become two JSON Schemas, for checks at deploy time and completion in the editor, and one
converter, for the arguments of each call. A function without hints accepts anything.

Rule: what the schema refuses does not bind. Beyond the schema, bind refuses a text that is not
the instant, UUID or number it should be, and `2.0` where an integer is asked.
"""

from __future__ import annotations

import contextlib
import inspect
import re
import types
from difflib import get_close_matches
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    NotRequired,
    Required,
    TypedDict,
    Union,
    get_args,
    get_origin,
)
from typing import get_type_hints as hints_of

import msgspec

from engine.activities.context import ActivityContext
from engine.errors import ActivityError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.values.json import JsonObject

_REFERENCE: Final = "#/$defs/{name}"
_PLACE: Final = re.compile(r" - at `\$\.arguments(?P<path>.*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<name>[^`]+)`")
_FIRST: Final = re.compile(r"\.([^.\[]+)")
_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class ActivityArgumentsError(ActivityError):
    """The `with` of a step does not fit the activity. ``argument`` is the one at fault."""

    def __init__(self, argument: str, message: str, *, details: Any = None) -> None:
        self.argument = argument
        super().__init__(message, type="sys.validation", retryable=False, details=details)


class Signature:
    """What a function takes and returns.

    `input_schema` describes the `with` mapping; `result_schema` is None when there is no hint;
    `context_parameter` names the parameter that takes the `ActivityContext`, if there is one.

    Raises:
        SettingsError: a parameter cannot be given by name, or a hint has no JSON form.
    """

    __slots__ = ("_extra", "_known", "_shape", "context_parameter", "input_schema", "result_schema")

    def __init__(self, function: Callable[..., object], name: str) -> None:
        hints = _resolved_hints(function, name)
        parameters: list[inspect.Parameter] = []
        self.context_parameter: str | None = None
        extra: Any = None
        for parameter in inspect.signature(function).parameters.values():
            hint = hints.get(parameter.name, Any)
            if _is_context(hint):
                self.context_parameter = parameter.name
            elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
                extra = hint
            elif parameter.kind in _NAMED:
                parameters.append(parameter)
            else:
                raise SettingsError(
                    f"activity `{name}`: parameter `{parameter.name}` cannot be given by name",
                    hint="arguments come from the `with` mapping; remove the `/` or `*`",
                )
        types_ = {p.name: hints.get(p.name, Any) for p in parameters}
        self.input_schema = _input_schema(name, parameters, types_, extra)
        self.result_schema = _result_schema(name, hints["return"]) if "return" in hints else None
        self._known = frozenset(types_)
        self._shape = _shape({p.name: _field(p, types_[p.name]) for p in parameters})
        self._extra = None if extra is None else _shape_of(dict[str, extra])

    def bind(self, args: JsonObject) -> dict[str, Any]:
        """Keyword arguments for the function; what `args` leaves out keeps the function's default.

        Raises:
            ActivityArgumentsError: an argument is unknown, missing or of another type.
        """
        try:
            bound: dict[str, Any] = msgspec.convert({"arguments": args}, self._shape).arguments
            if len(bound) != len(args):
                bound.update(self._bind_extra(args))
        except msgspec.ValidationError as error:
            raise _refusal(str(error)) from None  # it says the same in other words
        return bound

    def _bind_extra(self, args: JsonObject) -> dict[str, Any]:
        extra = {key: value for key, value in args.items() if key not in self._known}
        if self.context_parameter in extra:
            raise _unknown(self.context_parameter, self._known)
        if self._extra is None:
            raise _unknown(next(iter(extra)), self._known)
        more: dict[str, Any] = msgspec.convert({"arguments": extra}, self._extra).arguments
        return more


def _resolved_hints(function: Callable[..., object], name: str) -> dict[str, Any]:
    # Authors import ActivityContext for type checkers only, as linters tell them to.
    known = {"ActivityContext": ActivityContext, **getattr(function, "__globals__", {})}
    try:
        return hints_of(function, globalns=known, include_extras=True)
    except NameError as error:
        raise SettingsError(
            f"activity `{name}`: the type `{error.name}` in its hints is not known at run time",
            hint=f"import `{error.name}` at the top of the module, not only for type checkers",
        ) from error
    except (TypeError, AttributeError, SyntaxError) as error:
        raise SettingsError(f"activity `{name}`: its hints cannot be read: {error}") from error


def _is_context(hint: Any) -> bool:
    if get_origin(hint) in (Union, types.UnionType):
        return ActivityContext in get_args(hint)
    return hint is ActivityContext


def _field(parameter: inspect.Parameter, hint: Any) -> Any:
    required = parameter.default is inspect.Parameter.empty
    return Required[hint] if required else NotRequired[hint]


def _shape(fields: dict[str, Any]) -> type[Any]:
    return _shape_of(TypedDict("Arguments", fields))  # type: ignore[operator]  # built, not written


def _shape_of(kind: Any) -> type[Any]:
    # msgspec caches what it learns of a type on Structs only; without this one a call costs 2 us.
    shape = msgspec.defstruct("Call", [("arguments", kind)])
    # It learns on first use, and two threads doing so at once crash the process: learn here.
    with contextlib.suppress(msgspec.ValidationError):
        msgspec.convert({}, shape)
    return shape


def _input_schema(
    name: str, parameters: list[inspect.Parameter], types_: dict[str, Any], extra: Any
) -> JsonObject:
    open_ = extra is not None
    hints = [*types_.values(), *([extra] if open_ else [])]
    schemas, components = _schemas(name, [*types_, *(["**"] if open_ else [])], hints)
    properties: JsonObject = {}
    required: list[Any] = []
    for parameter, schema in zip(parameters, schemas, strict=False):
        properties[parameter.name] = _with_default(schema, parameter.default)
        if parameter.default is inspect.Parameter.empty:
            required.append(parameter.name)
    result: JsonObject = {"type": "object", "properties": properties}
    if required:
        result["required"] = required
    result["additionalProperties"] = (schemas[-1] or True) if open_ else False
    if components:
        result["$defs"] = components
    return result


def _with_default(schema: JsonObject, default: object) -> JsonObject:
    if default is inspect.Parameter.empty:
        return schema
    try:
        return {**schema, "default": msgspec.json.decode(msgspec.json.encode(default))}
    except (TypeError, ValueError):
        return schema  # a default that only Python can hold is of no use to readers of the schema


def _result_schema(name: str, hint: Any) -> JsonObject:
    [schema], components = _schemas(name, ["return"], [hint])
    return {**schema, "$defs": components} if components else schema


def _schemas(
    name: str, places: list[str], hints: list[Any]
) -> tuple[tuple[JsonObject, ...], JsonObject]:
    try:
        return msgspec.json.schema_components(hints, ref_template=_REFERENCE)
    except (TypeError, ValueError):
        for place, hint in zip(places, hints, strict=True):
            _refuse_unless_json(name, place, hint)
        raise


def _refuse_unless_json(name: str, place: str, hint: Any) -> None:
    try:
        msgspec.json.schema_components([hint])
    except (TypeError, ValueError) as error:
        subject = "what it returns" if place == "return" else f"parameter `{place}`"
        raise SettingsError(
            f"activity `{name}`: the type of {subject}, `{inspect.formatannotation(hint)}`, "
            f"has no JSON form",
            hint="use JSON types, dataclasses, Structs, TypedDicts, enums or instants",
        ) from error


def _unknown(argument: str, known: frozenset[str]) -> ActivityArgumentsError:
    near = get_close_matches(argument, sorted(known), n=1)
    if near:
        mend = f"did you mean `{near[0]}`?"
    else:
        mend = f"it takes {', '.join(f'`{k}`' for k in sorted(known)) or 'none'}"
    return ActivityArgumentsError(argument, f"unknown argument `{argument}`: {mend}")


def _refusal(message: str) -> ActivityArgumentsError:
    """Turn "Expected `int`, got `str` - at `$.arguments.qty`" into a sentence about `qty`."""
    place = _PLACE.search(message)
    path = place["path"] if place else ""
    problem = message[: place.start()] if place else message
    missing = _MISSING.fullmatch(problem)
    if missing and not path:
        return ActivityArgumentsError(missing["name"], f"missing argument `{missing['name']}`")
    first = _FIRST.match(path)
    problem = problem[:1].lower() + problem[1:]
    subject = f"argument `{path.removeprefix('.')}`" if path else "the arguments"
    return ActivityArgumentsError(first[1] if first else "", f"{subject}: {problem}")
