"""What changed between two graphs, in the words of the file.

A step is known by its path; one that stands under another path has moved when its id and kind
stayed. Inside a step the difference goes down to the smallest part that differs.

Rule 1: no change is reported exactly when the two graphs have the same revision.
Rule 2: a step that came or went is told once, not again for every step inside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from engine.graph.revision import canonical
from engine.values.digest import canonical_json
from engine.values.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.graph.steps import StepGraph

# A part of a graph as plain data; looser than `Json`, which mypy would have us narrow everywhere.
Data: TypeAlias = dict[str, Any]

# Keys of the graph that hold steps, or records which hold steps.
_STEPS: Final = {
    "steps": "steps",
    "then": "then",
    "otherwise": "else",
    "finally_": "finally",
    "compensate": "compensate",
}
_RECORDS: Final = ("catch", "cases", "branches")
# What the graph calls otherwise than the file.
_WORDS: Final = {
    "args": "with",
    "finally_": "finally",
    "payload_schema": "schema",
    "max_failures_percent": "max_failures",
}
_WORDS_OF_KIND: Final = {
    ("if", "condition"): "if",
    ("while", "condition"): "while",
    ("until", "condition"): "until",
    ("foreach", "items"): "foreach",
    ("foreach", "name"): "as",
    ("set", "assignments"): "set",
    ("return", "value"): "return",
    ("status", "value"): "status",
    ("log", "text"): "log",
    ("sleep", "duration"): "sleep",
    ("sleep", "until"): "sleep.until",
    ("continue_as_new", "input"): "continue_as_new",
}
_DURATIONS: Final = frozenset(
    ("timeout", "heartbeat", "every", "delay", "max_delay", "attempt_timeout", "max_elapsed")
)
_LONGEST: Final = 60


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. `path` is a step's, or empty for the workflow; `field` is dotted."""

    kind: Literal["added", "removed", "moved", "changed"]
    path: str
    field: str | None = None
    before: Any = None
    after: Any = None
    line: str


def diff(a: StepGraph, b: StepGraph) -> tuple[Change, ...]:
    """The changes that lead from `a` to `b`, in the order of the file."""
    before, after = _flatten(a), _flatten(b)
    moved = _moved(before, after)
    return (
        *_fields("", before[""], after[""]),
        *_gone(before, after, set(moved)),
        *_here(before, after, {new: old for old, new in moved.items()}),
    )


@dataclass(frozen=True)
class _Placed:
    """A step without the steps inside it. `block` is where it stands, `index` its turn there."""

    own: Data
    parent: str
    block: str
    index: int

    @property
    def kind(self) -> str:
        return str(self.own.get("kind", ""))

    @property
    def word(self) -> str:
        """The kind as the file calls it."""
        if self.kind == "loop":
            return str(self.own["mode"])
        return "saga" if self.own.get("saga") else self.kind

    @property
    def title(self) -> str:
        name = self.own.get(self.kind)
        return f"{self.kind}: {name}" if isinstance(name, str) else self.word


def _flatten(graph: StepGraph) -> dict[str, _Placed]:
    found: dict[str, _Placed] = {}

    def take(data: Data, path: str, parent: str, block: str, index: int) -> None:
        found[path] = _Placed(_own(data), parent, block, index)
        for name, steps in _blocks(data):
            for turn, step in enumerate(steps):
                below = f"{path}/{step['id']}" if path else str(step["id"])
                take(step, below, path, name, turn)

    take(json.loads(canonical(graph)), "", "", "", 0)
    return found


def _blocks(data: Data) -> Iterator[tuple[str, list[Data]]]:
    for key, word in _STEPS.items():
        if key in data:
            yield word, data[key]
    for key in _RECORDS:
        for index, record in enumerate(data.get(key, ())):
            yield str(record.get("name", f"{key}[{index}]")), record["steps"]


def _own(data: Data) -> Data:
    own = {key: value for key, value in data.items() if key not in _STEPS and key != "id"}
    for key in _RECORDS:
        records = own.pop(key, ())
        for index, record in enumerate(records):
            name = record.get("name", f"{key}[{index}]")
            own[str(name)] = {
                part: value for part, value in record.items() if part not in ("steps", "name")
            }
        if key == "branches" and records:
            own["branches"] = [record["name"] for record in records]
    return own


