"""How far a version must be raised: the bump rules as a table, and their reader. Pure.

Two sources: the difference of the graphs (`graph.diff`), and that of the contracts (`contract`):
input, output, signals, and whose state is taken over. Each finding falls under one rule of RULES;
the highest bump of them is required.

Rule 1: `none` exactly when the revisions are equal and nothing else (semantics level, accepted
versions) changed.
Rule 2: below 1.0.0 the numbers mean one place less, as in the ranges people write (`^0.2` ends at
0.3): a raised minor counts as major, a raised patch as minor, and in 0.0.x a patch as major.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from engine.gitops.contract import Difference, compare
from engine.graph.diff import Change, diff
from engine.graph.revision import canonical
from engine.interpreter.semantics import CURRENT
from engine.values.version import VersionRange, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.gitops.lockfile import Lock, LockEntry
    from engine.graph.steps import Step, StepGraph
    from engine.values.version import Part

Bump = Literal["none", "patch", "minor", "major"]
BUMPS: Final[tuple[Bump, ...]] = ("none", "patch", "minor", "major")

# Rule -> (least bump, what it is about). The documentation's table is this one.
RULES: Final[dict[str, tuple[Bump, str]]] = {
    "option": ("patch", "an option of a step: retry, timeout, queue, text, an expression"),
    "step-at-the-end": ("patch", "a new step after all waits, calling nothing new"),
    "input-added": ("patch", "a new optional input, or one with a default"),
    "input-widened": ("patch", "the input takes more than before"),
    "input-told": ("patch", "a default, title or description in the input's schema"),
    "output-added": ("patch", "a new field of the output"),
    "output-narrowed": ("patch", "the output promises more than before"),
    "output-told": ("patch", "a title or description in the output's schema"),
    "signal-widened": ("patch", "a signal takes more than before"),
    "accepts": ("patch", "other older versions may continue as this one"),
    "new-call": ("minor", "an activity or workflow is called that was not before"),
    "new-step": ("minor", "a step before or between waits, or one that waits"),
    "step-gone": ("minor", "a step removed or renamed"),
    "step-moved": ("minor", "a step in another turn or another block"),
    "step-kind": ("minor", "a step of another kind"),
    "branch": ("minor", "a branch, case or clause more or less"),
    "signal-added": ("minor", "a new signal"),
    "name": ("major", "another name is another workflow"),
    "dsl": ("major", "another version of the language"),
    "input-narrowed": ("major", "the input refuses what it took: required added, type narrowed"),
    "input-removed": ("major", "an input removed"),
    "input-changed": ("major", "the input's schema changed beyond comparison"),
    "output-removed": ("major", "a field of the output removed"),
    "output-widened": ("major", "the output promises less than before"),
    "output-changed": ("major", "the output's schema changed beyond comparison"),
    "signal-removed": ("major", "a signal removed"),
    "signal-narrowed": ("major", "a signal refuses what it took"),
    "refuses-previous": ("major", "the state of the previous version is not accepted"),
    "semantics": ("major", "the interpreter's semantics level is raised"),
}

# (part of the contract, effect) -> rule. A signal's payload is an input.
_CONTRACT: Final = {
    ("input", "added"): "input-added",
    ("input", "removed"): "input-removed",
    ("input", "narrowed"): "input-narrowed",
    ("input", "widened"): "input-widened",
    ("input", "changed"): "input-changed",
    ("input", "told"): "input-told",
    ("output", "added"): "output-added",
    ("output", "removed"): "output-removed",
    ("output", "narrowed"): "output-narrowed",
    ("output", "widened"): "output-widened",
    ("output", "changed"): "output-changed",
    ("output", "told"): "output-told",
    ("signal", "added"): "signal-widened",
    ("signal", "removed"): "signal-narrowed",
    ("signal", "narrowed"): "signal-narrowed",
    ("signal", "widened"): "signal-widened",
    ("signal", "changed"): "signal-narrowed",
    ("signal", "told"): "signal-widened",
}
# Fields of the whole workflow that the contract tells about, or a rule of their own.
_CONTRACT_FIELDS: Final = frozenset(
    ("input_schema", "output_schema", "signals", "accepts_state_from", "name", "dsl")
)
_CALLS: Final = {"activity": "activity", "workflow": "workflow", "start": "workflow"}
_WAITS: Final = frozenset(("wait", "sleep"))
_BRANCHING: Final = ("branches", "cases[", "catch[")


class Reason(msgspec.Struct, frozen=True):
    """One finding, and the rule it falls under. `line` tells it in the words of the file."""

    rule: str
    line: str

    @property
    def bump(self) -> Bump:
        """The least bump by its rule."""
        return RULES[self.rule][0]


class Verdict(msgspec.Struct, frozen=True):
    """The least bump that some changes ask for, and why; the weightiest reasons first."""

    bump: Bump
    reasons: tuple[Reason, ...]

    @property
    def deciding(self) -> tuple[Reason, ...]:
        """The reasons that ask for this much."""
        return tuple(reason for reason in self.reasons if reason.bump == self.bump)


def required_bump(
    old: StepGraph,
    new: StepGraph,
    *,
    previous: str | None = None,
    semantics: tuple[int, int] = (CURRENT, CURRENT),
) -> Verdict:
    """What leading from `old` to `new` asks for.

    `previous` is the version of `old`: with it, whether `new` accepts its state is looked at.
    `semantics` are the levels both run at.
    """
    reasons = [
        *_contract(old, new),
        *_whole(old, new, previous, semantics),
        *_steps(old, new),
    ]
    ordered = sorted(reasons, key=lambda reason: -BUMPS.index(reason.bump))
    return Verdict(ordered[0].bump if ordered else "none", tuple(ordered))


def declared_bump(old: str, new: str) -> Bump:
    """What raising a version from `old` to `new` declares; `none` when it is not raised."""
    before, after = parse_version(old), parse_version(new)
    if after <= before:
        return "none"
    places = [
        one != other for one, other in zip(before.to_tuple()[:3], after.to_tuple()[:3], strict=True)
    ]
    if True not in places:
        # From one prerelease to the next, or to the release: its numbers have declared it before.
        return "major"
    place = places.index(True)
    zeros = 0 if before.major or place == 0 else (2 if not before.minor and place == 2 else 1)
    return BUMPS[min(3 - place + zeros, 3)]


def suffices(declared: Bump, required: Bump) -> bool:
    """Whether a declared bump is not smaller than the required one."""
    return BUMPS.index(declared) >= BUMPS.index(required)


def part_for(version: str, bump: Bump) -> Part:
    """Which number, raised, declares a bump; below 1.0.0 one place less does."""
    parts: tuple[Part, ...] = ("patch", "minor", "major")
    for part in parts:
        raised = parse_version(version).next_version(part)
        if suffices(declared_bump(version, str(raised)), bump):
            return part
    return "major"


def last_before(
    lock: Lock, name: str, version: str, *, inclusive: bool = False
) -> LockEntry | None:
    """The release that a version follows: the highest one below it, or the same one.

    Prereleases are passed over unless there is nothing else: what they promised was on trial.
    """
    limit = parse_version(version)
    below = [
        entry
        for entry in lock.of(name)
        if (parsed := parse_version(entry.version)) < limit or (inclusive and parsed == limit)
    ]
    whole = [entry for entry in below if parse_version(entry.version).prerelease is None]
    found = whole or below
    return found[-1] if found else None


def _contract(old: StepGraph, new: StepGraph) -> Iterator[Reason]:
    yield from _schemas("input", "input", compare(old.input_schema, new.input_schema))
    yield from _schemas(
        "output", "output", compare(old.output_schema, new.output_schema, filled=False)
    )
    if old.output_schema is None and new.output_schema is None:
        yield from _undeclared_output(old.output, new.output)
    for name in sorted({*old.signals, *new.signals}):
        if name not in new.signals:
            yield Reason("signal-removed", f"signal {name}: removed")
        elif name not in old.signals:
            yield Reason("signal-added", f"signal {name}: added")
        else:
            before, after = old.signals[name], new.signals[name]
            found = compare(before.payload_schema, after.payload_schema, filled=False)
            yield from _schemas("signal", f"signal {name}", found)


def _schemas(part: str, title: str, found: Iterable[Difference]) -> Iterator[Reason]:
    for one in found:
        yield Reason(_CONTRACT[part, one.effect], f"{title} {one.path}: {one.text}")


def _undeclared_output(old: Any, new: Any) -> Iterator[Reason]:
    """Without a schema, the fields of `output` are what callers see."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return
    for name in sorted(old.keys() - new.keys()):
        yield Reason("output-removed", f"output /{name}: field removed")


