"""The step kinds of the language, as data; part of `grammar`, whose rules hold here."""

from __future__ import annotations

from typing import Final

from engine.definition.grammar import VARS, Field, Shape, StepKind

_WITH: Final = Field(
    name="with",
    shape=Shape.MAPPING_VALUE,
    description="The arguments, rendered once per step and not per attempt.",
    examples=({"order_id": "${{ input.order_id }}"},),
)
_RETRY: Final = Field(
    name="retry",
    shape=Shape.RETRY,
    description="When a failed attempt is tried again; left out, there is one attempt.",
    examples=({"max_attempts": 5, "backoff": "exponential", "delay": "1s"}, "patient"),
)
_TIMEOUT: Final = Field(
    name="timeout",
    shape=Shape.DURATION,
    description="How long all attempts and the waits between them may take: `sys.timeout` after.",
    examples=("2m",),
)
_BODY_TIMEOUT: Final = Field(
    name="timeout",
    shape=Shape.DURATION,
    description="How long the block may take; `sys.timeout` is raised inside it after that.",
    examples=("10m",),
)
_COMPENSATE: Final = Field(
    name="compensate",
    shape=Shape.STEPS,
    description="How to undo this step; run when the `saga` around it is left by an error.",
)
_CONTINUE_ON_ERROR: Final = Field(
    name="continue_on_error",
    shape=Shape.BOOLEAN,
    default=False,
    description="Go on after a failure; `steps.<id>.status` tells what happened.",
    examples=(True,),
)
_INSTANCE_ID: Final = Field(
    name="instance_id",
    shape=Shape.TEXT_VALUE,
    description="The id of the new instance; left out, one is derived from this step.",
    examples=("order-${{ input.order_id }}",),
)
_CATCH: Final = Field(
    name="catch",
    shape=Shape.CLAUSES,
    description="What is done about errors; the first clause that matches is taken.",
)
_FINALLY: Final = Field(
    name="finally",
    shape=Shape.STEPS,
    description="Steps that run however the block ended, cancellation included.",
)
_MAX_ITERATIONS: Final = Field(
    name="max_iterations",
    shape=Shape.INTEGER,
    minimum=1,
    required=True,
    description="The most turns the loop takes; running out raises `sys.loop_exhausted`.",
    examples=(60,),
)
_EVERY: Final = Field(
    name="every",
    shape=Shape.DURATION,
    description="The wait between one turn and the next.",
    examples=("5s",),
)


def _steps(description: str) -> Field:
    return Field(name="steps", shape=Shape.STEPS, required=True, description=description)


_ACTIVITY: Final = StepKind(
    operand=Field(
        name="activity",
        shape=Shape.ACTIVITY,
        description="Call a registered Python function; its result is the output.",
        examples=("payments.charge",),
    ),
    options=(
        _WITH,
        _RETRY,
        _TIMEOUT,
        Field(
            name="queue",
            shape=Shape.TEXT,
            default="default",
            description="The task queue whose workers run the activity.",
            examples=("gpu",),
        ),
        Field(
            name="session",
            shape=Shape.VALUE,
            description="A key whose steps all run on one worker.",
            not_yet="route the steps with `queue:` to one worker",
        ),
        Field(
            name="heartbeat",
            shape=Shape.DURATION,
            description="The longest silence of the activity before its attempt counts as lost.",
            examples=("10s",),
        ),
        _COMPENSATE,
        _CONTINUE_ON_ERROR,
    ),
)

_WORKFLOW: Final = StepKind(
    operand=Field(
        name="workflow",
        shape=Shape.WORKFLOW,
        description="Run another workflow and wait for its output.",
        examples=("etl/extract@^2.1",),
    ),
    options=(_WITH, _INSTANCE_ID, _RETRY, _TIMEOUT, _COMPENSATE, _CONTINUE_ON_ERROR),
)

_START: Final = StepKind(
    operand=Field(
        name="start",
        shape=Shape.WORKFLOW,
        description="Start another workflow without waiting; the output is {instance_id}.",
        examples=("instance-actor@^1",),
    ),
    options=(_WITH, _INSTANCE_ID),
)

_SET: Final = StepKind(
    operand=Field(
        name="set",
        shape=Shape.NAMED_VALUES,
        description="Assign declared variables; all values are rendered before any is assigned.",
        examples=({"level": "${{ vars.level + 1 }}"},),
    ),
)

