"""The reader of the grammar: does a tree have the form of a workflow?

Owns E103, E120, E203 to E206 and the structural part of E112 and E113. Single values are checked
by `literals`; the JSON Schemas found on the way are handed out to be checked later.

Rule 1: one error per cause. A key that is misspelled is not also reported as missing, and a step
whose kind is unclear is not looked into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.definition.document import Entry, Mapping, Node, Scalar, Sequence
from engine.definition.grammar import (
    BRANCH,
    CASE,
    CLAUSE,
    COMMON,
    ERROR,
    RETRY,
    SIGNAL,
    SLEEP_UNTIL,
    Field,
    Shape,
    StepKind,
)
from engine.definition.grammar_steps import DEFAULTABLE, STEP_KINDS
from engine.definition.grammar_workflow import WORKFLOW
from engine.definition.literals import (
    LITERALS,
    NAME,
    bad_name,
    check_duration_value,
    check_error_glob,
    check_name,
    expression_span,
    holds_expression,
    literal_text,
    wrong_shape,
)
from engine.definition.spell import suggest
from engine.definition.wording import example, listed, noun, shorten, start_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.definition.diagnostic import Report


class SchemaNode(msgspec.Struct, frozen=True):
    """A JSON Schema that stands in the file, under its key."""

    name: str
    node: Node


class Checked(msgspec.Struct, frozen=True):
    """What the reader saw: the root when it is a mapping, and the schemas in it."""

    root: Mapping | None
    schemas: tuple[SchemaNode, ...]


def check(tree: Node, report: Report) -> Checked:
    """Check a tree by the grammar; findings go to the report."""
    if not isinstance(tree, Mapping):
        report.error(
            "E112",
            start_of(tree),
            f"a workflow file is a mapping, not {noun(tree)}",
            mend="begin with `dsl: 1`",
        )
        return Checked(None, ())
    reader = _Reader(report)
    reader.fields(tree, WORKFLOW, owner="a workflow", unknown="E103")
    return Checked(tree, tuple(reader.schemas))


class _Reader:
    """Walks a tree along the grammar."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.schemas: list[SchemaNode] = []
        self._shapes: dict[Shape, Callable[[Field, Node], None]] = {
            Shape.STEPS: self._steps,
            Shape.CLAUSES: self._clauses,
            Shape.CASES: self._cases,
            Shape.BRANCHES: self._branches,
            Shape.RETRY: self._retry,
            Shape.RETRY_POLICIES: self._retry_policies,
            Shape.SIGNALS: self._signals,
            Shape.DEFAULTS: self._defaults,
            Shape.RAISE: self._raise,
            Shape.SLEEP: self._sleep,
            Shape.VALUE: self._value,
            Shape.MAPPING_VALUE: self._mapping_value,
            Shape.LIST_VALUE: self._list_value,
            Shape.NAMED_VALUES: self._named_values,
            Shape.ERROR_TYPES: self._error_types,
            Shape.TEXTS: self._texts,
            Shape.SCHEMA: self._schema,
        }

    # --- mappings with known keys -------------------------------------------------------------

    def fields(
        self, node: Mapping, fields: tuple[Field, ...], *, owner: str, unknown: str = "E205"
    ) -> None:
        """Check a mapping whose keys are these fields."""
        known = {field.name: field for field in fields}
        guessed: set[str] = set()
        for entry in node.entries:
            field = known.get(entry.key.text)
            if field is not None:
                self._field(field, entry)
                continue
            if self.report.full:
                return
            close = suggest(entry.key.text, known)
            guessed.update(close)
            self.report.error(
                unknown,
                entry.key.span,
                f"{owner} has no key `{shorten(entry.key.text)}`",
                mend=None if close else f"the keys are {listed(known)}",
                suggestions=close,
            )
        self._require(node, fields, owner, present={*node.keys(), *guessed})

    def _field(self, field: Field, entry: Entry) -> None:
        if field.not_yet is not None:
            self.report.error(
                "E120",
                entry.key.span,
                f"`{field.name}` is not supported yet by this engine version",
                mend=field.not_yet,
            )
            return
        self._shape(field, entry.value)

    def _shape(self, field: Field, node: Node) -> None:
        check_literal = LITERALS.get(field.shape)
        if check_literal is not None:
            check_literal(self.report, field, node)
        else:
            self._shapes[field.shape](field, node)

    def _require(
        self, node: Mapping, fields: tuple[Field, ...], owner: str, present: set[str]
    ) -> None:
        for field in fields:
            if field.required and field.name not in present:
                code = "E314" if field.name == "max_iterations" else "E113"
                self.report.error(
                    code,
                    start_of(node),
                    f"{owner} needs `{field.name}`",
                    why=field.description,
                    mend=example(field),
                )

    def _mapping(self, field: Field, node: Node) -> Mapping | None:
        if isinstance(node, Mapping):
            return node
        wrong_shape(self.report, field, node)
        return None

    def _items(self, field: Field, node: Node, *, mend: str) -> tuple[Node, ...]:
        """The items of a list that must not be empty."""
        if isinstance(node, Sequence):
            if not node.items:
                self._empty(field.name, node)
            return node.items
        if isinstance(node, Scalar) and node.value is None:
            self._empty(field.name, node)
        else:
            wrong_shape(self.report, field, node, mend=mend)
        return ()

    def _empty(self, name: str, node: Node) -> None:
        self.report.error(
            "E206", start_of(node), f"`{name}` is empty", mend="remove it, or put a step into it"
        )

    # --- steps --------------------------------------------------------------------------------

    def _steps(self, field: Field, node: Node) -> None:
        for item in self._items(field, node, mend="begin each step with `- `"):
            if self.report.full:
                return
            self._step(item)

    def _step(self, node: Node) -> None:
        if not isinstance(node, Mapping):
            word = node.text if isinstance(node, Scalar) else ""
            self.report.error(
                "E112",
                start_of(node),
                f"a step is a mapping, not {noun(node)}",
                mend=f"write `- {word}:`" if word in STEP_KINDS else "write `- activity: …`",
            )
            return
        kinds = [entry for entry in node.entries if entry.key.text in STEP_KINDS]
        if not kinds:
            self._no_kind(node)
        elif len(kinds) > 1:
            first, second = kinds[0].key, kinds[1].key
            self.report.error(
                "E204",
                second.span,
                f"`{second.text}` makes this step a second kind",
                why=f"it is `{first.text}` already (line {first.span.line})",
                mend="make two steps of it",
            )
        else:
            self._step_of(STEP_KINDS[kinds[0].key.text], kinds[0], node)

    def _no_kind(self, node: Mapping) -> None:
        common = {field.name for field in COMMON}
        for entry in node.entries:
            key = entry.key.text
            if key in common or _kinds_taking(key):
                continue
            close = suggest(key, _available())
            self.report.error(
                "E203",
                entry.key.span,
                f"`{shorten(key)}` is no step kind",
                suggestions=close,
                mend=None if close else f"the kinds are {listed(_available())}",
            )
            return
        keys = node.keys()
        option = next((key for key in keys if _kinds_taking(key)), None)
        self.report.error(
            "E203",
            start_of(node),
            "this step has no kind",
            why=f"`{option}` is an option of {listed(_kinds_taking(option))}" if option else None,
            mend=f"the kinds are {listed(_available())}",
        )

    def _step_of(self, kind: StepKind, operand: Entry, node: Mapping) -> None:
        if kind.operand.not_yet is not None:
            self._field(kind.operand, operand)
            return
        guessed: set[str] = set()
        for entry in node.entries:
            key = entry.key.text
            if entry is operand:
                self._field(kind.operand, entry)
                continue
            field = kind.option(key)
            if field is not None:
                self._field(field, entry)
                continue
            guessed.update(self._unknown_option(kind, entry.key))
        self._require(node, kind.options, f"`{kind.name}`", {*node.keys(), *guessed})

    def _unknown_option(self, kind: StepKind, key: Scalar) -> tuple[str, ...]:
        names = [field.name for field in (*COMMON, *kind.options)]
        takers = _kinds_taking(key.text)
        close = suggest(key.text, names)
        own = [field.name for field in kind.options]
        self.report.error(
            "E205",
            key.span,
            f"`{kind.name}` takes no option `{shorten(key.text)}`",
            why=f"{listed(takers)} {'takes' if len(takers) == 1 else 'take'} it"
            if takers
            else None,
            mend=None
            if close
            else f"it takes {listed([*own, 'id', 'when', 'description', 'output'])}",
            suggestions=close,
        )
        return close

    # --- parts of steps -----------------------------------------------------------------------

    def _clauses(self, field: Field, node: Node) -> None:
        for item in self._items(field, node, mend="begin each clause with `- `"):
            if isinstance(item, Mapping):
                self.fields(item, CLAUSE, owner="a catch clause")
            else:
                self._part(item, "a catch clause", "write `- steps: [ … ]`")

    def _part(self, node: Node, what: str, mend: str) -> None:
        self.report.error(
            "E112", start_of(node), f"{what} is a mapping, not {noun(node)}", mend=mend
        )

    def _cases(self, field: Field, node: Node) -> None:
        items = self._items(field, node, mend="begin each case with `- when:`")
        for item in items:
            if not isinstance(item, Mapping):
                self._part(item, "a case", "write `- when: …` and `steps:`")
                continue
            self.fields(item, CASE, owner="a case")
            self._case(item, last=item is items[-1])

    def _case(self, node: Mapping, *, last: bool) -> None:
        otherwise = node.entry("else")
        if otherwise is None:
            for name in ("when", "steps"):
                if node.get(name) is None and set(node.keys()) <= {"when", "steps"}:
                    self.report.error(
                        "E113",
                        start_of(node),
                        f"a case needs `{name}`",
                        mend="write `- when: …` and `steps:`, or `- else:`",
                    )
            return
        if len(node.entries) > 1:
            self.report.error(
                "E112",
                otherwise.key.span,
                "`else` stands alone in its case",
                mend="make a last case `- else:` of it",
            )
        elif not last:
            self.report.error(
                "E112",
                otherwise.key.span,
                "`else` is not the last case",
                why="the cases after it would never be taken",
                mend="move it to the end",
            )

    def _branches(self, field: Field, node: Node) -> None:
        mapping = self._mapping(field, node)
        if mapping is None:
            return
        if not mapping.entries:
            self._empty(field.name, mapping)
        for entry in mapping.entries:
            self._named(entry, "a branch")
            if isinstance(entry.value, Mapping):
                self.fields(entry.value, BRANCH, owner="a branch")
            else:
                branch = Field(name=entry.key.text, shape=Shape.STEPS, description="")
                self._steps(branch, entry.value)

    def _named(self, entry: Entry, what: str) -> None:
        if not NAME.fullmatch(entry.key.text) and not self._expression_key(entry):
            bad_name(self.report, what, entry.key.text, entry.key.span)

    def _retry(self, field: Field, node: Node) -> None:
        if isinstance(node, Mapping):
            self.fields(node, RETRY, owner="a retry policy")
        elif isinstance(node, Scalar) and isinstance(node.value, str):
            check_name(self.report, field, node)
        else:
            wrong_shape(self.report, field, node)

    def _retry_policies(self, field: Field, node: Node) -> None:
        mapping = self._mapping(field, node)
        for entry in mapping.entries if mapping else ():
            self._named(entry, "a retry policy")
            if isinstance(entry.value, Mapping):
                self.fields(entry.value, RETRY, owner="a retry policy")
            else:
                self._part(entry.value, "a retry policy", "for example `{ max_attempts: 5 }`")

    def _signals(self, field: Field, node: Node) -> None:
        mapping = self._mapping(field, node)
        for entry in mapping.entries if mapping else ():
            self._named(entry, "a signal")
            if isinstance(entry.value, Mapping):
                self.fields(entry.value, SIGNAL, owner="a signal")
            else:
                self._part(entry.value, "a signal", f"write `{shorten(entry.key.text)}: {{}}`")

    def _defaults(self, field: Field, node: Node) -> None:
        mapping = self._mapping(field, node)
        for entry in mapping.entries if mapping else ():
            kind = STEP_KINDS.get(entry.key.text)
            if kind is None or kind.operand.not_yet is not None:
                self.report.error(
                    "E203",
                    entry.key.span,
                    f"`{shorten(entry.key.text)}` is no step kind",
                    suggestions=suggest(entry.key.text, _available()),
                )
                continue
            if not isinstance(entry.value, Mapping):
                self._part(
                    entry.value, f"the default of `{kind.name}`", "for example `{ timeout: 30s }`"
                )
                continue
            options = tuple(option for option in kind.options if option.name in DEFAULTABLE)
            self.fields(entry.value, options, owner=f"the default of `{kind.name}`")

    def _raise(self, field: Field, node: Node) -> None:
        if isinstance(node, Mapping):
            self.fields(node, ERROR, owner="an error")
        elif not holds_expression(node):
            wrong_shape(self.report, field, node)

    def _sleep(self, field: Field, node: Node) -> None:
        if isinstance(node, Mapping):
            self.fields(node, SLEEP_UNTIL, owner="`sleep`")
        else:
            check_duration_value(self.report, field, node)

    # --- values -------------------------------------------------------------------------------

    def _value(self, field: Field, node: Node) -> None:
        """Any data; only its keys must not be expressions."""
        if isinstance(node, Mapping):
            for entry in node.entries:
                self._expression_key(entry)
                self._value(field, entry.value)
        elif isinstance(node, Sequence):
            for item in node.items:
                self._value(field, item)

    def _expression_key(self, entry: Entry) -> bool:
        if not holds_expression(entry.key):
            return False
        self.report.error(
            "E233",
            expression_span(entry.key),
            "a key takes no expression",
            mend="build the mapping in one expression, for example with `| merge({…})`",
        )
        return True

    def _mapping_value(self, field: Field, node: Node) -> None:
        if isinstance(node, Mapping) or holds_expression(node):
            self._value(field, node)
        else:
            wrong_shape(self.report, field, node)

    def _list_value(self, field: Field, node: Node) -> None:
        if isinstance(node, Sequence) or holds_expression(node):
            self._value(field, node)
        else:
            wrong_shape(self.report, field, node)

    def _named_values(self, field: Field, node: Node) -> None:
        mapping = self._mapping(field, node)
        for entry in mapping.entries if mapping else ():
            self._named(entry, f"a key of `{field.name}`")
            self._value(field, entry.value)

    def _error_types(self, field: Field, node: Node) -> None:
        if not isinstance(node, Sequence):
            word = shorten(node.text) if isinstance(node, Scalar) and node.text else "payments.*"
            wrong_shape(self.report, field, node, mend=f"write `{field.name}: [{word}]`")
            return
        for item in node.items:
            check_error_glob(self.report, field, item)

    def _texts(self, field: Field, node: Node) -> None:
        if not isinstance(node, Sequence):
            word = shorten(node.text) if isinstance(node, Scalar) and node.text else "…"
            wrong_shape(self.report, field, node, mend=f"write `{field.name}: [{word}]`")
            return
        for item in node.items:
            literal_text(self.report, field, item)

    def _schema(self, field: Field, node: Node) -> None:
        self.schemas.append(SchemaNode(field.name, node))


def _kinds_taking(option: str) -> tuple[str, ...]:
    return tuple(
        kind.name
        for kind in STEP_KINDS.values()
        if any(field.name == option for field in kind.options)
    )


def _available() -> tuple[str, ...]:
    return tuple(name for name, kind in STEP_KINDS.items() if kind.operand.not_yet is None)
