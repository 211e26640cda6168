"""The workflow language as data: keys, step kinds, options, clauses, branches, retry.

One reader checks files by it (`schema`), one writes the JSON Schema for editors (`json_schema`).
Must not know how either works. What a `Shape` admits is in its comment.

Rule 1: a key is described here and nowhere else. Its description is a sentence an editor can show
on hover; its default is stated when leaving it out means something.
Rule 2: a key that is planned but not built is `not_yet`: it is named in one error, not "unknown".
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec


class Shape(Enum):
    """What may stand as a value."""

    STEPS = "a list of steps"
    CLAUSES = "a list of catch clauses"
    CASES = "a list of cases"
    BRANCHES = "a mapping of branches"
    RETRY = "a retry policy, or the name of one"
    RETRY_POLICIES = "a mapping of retry policies"
    SIGNALS = "a mapping of signals"
    DEFAULTS = "a mapping from step kinds to their options"
    RAISE = "an error, or one expression that is one"
    SLEEP = "a duration, or `until:` with a time"
    VALUE = "a value"  # any YAML data, its scalars may be expressions
    MAPPING_VALUE = "a mapping, or one expression that is one"
    LIST_VALUE = "a list, or one expression that is one"
    TEXT_VALUE = "text"  # may hold expressions
    NAMED_VALUES = "a mapping of names to values"
    CONDITION = "one expression of type boolean"
    DURATION = "a duration"
    DURATION_VALUE = "a duration, or an expression that is one"
    NAME = "a name"
    ACTIVITY = "the name of an activity"
    WORKFLOW = "the name of a workflow, with a version range"
    WORKFLOW_NAME = "a workflow name"
    VERSION = "a version"
    VERSION_RANGE = "a version range"
    NEXT_VERSION = "`policy`, `pinned` or a version range"
    ERROR_TYPE = "an error type"
    ERROR_TYPES = "a list of error types"
    TEXT = "a literal text"  # for people, or a name of no fixed form
    TEXTS = "a list of texts"
    CHOICE = "one of a few words"
    INTEGER = "a whole number"
    NUMBER = "a number"
    BOOLEAN = "`true` or `false`"
    JOIN = "`all` or a whole number"
    FAILURES = "a whole number or a percentage"
    SCHEMA = "a JSON Schema"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a mapping of the language."""

    name: str
    shape: Shape
    description: str
    required: bool = False
    default: str | int | float | bool | None = None
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    examples: tuple[object, ...] = ()
    not_yet: str | None = None  # what to do instead, for now


class StepKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of step: its key with the operand, and the options beside it."""

    operand: Field
    options: tuple[Field, ...] = ()

    @property
    def name(self) -> str:
        """The key that makes a step this kind."""
        return self.operand.name

    def option(self, name: str) -> Field | None:
        """The option of that name, common ones included."""
        return next((one for one in (*COMMON, *self.options) if one.name == name), None)


RETRY: Final = (
    Field(
        name="max_attempts",
        shape=Shape.INTEGER,
        minimum=1,
        default=3,
        description="How often the work is tried in all, the first attempt included.",
        examples=(5,),
    ),
    Field(
        name="backoff",
        shape=Shape.CHOICE,
        choices=("fixed", "linear", "exponential"),
        default="exponential",
        description="How the delay grows from one attempt to the next.",
        examples=("exponential",),
    ),
    Field(
        name="delay",
        shape=Shape.DURATION,
        default="1s",
        description="The wait before the second attempt.",
        examples=("2s",),
    ),
    Field(
        name="factor",
        shape=Shape.NUMBER,
        minimum=1,
        default=2.0,
        description="What an exponential delay is multiplied by each time.",
        examples=(1.5,),
    ),
    Field(
        name="max_delay",
        shape=Shape.DURATION,
        default="1m",
        description="The longest wait between two attempts.",
        examples=("30s",),
    ),
    Field(
        name="jitter",
        shape=Shape.NUMBER,
        minimum=0,
        maximum=1,
        default=0,
        description="How far a delay may stray: 0.2 scales it by something in 0.8 to 1.2.",
        examples=(0.2,),
    ),
    Field(
        name="attempt_timeout",
        shape=Shape.DURATION,
        description="How long one attempt may take; one that is cut off may be tried again.",
        examples=("1m",),
    ),
    Field(
        name="max_elapsed",
        shape=Shape.DURATION,
        description="No wait is begun past this time, counted from the first attempt.",
        examples=("10m",),
    ),
    Field(
        name="retry_on",
        shape=Shape.ERROR_TYPES,
        description="Try again only after errors of these types; globs are allowed.",
        examples=(["net.*"],),
    ),
    Field(
        name="give_up_on",
        shape=Shape.ERROR_TYPES,
        description="Never try again after errors of these types; beats `retry_on`.",
        examples=(["payments.declined"],),
    ),
)

CLAUSE: Final = (
    Field(
        name="on",
        shape=Shape.ERROR_TYPES,
        description="The error types this clause takes, globs allowed; left out, it takes any.",
        examples=(["payments.*"],),
    ),
    Field(
        name="when",
        shape=Shape.CONDITION,
        description="A guard over `error`: the clause is passed over unless it is true.",
        examples=("${{ error.details.code == 409 }}",),
    ),
    Field(
        name="steps",
        shape=Shape.STEPS,
        required=True,
        description="What is done about the error, which is bound to `error` in here.",
    ),
)

VARS: Final = Field(
    name="vars",
    shape=Shape.NAMED_VALUES,
    description="Variables of this block with their first values, read as `vars.<name>`.",
    examples=({"total": 0},),
)

BRANCH: Final = (
    Field(
        name="steps",
        shape=Shape.STEPS,
        required=True,
        description="The steps of the branch.",
    ),
    Field(
        name="output",
        shape=Shape.VALUE,
        description="What the branch yields, in place of its last step's output.",
        examples=("${{ steps.probe.output.ok }}",),
    ),
    VARS,
)

CASE: Final = (
    Field(
        name="when",
        shape=Shape.CONDITION,
        description="The case is taken when this is the first of the cases to be true.",
        examples=("${{ input.kind == 'express' }}",),
    ),
    Field(name="steps", shape=Shape.STEPS, description="What is done in this case."),
    Field(
        name="else",
        shape=Shape.STEPS,
        description="What is done when no case is taken; stands alone, as the last one.",
    ),
)

SIGNAL: Final = (
    Field(
        name="schema",
        shape=Shape.SCHEMA,
        description="The JSON Schema of the payload; a sender whose payload differs is refused.",
        examples=({"type": "object"},),
    ),
    Field(
        name="key",
        shape=Shape.VALUE,
        description="A key under which the instance can be addressed.",
        not_yet="send the signal to an instance id",
    ),
)

ERROR: Final = (
    Field(
        name="type",
        shape=Shape.ERROR_TYPE,
        required=True,
        description="The dotted type of the error, which `catch` clauses name.",
        examples=("order.out_of_stock",),
    ),
    Field(
        name="message",
        shape=Shape.TEXT_VALUE,
        required=True,
        description="What happened, for people.",
        examples=("no stock for ${{ input.sku }}",),
    ),
    Field(
        name="details",
        shape=Shape.VALUE,
        description="More about the error, for programs.",
        examples=({"sku": "${{ input.sku }}"},),
    ),
    Field(
        name="retryable",
        shape=Shape.BOOLEAN,
        default=False,
        description="Whether a retry around this error may try again.",
    ),
)

SLEEP_UNTIL: Final = (
    Field(
        name="until",
        shape=Shape.TEXT_VALUE,
        required=True,
        description="The instant to sleep to, RFC 3339 text.",
        examples=("${{ input.due_at }}",),
    ),
)

COMMON: Final = (
    Field(
        name="id",
        shape=Shape.NAME,
        description="The name under which later steps read this one: `steps.<id>`.",
        examples=("charge",),
    ),
    Field(
        name="description",
        shape=Shape.TEXT,
        description="What the step is for; shown to people and never part of the revision.",
        examples=("Take the money before anything leaves the house",),
    ),
    Field(
        name="when",
        shape=Shape.CONDITION,
        description="A guard: the step is skipped unless this is true.",
        examples=("${{ input.amount > 0 }}",),
    ),
    Field(
        name="output",
        shape=Shape.VALUE,
        description="What `.output` of this step will be, in place of what the kind yields.",
        examples=("${{ result.items }}",),
    ),
)