_DO: Final = StepKind(
    operand=Field(
        name="do", shape=Shape.STEPS, description="A block with variables and options of its own."
    ),
    options=(
        VARS,
        _BODY_TIMEOUT,
        Field(
            name="retry",
            shape=Shape.RETRY,
            description="When a failed block is begun again, its variables reset.",
            examples=({"max_attempts": 3},),
        ),
        Field(
            name="lock",
            shape=Shape.VALUE,
            description="A key only one instance holds at a time.",
            not_yet="serialise through one instance that takes signals",
        ),
        _CONTINUE_ON_ERROR,
    ),
)

_IF: Final = StepKind(
    operand=Field(
        name="if",
        shape=Shape.CONDITION,
        description="Take `then` when this is true, else `else`.",
        examples=("${{ input.express }}",),
    ),
    options=(
        Field(
            name="then",
            shape=Shape.STEPS,
            required=True,
            description="The steps taken when the condition is true.",
        ),
        Field(
            name="else",
            shape=Shape.STEPS,
            description="The steps taken when the condition is false.",
        ),
    ),
)

_SWITCH: Final = StepKind(
    operand=Field(
        name="switch",
        shape=Shape.CASES,
        description="Take the first case whose `when` is true; nothing falls through.",
    ),
)

_FOREACH: Final = StepKind(
    operand=Field(
        name="foreach",
        shape=Shape.LIST_VALUE,
        description="Run the steps once per item; the output is the list of their outputs.",
        examples=("${{ input.files }}",),
    ),
    options=(
        Field(
            name="as",
            shape=Shape.NAME,
            default="item",
            description="The name of the item inside the loop.",
            examples=("file",),
        ),
        _steps("What is done for each item."),
        Field(
            name="concurrency",
            shape=Shape.INTEGER,
            minimum=1,
            default=1,
            description="How many items are worked on at once.",
            examples=(20,),
        ),
        Field(
            name="batch",
            shape=Shape.INTEGER,
            minimum=1,
            description="Hand out items in lists of at most this many.",
            examples=(50,),
        ),
        Field(
            name="max_failures",
            shape=Shape.FAILURES,
            minimum=0,
            default=0,
            description="How many items may fail, or what share of them, before the step does.",
            examples=("5%", 3),
        ),
        VARS,
    ),
)

_WHILE: Final = StepKind(
    operand=Field(
        name="while",
        shape=Shape.CONDITION,
        description="Repeat the steps as long as this is true; tested before each turn.",
        examples=("${{ vars.level < 3 }}",),
    ),
    options=(_steps("What is repeated."), _MAX_ITERATIONS, _EVERY, VARS),
)

_UNTIL: Final = StepKind(
    operand=Field(
        name="until",
        shape=Shape.CONDITION,
        description="Repeat the steps until this is true; tested after each turn.",
        examples=("${{ steps.pod.output.is_ready }}",),
    ),
    options=(_steps("What is repeated."), _MAX_ITERATIONS, _EVERY, VARS),
)

_PARALLEL: Final = StepKind(
    operand=Field(
        name="parallel",
        shape=Shape.BRANCHES,
        description="Run branches side by side; the output maps their names to their outputs.",
    ),
    options=(
        Field(
            name="join",
            shape=Shape.JOIN,
            minimum=1,
            default="all",
            description="How many branches must succeed; the others are cancelled then.",
            examples=("all", 2),
        ),
        Field(
            name="on_error",
            shape=Shape.CHOICE,
            choices=("fail_fast", "wait_all"),
            default="fail_fast",
            description="Whether a failing branch cancels the others or waits for them.",
            examples=("wait_all",),
        ),
    ),
)

_RACE: Final = StepKind(
    operand=Field(
        name="race",
        shape=Shape.BRANCHES,
        description="The first branch to end wins, error or not; the output is {winner, value}.",
    ),
)

_TRY: Final = StepKind(
    operand=Field(
        name="try", shape=Shape.STEPS, description="A block whose errors are caught below it."
    ),
    options=(_CATCH, _FINALLY, _BODY_TIMEOUT),
)

_SAGA: Final = StepKind(
    operand=Field(
        name="saga",
        shape=Shape.STEPS,
        description="A block that is undone when an error leaves it: newest `compensate` first.",
    ),
    options=(_CATCH, _FINALLY, _BODY_TIMEOUT),
)

_SLEEP: Final = StepKind(
    operand=Field(
        name="sleep",
        shape=Shape.SLEEP,
        description="Wait for a time, durably.",
        examples=("30s", {"until": "${{ input.due_at }}"}),
    ),
)

