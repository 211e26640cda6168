"""The revision: a digest over the canonical bytes of a graph.

Rule 1: a graph and its bytes are one thing: `load_graph(canonical(graph))` is the graph, down to
the order of its mappings. `compile` hands out only graphs that came through here.
Rule 2: mappings are sorted by their keys, so the order of `with`, `set`, `vars`, `output` is
nothing a workflow can notice, and so none that changes the revision. What has an order (steps,
branches of `parallel` and `race`, clauses, cases) is a list.
Rule 3: what is left at its default is left out. Hence a field that is new in a later release, with
the old behaviour as its default, changes no revision.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import msgspec
from msgspec import NODEFAULT, UNSET
from msgspec.structs import FieldInfo, fields

from engine.graph.steps import StepGraph
from engine.values.digest import canonical_json, digest


def canonical(graph: StepGraph) -> bytes:
    """The canonical JSON of a graph."""
    return canonical_json(_plain(graph))


def revision(graph: StepGraph) -> str:
    """The digest that names what the graph means."""
    return digest(canonical(graph))


def load_graph(data: bytes) -> StepGraph:
    """The graph of its canonical bytes, which are trusted.

    Raises:
        msgspec.ValidationError: the bytes are not those of a graph.
    """
    # The standard library reads integers of any size, as authors may write them.
    return msgspec.convert(json.loads(data), StepGraph)


# msgspec looks into a recursive type on first use, and two threads that do so at once crash the
# interpreter: so the first use is here, under the import lock.
load_graph(b'{"dsl":1,"name":"first","steps":[]}')


def _plain(value: Any) -> Any:
    """The value as JSON data.

    Not by msgspec: it leaves out what *is* the default object, so not a default an author wrote.
    """
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        data = {} if config.tag is None else {str(config.tag_field): config.tag}
        for field in _fields_of(type(value)):
            item = getattr(value, field.name)
            if not _is_default(item, field):
                data[field.encode_name] = _plain(item)
        return data
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


@cache
def _fields_of(kind: type[msgspec.Struct]) -> tuple[FieldInfo, ...]:
    return fields(kind)


def _is_default(item: Any, field: FieldInfo) -> bool:
    if item is UNSET:
        return True
    default = field.default
    if default is NODEFAULT:
        default = NODEFAULT if field.default_factory is NODEFAULT else field.default_factory()
    return type(item) is type(default) and bool(item == default)
