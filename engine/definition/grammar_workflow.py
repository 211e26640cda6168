"""The top-level keys of a workflow file, as data; part of `grammar`, whose rules hold here."""

from __future__ import annotations

from typing import Final

from engine.definition.grammar import Field, Shape

WORKFLOW: Final = (
    Field(
        name="dsl",
        shape=Shape.INTEGER,
        required=True,
        minimum=1,
        maximum=1,
        description="The version of the workflow language; this engine reads 1.",
        examples=(1,),
    ),
    Field(
        name="name",
        shape=Shape.WORKFLOW_NAME,
        required=True,
        description="The workflow's name: the file's path below the workflow folder.",
        examples=("order-saga", "etl/extract"),
    ),
    Field(
        name="version",
        shape=Shape.VERSION,
        required=True,
        description="The workflow's version, SemVer; once deployed, its meaning never changes.",
        examples=("1.2.0",),
    ),
    Field(
        name="title",
        shape=Shape.TEXT,
        description="What the workflow does, in a line.",
        examples=("Take an order, or leave no trace of it",),
    ),
    Field(
        name="description",
        shape=Shape.TEXT,
        description="More about the workflow, for people; never part of the revision.",
    ),
    Field(
        name="owner",
        shape=Shape.TEXT,
        description="Who answers for the workflow.",
        examples=("team-orders",),
    ),
    Field(
        name="tags",
        shape=Shape.TEXTS,
        description="Words to find the workflow by.",
        examples=(["orders", "payments"],),
    ),
    Field(
        name="input_schema",
        shape=Shape.SCHEMA,
        description="The JSON Schema of the input; its `default`s are filled in before checking.",
        examples=({"type": "object", "required": ["order_id"]},),
    ),
    Field(
        name="output_schema",
        shape=Shape.SCHEMA,
        description="The JSON Schema that `output` and every `return` must match.",
        examples=({"type": "object"},),
    ),
    Field(
        name="output",
        shape=Shape.VALUE,
        description="The workflow's output when its steps end without a `return`.",
        examples=({"status": "confirmed"},),
    ),
    Field(
        name="vars",
        shape=Shape.NAMED_VALUES,
        description="Variables with their first values, made of `input` and `config`.",
        examples=({"level": 0},),
    ),
    Field(
        name="timeout",
        shape=Shape.DURATION,
        description="How long one execution may take; it fails with `sys.timeout` after that.",
        examples=("4h",),
    ),
    Field(
        name="signals",
        shape=Shape.SIGNALS,
        description="The signals the workflow takes, each with the schema of its payload.",
        examples=({"check_now": {}},),
    ),
    Field(
        name="retries",
        shape=Shape.RETRY_POLICIES,
        description="Retry policies that steps name.",
        examples=({"patient": {"max_attempts": 5, "delay": "2s"}},),
    ),
    Field(
        name="defaults",
        shape=Shape.DEFAULTS,
        description="Options that steps of a kind have when they do not say otherwise.",
        examples=({"activity": {"timeout": "30s"}},),
    ),
    Field(
        name="accepts_state_from",
        shape=Shape.VERSION_RANGE,
        description="Which older versions may continue as this one; default: any whose input fits.",
        examples=(">=1.2 <2",),
    ),
    Field(
        name="labels",
        shape=Shape.NAMED_VALUES,
        description="Searchable labels of the instance.",
        not_yet="put what you search for into the instance id",
    ),
    Field(
        name="secrets",
        shape=Shape.TEXTS,
        description="The secrets the workflow uses.",
        not_yet="let the activity read the secret in the worker",
    ),
    Field(
        name="queries",
        shape=Shape.NAMED_VALUES,
        description="Values that can be read from a running instance.",
        not_yet="show the value with a `status:` step",
    ),
    Field(
        name="triggers",
        shape=Shape.VALUE,
        description="Cron lines and signals that start instances.",
        not_yet="start the workflow from your scheduler with `lockstep start`",
    ),
    Field(
        name="imports",
        shape=Shape.TEXTS,
        description="Files of fragments.",
        not_yet="call a sub-workflow with `workflow:`",
    ),
    Field(
        name="fragments",
        shape=Shape.VALUE,
        description="Steps under a name, to be inlined.",
        not_yet="call a sub-workflow with `workflow:`",
    ),
    Field(
        name="concurrency",
        shape=Shape.VALUE,
        description="How many instances with the same key run at once.",
        not_yet="start with a fixed instance id, which only one instance can have",
    ),
    Field(
        name="steps",
        shape=Shape.STEPS,
        required=True,
        description="What the workflow does, in order.",
    ),
    Field(
        name="catch",
        shape=Shape.CLAUSES,
        description="What is done about errors that leave the steps.",
    ),
    Field(
        name="finally",
        shape=Shape.STEPS,
        description="Steps that run however the workflow ended, cancellation included.",
    ),
)