_WAIT: Final = StepKind(
    operand=Field(
        name="wait",
        shape=Shape.NAME,
        description="Take the oldest signal of this name; its payload is the output.",
        examples=("approved",),
    ),
    options=(
        Field(
            name="where",
            shape=Shape.CONDITION,
            description="Take only a signal for which this is true; `event` is its payload.",
            examples=("${{ event.by == input.approver }}",),
        ),
        Field(
            name="timeout",
            shape=Shape.DURATION_VALUE,
            description="How long to wait; after it `default`, or the error `sys.timeout`.",
            examples=("2d", "${{ input.patience }}"),
        ),
        Field(
            name="default",
            shape=Shape.VALUE,
            description="The output when no signal came in time.",
            examples=({"decision": "pending"},),
        ),
    ),
)

_SIGNAL: Final = StepKind(
    operand=Field(
        name="signal",
        shape=Shape.NAME,
        description="Send a signal to another instance.",
        examples=("check_now",),
    ),
    options=(
        Field(
            name="to",
            shape=Shape.TEXT_VALUE,
            required=True,
            description="The id of the instance that gets it.",
            examples=("order-${{ input.order_id }}",),
        ),
        Field(
            name="with",
            shape=Shape.VALUE,
            description="The payload.",
            examples=({"by": "${{ instance.id }}"},),
        ),
    ),
)

_APPROVAL: Final = StepKind(
    operand=Field(
        name="approval",
        shape=Shape.VALUE,
        description="Ask people for a decision.",
        not_yet="declare a signal and `wait:` for it",
    ),
)

_RAISE: Final = StepKind(
    operand=Field(
        name="raise",
        shape=Shape.RAISE,
        description="Raise an error, or raise a caught one again.",
        examples=({"type": "order.empty", "message": "no items"}, "${{ error }}"),
    ),
)

_RETURN: Final = StepKind(
    operand=Field(
        name="return",
        shape=Shape.VALUE,
        description="End the workflow with this output.",
        examples=({"status": "declined"},),
    ),
)

_CONTINUE_AS_NEW: Final = StepKind(
    operand=Field(
        name="continue_as_new",
        shape=Shape.VALUE,
        description="End this execution and begin the next with this input and no history.",
        examples=({"cursor": "${{ vars.cursor }}"},),
    ),
    options=(
        Field(
            name="version",
            shape=Shape.NEXT_VERSION,
            default="policy",
            description="Which version the next execution runs.",
            examples=("policy", "pinned", "^1"),
        ),
    ),
)

_LOG: Final = StepKind(
    operand=Field(
        name="log",
        shape=Shape.TEXT_VALUE,
        description="Write one log line; replay never writes it again.",
        examples=("order ${{ input.order_id }} is late",),
    ),
    options=(
        Field(
            name="level",
            shape=Shape.CHOICE,
            choices=("debug", "info", "warning", "error"),
            default="info",
            description="How grave the line is.",
            examples=("warning",),
        ),
        Field(
            name="fields",
            shape=Shape.NAMED_VALUES,
            description="Structured data beside the text.",
            examples=({"order_id": "${{ input.order_id }}"},),
        ),
    ),
)

_STATUS: Final = StepKind(
    operand=Field(
        name="status",
        shape=Shape.VALUE,
        description="Set the custom status that people see live.",
        examples=({"phase": "deploying"},),
    ),
)

_LABEL: Final = StepKind(
    operand=Field(
        name="label",
        shape=Shape.NAMED_VALUES,
        description="Set searchable labels.",
        not_yet="show the value with `status:`",
    ),
)

_USE: Final = StepKind(
    operand=Field(
        name="use",
        shape=Shape.TEXT,
        description="Inline a fragment.",
        not_yet="call a sub-workflow with `workflow:`",
    ),
)

STEP_KINDS: Final = {
    kind.name: kind
    for kind in (
        _ACTIVITY,
        _WORKFLOW,
        _START,
        _SET,
        _DO,
        _IF,
        _SWITCH,
        _FOREACH,
        _WHILE,
        _UNTIL,
        _PARALLEL,
        _RACE,
        _TRY,
        _SAGA,
        _SLEEP,
        _WAIT,
        _SIGNAL,
        _APPROVAL,
        _RAISE,
        _RETURN,
        _CONTINUE_AS_NEW,
        _LOG,
        _STATUS,
        _LABEL,
        _USE,
    )
}

# What `defaults:` may preset: options that mean the same wherever the kind stands.
DEFAULTABLE: Final = frozenset(
    (
        "retry",
        "timeout",
        "queue",
        "heartbeat",
        "continue_on_error",
        "concurrency",
        "batch",
        "max_failures",
        "every",
        "on_error",
        "level",
    )
)