def _whole(
    old: StepGraph, new: StepGraph, previous: str | None, semantics: tuple[int, int]
) -> Iterator[Reason]:
    if old.name != new.name:
        yield Reason("name", f"name: {old.name} -> {new.name}")
    if old.dsl != new.dsl:
        yield Reason("dsl", f"dsl: {old.dsl} -> {new.dsl}")
    if semantics[0] != semantics[1]:
        yield Reason("semantics", f"semantics level: {semantics[0]} -> {semantics[1]}")
    accepted = new.accepts_state_from
    if old.accepts_state_from != accepted:
        line = f"accepts_state_from: {old.accepts_state_from or 'any'} -> {accepted or 'any'}"
        yield Reason("accepts", line)
    if accepted is not None and previous is not None:
        version = parse_version(previous)
        if not VersionRange.parse(accepted).matches(version):
            line = f"accepts_state_from: `{accepted}` does not accept {previous}"
            yield Reason("refuses-previous", line)


def _steps(old: StepGraph, new: StepGraph) -> Iterator[Reason]:
    if canonical(old) == canonical(new):
        return
    known, order = _called(old), _order(new)
    for change in diff(old, new):
        first = (change.field or "").partition(".")[0]
        if not change.path and first in _CONTRACT_FIELDS:
            continue
        yield Reason(_rule(change, known, order), change.line)


