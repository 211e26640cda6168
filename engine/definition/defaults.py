"""Does a `default` fit the schema it stands in? jsonschema judges; the words are ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from engine.definition.document import Mapping, Node, Sequence, to_json
from engine.definition.wording import flow, noun, shorten, start_of

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.definition.document import Entry
    from engine.values.json import Json

_HERE: Final = "schema:"

_BOUNDS: Final = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} properties",
    "maxProperties": "at most {} properties",
    "pattern": "text that matches `{}`",
    "const": "`{}`",
    "enum": "one of {}",
    "type": "{}",
    "uniqueItems": "items none of which stands twice",
}


class DefaultCheck:
    """Checks the defaults of one document; `resources` are the files it may refer to."""

    def __init__(self, whole: Json, resources: dict[str, Json], report: Report) -> None:
        self.report = report
        documents = {_HERE: whole, **{_HERE + path: one for path, one in resources.items()}}
        self._registry: Registry[Any] = Registry().with_resources(
            (uri, DRAFT202012.create_resource(contents)) for uri, contents in documents.items()
        )

    def check(self, default: Entry, pointer: str) -> None:
        """Note a default that the schema at `pointer` refuses."""
        schema = {"$ref": f"{_HERE}#{quote(pointer)}"}
        validator = Draft202012Validator(schema, registry=self._registry)
        try:
            error = best_match(validator.iter_errors(to_json(default.value)))
        except RecursionError:
            what = "this default is nested too deep to be checked"
            self.report.error("E109", default.key.span, what)
            return
        if error is not None:
            node = _at(default.value, error)
            self.report.error(
                "E111",
                start_of(node),
                "`default` does not match its own schema",
                why=_why(node, error),
                mend="change the default or the schema",
            )


def _at(node: Node, error: ValidationError) -> Node:
    """The part of the default the error is about."""
    for step in error.absolute_path:
        if isinstance(node, Mapping) and isinstance(step, str):
            node = node.get(step) or node
        elif isinstance(node, Sequence) and isinstance(step, int):
            node = node.items[step]
    return node


def _why(node: Node, error: ValidationError) -> str:
    keyword = str(error.validator)
    wanted: Any = error.validator_value
    found = noun(node)
    if keyword == "required":
        keys = set(node.keys() if isinstance(node, Mapping) else ())
        missing = [name for name in wanted if name not in keys]
        return f"it is {found} without `{missing[0]}`" if missing else f"it is {found}"
    if keyword == "additionalProperties":
        return f"it is {found} with a property the schema does not allow"
    words = _BOUNDS.get(keyword)
    if words is None:
        return f"it is {found}, which the schema's `{keyword}` refuses"
    shown = wanted if isinstance(wanted, str) else shorten(flow(wanted))
    return f"it is {found}; the schema wants {words.format(shown)}"
