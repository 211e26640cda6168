"""Codes found with the activities and the other workflows at hand, and warnings; see `codes`."""

from __future__ import annotations

from typing import Final

from engine.definition.code import Code

CHECKING: Final = (
    Code(
        "E301",
        "unknown activity",
        "an activity that no module registers, or only under another version",
        "use the name that is suggested, or register the function",
        "The activity would wait in its queue for a worker that knows it, perhaps for ever. The\n"
        "check compares with the activities of the modules that the project's settings name.",
        "- activity: mail.sned",
        "- activity: mail.send",
    ),
    Code(
        "E302",
        "arguments that do not fit",
        "`with` lacks a required argument, has an unknown one, or one of a wrong type",
        "follow the signature in the message",
        "The activity's type hints are its schema. What is certain to fail at run time is told\n"
        "here; values of unknown type are checked when the activity is called.",
        "- activity: mail.send\n  with: { too: ann@example.com }",
        "- activity: mail.send\n  with: { to: ann@example.com }",
    ),
    Code(
        "E303",
        "error type that cannot occur",
        "a type in `on`, `retry_on` or `give_up_on` nothing inside raises; a shadowed clause",
        "use one of the types the message lists, or reorder the clauses",
        "The first clause that matches is taken, so a clause behind a more general one is never\n"
        "reached. A type that nothing raises is usually misspelled.",
        "catch:\n  - steps: [ { log: any } ]\n"
        "  - on: [mail.bounced]\n    steps: [ { log: bounced } ]",
        "catch:\n  - on: [mail.bounced]\n    steps: [ { log: bounced } ]\n"
        "  - steps: [ { log: any } ]",
    ),
    Code(
        "E304",
        "sub-workflow that cannot start",
        "no version fits the range; the child's input schema refuses `with`; no range (warning)",
        "use a range that a version satisfies; the message names the highest",
        "A child is chosen when the step runs: the highest deployed version in the range. With\n"
        "no range, a new major version with other inputs would be taken too.",
        "- workflow: etl/extract@^9",
        "- workflow: etl/extract@^2.1",
    ),
    Code(
        "E305",
        "output against its schema",
        "`output` or a `return` that `output_schema` refuses; a path that ends without output",
        "correct the value, or end the path that is named with `return`",
        "Callers rely on the output schema. Every path to the end of the workflow must give a\n"
        "value that fits.",
        "output_schema: { type: object }\noutput: done",
        "output_schema: { type: object }\noutput: { status: done }",
    ),
    Code(
        "E310",
        "continue_as_new in the wrong place",
        "inside parallel, race, foreach, saga or finally; or with an input that does not fit",
        "move it to the end of the top level",
        "The execution ends here and the next begins with nothing but the input. Open branches\n"
        "and pending undo steps could not be carried over.",
        "- saga:\n    - continue_as_new: { page: 2 }",
        "- saga:\n    - activity: page.load\n- continue_as_new: { page: 2 }",
    ),
    Code(
        "E311",
        "leaving from the wrong place",
        "`return` inside parallel or a concurrent foreach; any leaving step in `finally`",
        "yield an `output` and decide afterwards",
        "While other branches run, `return` would have to abandon them silently. In `finally`\n"
        "it would swallow the error or cancellation that is on its way.",
        "finally:\n  - return: { ok: true }",
        "finally:\n  - log: leaving",
    ),
    Code(
        "E312",
        "compensation without a saga",
        "`compensate` outside a `saga`; an undo step with its own `compensate`",
        "wrap the steps in `saga:`",
        "Undo steps run when an error leaves the saga around them. Without a saga they would\n"
        "never run, which is the opposite of what was meant.",
        "- activity: stock.reserve\n  compensate: [ { activity: stock.release } ]",
        "- saga:\n    - activity: stock.reserve\n      compensate: [ { activity: stock.release } ]",
    ),
    Code(
        "E313",
        "number of branches",
        "`join: N` above the number of branches; a race with one branch",
        "correct the number, or add a branch",
        "A join that cannot be reached fails every time, and a race with one branch is only that\n"
        "branch.",
        "- parallel: { a: [ { log: a } ], b: [ { log: b } ] }\n  join: 3",
        "- parallel: { a: [ { log: a } ], b: [ { log: b } ] }\n  join: 2",
    ),
    Code(
        "E314",
        "loop without a bound",
        "`while` or `until` without `max_iterations`; an eternal loop without continue_as_new",
        "add `max_iterations`",
        "Each turn of a loop is recorded, so a loop without an end fills the history. Running out\n"
        "raises `sys.loop_exhausted`, which can be caught. What runs for ever uses\n"
        "`continue_as_new`.",
        "- until: ${{ steps.pod.output.ready }}\n  steps: [ { id: pod, activity: k8s.pod } ]",
        "- until: ${{ steps.pod.output.ready }}\n  max_iterations: 60\n"
        "  steps: [ { id: pod, activity: k8s.pod } ]",
    ),
    Code(
        "E315",
        "malformed duration, time or percentage",
        "a duration without unit or in ISO 8601, a cron line, a time zone, a percentage",
        "write the corrected text of the message",
        "Durations are written like `500ms`, `30s`, `5m`, `2h30m`, `7d`: whole numbers, units\n"
        "from large to small. A number alone is refused, because systems differ in whether it\n"
        "means seconds or milliseconds.",
        "timeout: PT5M",
        "timeout: 5m",
    ),
    Code(
        "E316",
        "times that contradict each other",
        "one attempt with a backoff; max_delay < delay; attempt_timeout > timeout",
        "correct the numbers the message names",
        "Each number alone is fine, but one of them can never have an effect. Usually two were\n"
        "mixed up.",
        "timeout: 30s\nretry: { attempt_timeout: 1m }",
        "timeout: 5m\nretry: { attempt_timeout: 1m }",
    ),
    Code(
        "E320",
        "version that must move",
        "the same version with another graph; a narrowed schema without a new major version",
        "take the next version the message names",
        "A deployed version never changes its meaning, because running instances replay it. A\n"
        "change that callers notice needs a new major version.",
        "version: 1.2.0   # deployed with other steps",
        "version: 1.3.0",
    ),
    Code(
        "W401",
        "wait without an end",
        "`wait` without timeout and without a sleep that races it",
        "add `timeout: 2d` and `default:`",
        "If the signal never comes the instance waits for ever. That can be meant; then race it\n"
        "with a `sleep` that reminds somebody.",
        "- wait: approved",
        "- wait: approved\n  timeout: 2d\n  default: { decision: pending }",
    ),
    Code(
        "W402",
        "activity without a timeout",
        "an activity without `timeout` and no default one; retries of what is not idempotent",
        "set `defaults.activity.timeout`",
        "A call that hangs keeps its instance waiting. A retried activity may have done its work\n"
        "before the attempt was lost, so it must be safe to do twice.",
        "steps:\n  - activity: report.build",
        "defaults:\n  activity: { timeout: 10m }\nsteps:\n  - activity: report.build",
    ),
    Code(
        "W403",
        "contention",
        "one lock key taken nested or in opposite order; a fixed instance id in a loop",
        "use a key per item",
        "Two instances that take two locks in opposite order wait for each other for ever. A\n"
        "fixed id in a loop can only be started once.",
        "- foreach: ${{ input.orders }}\n  steps: [ { start: order@^1, instance_id: order } ]",
        "- foreach: ${{ input.orders }}\n"
        '  steps: [ { start: order@^1, instance_id: "order-${{ item.id }}" } ]',
    ),
    Code(
        "W404",
        "large history",
        "a large result nobody reads; foreach over an unbounded list without concurrency or batch",
        "trim the result with `output:`; set `batch`",
        "Every result is stored in the history and read again at each replay. Keep what later\n"
        "steps need.",
        "- id: rows\n  activity: db.query",
        "- id: rows\n  activity: db.query\n  output: ${{ result | length }}",
    ),
    Code(
        "W405",
        "without effect",
        "a signal never awaited; a variable set but never read; a catch that swallows everything",
        "say why in a comment, or remove it",
        "The file says something that cannot be noticed. It is probably left over, or the other\n"
        "half is missing.",
        "signals: { approved: {} }\nsteps: [ { log: hello } ]",
        "signals: { approved: {} }\nsteps: [ { wait: approved, timeout: 1d } ]",
    ),
    Code(
        "W406",
        "unserved queue or deprecated callee",
        "a queue no running worker polls; a deprecated sub-workflow or activity",
        "use the alternative the message names, or start a worker",
        "The step would wait until a worker polls this queue. Deprecated names go on working\n"
        "until they are removed.",
        "- activity: images.resize\n  queue: gpus",
        "- activity: images.resize\n  queue: gpu",
    ),
    Code(
        "W410",
        "expression that is too clever",
        "an expression over 200 characters, or with three pipes in its condition",
        "move the work into an activity",
        "Expressions are for wiring. Logic of this size deserves a name, a test and a language\n"
        "with a debugger.",
        "when: ${{ input.a | map(attribute='b') | select | list | length > 3 and … }}",
        "- id: verdict\n  activity: orders.judge",
    ),
)
