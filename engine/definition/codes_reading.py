"""Codes found by reading a file; see `codes`."""

from __future__ import annotations

from typing import Final

from engine.definition.code import Code

READING: Final = (
    Code(
        "E100",
        "unreadable file",
        "a file that is not there, not a regular file, or outside the workflow root",
        "check the path and its permissions",
        "The file could not be opened. Pipes, devices and folders are refused before they are\n"
        "read, and with a workflow root given, nothing outside of it is ever opened, whatever\n"
        "symbolic links say.",
        "lockstep check workflows/odrer.yaml",
        "lockstep check workflows/order.yaml",
    ),
    Code(
        "E101",
        "broken YAML",
        "YAML syntax, a tab, wrong indentation, bad UTF-8, a control character",
        "follow the line; quote a value that holds an expression in flow style or a `: `",
        "The text is not YAML 1.2, so nothing after this place can be understood. The most\n"
        "frequent cause is an expression without quotes: inside `{ }` and `[ ]` the braces\n"
        "belong to YAML, and a `: ` or ` #` ends a plain value everywhere. Tabs are refused\n"
        "because their width depends on the editor.",
        "with: { id: ${{ input.id }} }",
        'with: { id: "${{ input.id }}" }',
    ),
    Code(
        "E102",
        "duplicate key",
        "a key that stands twice in one mapping",
        "delete one of them; the message names the line of the first",
        "Most YAML readers silently keep the last of two equal keys. In a workflow that would\n"
        "mean a step nobody runs or an option nobody has, so it is an error here.",
        "- activity: mail.send\n  timeout: 1m\n  timeout: 5m",
        "- activity: mail.send\n  timeout: 5m",
    ),
    Code(
        "E103",
        "unknown top-level key",
        "a key the workflow itself does not have",
        "use the name that is suggested, or delete the key",
        "The keys of a workflow are a closed list, so that a misspelled one is found at once\n"
        "and not ignored. Data of your own belongs into `vars`, `tags` or `description`.",
        "input_shema: { type: object }",
        "input_schema: { type: object }",
    ),
    Code(
        "E104",
        "habit of YAML 1.1",
        "`yes`, `on` and the like where a boolean must stand; `0777`; a version without quotes",
        "write `true` or `false`, `0o777`, and quote the version",
        "Workflow files are YAML 1.2: `yes`, `no`, `on` and `off` are text, `0777` is the\n"
        "decimal number 777, and `1.20` is the number 1.2. The error is raised only where a\n"
        "boolean, a number or a version must stand; as data such words are plain text.",
        "version: 1.20\nsteps:\n  - activity: mail.send\n    continue_on_error: yes",
        'version: "1.20.0"\nsteps:\n  - activity: mail.send\n    continue_on_error: true',
    ),
    Code(
        "E105",
        "wrong name or version",
        "a version that is not SemVer; a name that does not match the file's path",
        "write `major.minor.patch`; name the workflow like its file",
        "Name and version together identify what runs, for years. The name is the path below\n"
        "the workflow folder, so `workflows/etl/extract.yaml` holds `etl/extract`, and one\n"
        "name can never be in two files. A version has three numbers.",
        "# workflows/etl/extract.yaml\nname: extract\nversion: v2",
        "# workflows/etl/extract.yaml\nname: etl/extract\nversion: 2.0.0",
    ),
    Code(
        "E106",
        "merge key",
        "the key `<<`",
        "write the keys out, or alias the whole value",
        "`<<` was an experiment of YAML 1.1 and is not part of 1.2. Which of two merged values\n"
        "wins differs between readers, so it is refused rather than guessed. Anchors and\n"
        "aliases of whole values are allowed; for retry policies there is `retries:`.",
        "retry: { <<: *patient, delay: 5s }",
        "retry: { max_attempts: 5, delay: 5s }",
    ),
    Code(
        "E107",
        "tag",
        "any tag: `!!str`, `!include`, `!!python/object`, `%TAG`",
        "delete the tag; quote a value that should be text",
        "A workflow is plain data. Tags make YAML readers build other things, in the worst\n"
        "case run code, so none is accepted, not even the harmless ones.",
        "with: { id: !!str 42 }",
        'with: { id: "42" }',
    ),
    Code(
        "E108",
        "second document",
        "a `---` with more content after it",
        "move it into a file of its own",
        "One file holds one workflow: its path is the workflow's name and its history in git is\n"
        "the workflow's history. A single `---` at the top is fine.",
        "name: a\n# …\n---\nname: b",
        "name: a",
    ),
    Code(
        "E109",
        "limit",
        "too many bytes, too deep, too many values with aliases written out, a huge number",
        "move data out of the workflow, or split it into sub-workflows",
        "Reading a file must cost little, whoever wrote it: 1 MiB, 100 levels, 50,000 values,\n"
        "integers of 256 bits. Aliases count with everything they stand for, so ten lines that\n"
        "expand to a billion values are refused at once. Infinity and not-a-number are not\n"
        "JSON and could not be stored.",
        "vars: { rate: .inf }",
        "vars: { rate: 1000000 }",
    ),
    Code(
        "E110",
        "invalid JSON Schema",
        "a keyword with a wrong value, a misspelled keyword, a `$ref` that leads nowhere",
        "correct the keyword that is named; keep `$ref` inside the workflow root",
        "`input_schema`, `output_schema` and the schemas of signals are JSON Schema 2020-12.\n"
        "A `$ref` is a path below the workflow folder, a pointer like `#/$defs/line`, or both;\n"
        "URLs are never fetched. A schema may refer to itself from inside `properties` or\n"
        "`items`, where every turn consumes a part of the value.",
        "input_schema: { type: objekt }",
        "input_schema: { type: object }",
    ),
    Code(
        "E111",
        "default against its schema",
        "a `default` that the schema around it refuses",
        "change the default or the schema",
        "Defaults are filled into the input before it is checked. One that its own schema\n"
        "refuses would make every start fail that relies on it.",
        "retries: { type: integer, default: three }",
        "retries: { type: integer, default: 3 }",
    ),
    Code(
        "E112",
        "wrong shape",
        "a list, mapping, number or text where something else must stand; a malformed name",
        "write what the message says; it shows an example",
        "Every key takes one kind of value: `steps` a list, `with` a mapping, `id` a name of\n"
        "letters, digits and `_`. Keys are always text, so a number as key needs quotes.",
        "steps:\n  activity: mail.send",
        "steps:\n  - activity: mail.send",
    ),
    Code(
        "E113",
        "missing key",
        "a workflow, step, clause or branch without a key it must have",
        "add the key; the message stands at the mapping that lacks it",
        "Some keys have no safe default: a workflow needs `dsl`, `name`, `version` and `steps`,\n"
        "`foreach` needs `steps`, an error needs `type` and `message`.",
        "- foreach: ${{ input.files }}",
        "- foreach: ${{ input.files }}\n  steps:\n    - log: ${{ item }}",
    ),
    Code(
        "E120",
        "not supported yet",
        "a feature of the language this version of the engine does not have",
        "do what the message says instead, or wait for a later version",
        "The word is part of the workflow language, so it is not a mistake of yours. It is\n"
        "refused rather than ignored, because a lock or an approval that does nothing is worse\n"
        "than none.",
        "- approval: { title: May we?, assignees: [ann] }",
        "- wait: approved\n  timeout: 2d",
    ),
    Code(
        "E203",
        "no step kind",
        "a step without a key that says what it does",
        "use the kind that is suggested",
        "Every step has exactly one key that is its kind: `activity`, `set`, `if`, `race` and so\n"
        "on. Its value is the main operand; everything else in the step is an option of it.",
        "- rase: { a: [ { sleep: 1s } ], b: [ { wait: done } ] }",
        "- race: { a: [ { sleep: 1s } ], b: [ { wait: done } ] }",
    ),
    Code(
        "E204",
        "two kinds in one step",
        "a step with two keys that each say what it does",
        "make two steps of it",
        "Which of the two would run first, and which `output` would it have? One step does one\n"
        "thing; the order of steps is the order of the list.",
        "- set: { done: true }\n  log: finished",
        "- set: { done: true }\n- log: finished",
    ),
    Code(
        "E205",
        "option the kind does not take",
        "a key in a step, clause, branch or retry policy that does not belong there",
        "use the option that is suggested, or move it to the kind that takes it",
        "Options belong to their kind, so a misspelled or misplaced one is found before it is\n"
        "silently without effect. The message names the kinds that take the option.",
        "- set: { n: 1 }\n  retry: { max_attempts: 3 }",
        "- activity: count.next\n  retry: { max_attempts: 3 }",
    ),
    Code(
        "E206",
        "empty block",
        "an empty list of steps, branches, cases or clauses",
        "remove it, or put a step into it",
        "An empty block does nothing and is nearly always something unfinished. Leave the key\n"
        "out when there is nothing to do.",
        "- if: ${{ input.express }}\n  then: []",
        "- if: ${{ input.express }}\n  then:\n    - activity: shipping.express",
    ),
)