def _moved(before: dict[str, _Placed], after: dict[str, _Placed]) -> dict[str, str]:
    """Old path -> new path of steps that stand elsewhere now."""
    gone = {_last(path): path for path in before if path not in after}
    return {
        gone[_last(path)]: path
        for path, step in after.items()
        if path not in before
        and _last(path) in gone
        and before[gone[_last(path)]].kind == step.kind
    }


def _gone(
    before: dict[str, _Placed], after: dict[str, _Placed], moved: set[str]
) -> Iterator[Change]:
    for path, step in before.items():
        if path in after or path in moved:
            continue
        if step.parent not in after and step.parent not in moved:
            continue  # told with its parent
        yield Change(
            kind="removed", path=path, before=step.own, line=f"- {path} ({step.title}) removed"
        )


def _here(
    before: dict[str, _Placed], after: dict[str, _Placed], moved: dict[str, str]
) -> Iterator[Change]:
    turned = _turned(before, after)
    for path, step in after.items():
        old = moved.get(path, path)
        if path == "":
            continue
        if old not in before:
            if step.parent in before or step.parent in moved:
                line = f"+ {path} ({step.title}) added"
                yield Change(kind="added", path=path, after=step.own, line=line)
            continue
        there = before[old]
        if _carried(step, moved, old):
            pass  # its parent moved and took it along
        elif old != path:
            line = f"~ {path} moved here from {old}"
            yield Change(kind="moved", path=path, before=old, after=path, line=line)
        elif there.block != step.block:
            line = f"~ {path} moved from `{there.block}` to `{step.block}`"
            yield Change(kind="moved", path=path, before=there.block, after=step.block, line=line)
        elif path in turned:
            line = f"~ {path} takes another turn among its neighbours"
            yield Change(kind="moved", path=path, before=there.index, after=step.index, line=line)
        yield from _fields(path, there, step)


def _carried(step: _Placed, moved: dict[str, str], old: str) -> bool:
    origin = moved.get(step.parent)
    return origin is not None and old == f"{origin}/{_last(old)}"


def _turned(before: dict[str, _Placed], after: dict[str, _Placed]) -> set[str]:
    """Steps that stay in their block but not in their turn."""
    turned: set[str] = set()
    places = {(step.parent, step.block) for step in after.values()}
    for place in places:
        old = [path for path, step in before.items() if _stays(step, place) and path in after]
        old = [path for path in old if _stays(after[path], place)]
        new = [path for path, step in after.items() if _stays(step, place) and path in before]
        new = [path for path in new if _stays(before[path], place)]
        if old == new:
            continue
        matcher = SequenceMatcher(a=old, b=new, autojunk=False)
        kept = {path for run in matcher.get_matching_blocks() for path in new[run.b :][: run.size]}
        turned.update(path for path in new if path not in kept)
    return turned


def _stays(step: _Placed, place: tuple[str, str]) -> bool:
    return (step.parent, step.block) == place


def _fields(path: str, before: _Placed, after: _Placed) -> Iterator[Change]:
    if before.kind != after.kind:
        line = f"~ {path}: {before.title} becomes {after.title}"
        yield Change(
            kind="changed",
            path=path,
            field="kind",
            before=before.kind,
            after=after.kind,
            line=line,
        )
        return
    for field, old, new in _differences(before.own, after.own, ()):
        word = _word(after.word, field)
        where = f"{path}: {word}" if path else word
        line = f"~ {where}: {_told(field, old)} -> {_told(field, new)}"
        yield Change(
            kind="changed",
            path=path,
            field=word,
            before=None if old is _ABSENT else old,
            after=None if new is _ABSENT else new,
            line=line,
        )


_ABSENT: Final = object()


def _differences(
    old: object, new: object, field: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], object, object]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), (*field, key))
        return
    if old is _ABSENT or new is _ABSENT or _differ(old, new):
        yield field, old, new


def _differ(old: Any, new: Any) -> bool:
    return canonical_json(old) != canonical_json(new)


def _word(kind: str, field: tuple[str, ...]) -> str:
    first = _WORDS_OF_KIND.get((kind, field[0])) or _WORDS.get(field[0], field[0])
    return ".".join((first, *(_WORDS.get(part, part) for part in field[1:])))


def _told(field: tuple[str, ...], value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    if field[-1] in _DURATIONS and type(value) is int:
        return format_duration(value)
    text = value if isinstance(value, str) else canonical_json(value).decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _last(path: str) -> str:
    return path.rpartition("/")[2]