def _rule(change: Change, known: set[tuple[str, str]], order: list[tuple[str, Step]]) -> str:
    match change.kind:
        case "removed":
            return "step-gone"
        case "moved":
            return "step-moved"
        case "added":
            return _added(change.path, known, order)
        case "changed":
            return _changed(change, known)


def _added(path: str, known: set[tuple[str, str]], order: list[tuple[str, Step]]) -> str:
    """A new step, with all that is in it."""
    paths = [one for one, _ in order]
    start = paths.index(path)
    end = start + 1
    while end < len(paths) and paths[end].startswith(f"{path}/"):
        end += 1
    inside = [step for _, step in order[start:end]]
    if any((call := _call(step)) is not None and call not in known for step in inside):
        return "new-call"
    # What waits inside the step, or could wait behind it.
    waiting = any(_kind(step) in _WAITS for _, step in order[start:])
    return "new-step" if waiting else "step-at-the-end"


def _changed(change: Change, known: set[tuple[str, str]]) -> str:
    field = change.field or ""
    if field == "kind":
        return "step-kind"
    if field in ("activity", "workflow"):
        call = (field, str(change.after))
        return "option" if call in known else "new-call"
    # A whole record that came or went, not a part of one that stayed.
    whole = change.before is None or change.after is None
    if field.startswith(_BRANCHING) and (field == "branches" or (whole and "." not in field)):
        return "branch"
    return "option"


def _called(graph: StepGraph) -> set[tuple[str, str]]:
    return {call for _, step in _order(graph) if (call := _call(step)) is not None}


def _call(step: Step) -> tuple[str, str] | None:
    word = _CALLS.get(_kind(step))
    return None if word is None else (word, str(getattr(step, word)))


def _kind(step: Step) -> str:
    return str(step.__struct_config__.tag)


def _order(graph: StepGraph) -> list[tuple[str, Step]]:
    """Every step with its path, in the order of the file."""
    found: list[tuple[str, Step]] = []

    def take(record: Any, above: str) -> None:
        for name in record.__struct_fields__:
            value = getattr(record, name)
            if not isinstance(value, tuple):
                continue
            for item in value:
                if not isinstance(item, msgspec.Struct):
                    continue
                identity = getattr(item, "id", None)
                if identity is None:  # a clause, case or branch: no step, but steps stand in it
                    take(item, above)
                else:
                    path = f"{above}/{identity}" if above else str(identity)
                    found.append((path, item))  # type: ignore[arg-type]  # what has an id is a step
                    take(item, path)

    take(graph, "")
    return found
