"""Codes found by compiling a file alone; see `codes`."""

from __future__ import annotations

from typing import Final

from engine.definition.code import Code

COMPILING: Final = (
    Code(
        "E201",
        "duplicate step id",
        "a step id that another step of the file has",
        "rename one of them; the message names the other line",
        "Step ids are unique in the whole file, blocks and clauses included, so that\n"
        "`steps.<id>` and a step path in the history always mean one thing.",
        "- id: pay\n  activity: payments.charge\n- id: pay\n  activity: payments.capture",
        "- id: charge\n  activity: payments.charge\n- id: capture\n  activity: payments.capture",
    ),
    Code(
        "E202",
        "unreachable step",
        "a step after `return`, `raise` or `continue_as_new`, or under a constant-false `when`",
        "delete the step, or guard the one that leaves",
        "The step before always leaves the block, so this one never runs. Usually a `when` is\n"
        "missing on the step that leaves.",
        "- return: { ok: true }\n- log: done",
        "- log: done\n- return: { ok: true }",
    ),
    Code(
        "E210",
        "set of an undeclared variable",
        "a variable that no `vars` declares",
        "declare it, at the top or in a block around the step",
        "Variables are declared with a first value, which also gives them their type. So a\n"
        "misspelled name in `set` cannot quietly make a second variable.",
        "steps:\n  - set: { total: 1 }",
        "vars: { total: 0 }\nsteps:\n  - set: { total: 1 }",
    ),
    Code(
        "E211",
        "unknown name",
        "a signal, retry policy, fragment, secret or config key that is not declared",
        "use the name that is suggested, or declare it",
        "Everything a step names must be declared in the file: signals under `signals`, retry\n"
        "policies under `retries`. An undeclared signal would be waited for in vain.",
        "steps:\n  - wait: aproved",
        "signals: { approved: {} }\nsteps:\n  - wait: approved",
    ),
    Code(
        "E212",
        "set across concurrent branches",
        "`set` of an outer variable inside `parallel`, `race` or a concurrent `foreach`",
        "yield the value as the branch's `output` and collect it afterwards",
        "Two branches that write one variable would race, and which value stays would depend\n"
        "on timing. Outputs of branches are collected in a fixed order instead.",
        "- parallel:\n    a: [ { set: { n: 1 } } ]\n    b: [ { set: { n: 2 } } ]",
        "- id: both\n  parallel:\n    a: [ { activity: count.a } ]\n"
        "    b: [ { activity: count.b } ]\n"
        '- set: { n: "${{ steps.both.output.a }}" }',
    ),
    Code(
        "E213",
        "redeclared name",
        "a variable or `as` name that is already taken on this path, or is a root name",
        "rename it",
        "A name means one thing on any path through the file. Shadowing would make the same\n"
        "expression read something else two lines further down.",
        "- foreach: ${{ input.orders }}\n  as: input\n  steps: [ { log: one } ]",
        "- foreach: ${{ input.orders }}\n  as: order\n  steps: [ { log: one } ]",
    ),
    Code(
        "E214",
        "cycle of fragments",
        "fragments or imports that lead back to themselves; a fragment that is never used",
        "break the cycle at the place that is named",
        "Fragments are inlined when the workflow is compiled, so a cycle would have no end. For\n"
        "repetition there are loops, for recursion sub-workflows.",
        "fragments:\n  a: { steps: [ { use: a } ] }",
        "fragments:\n  a: { steps: [ { log: hello } ] }",
    ),
    Code(
        "E220",
        "condition is not boolean",
        "a condition that is not one whole expression, or is of another type",
        "write `${{ … }}` around it; `x | length > 0` for a list, `x is not none` for null",
        "`when`, `if`, `while`, `until` and `where` take one expression that is true or false.\n"
        "There is no truthiness: an empty list, 0 and an empty text are not false, because\n"
        "authors disagree about what they should be.",
        "- when: ${{ input.items }}\n  log: there are items",
        "- when: ${{ input.items | length > 0 }}\n  log: there are items",
    ),
    Code(
        "E221",
        "lone braces",
        "`{{ x }}` or `${ x }` in a value",
        "write `${{ x }}`; `$${{` stands for the characters themselves",
        "Only `${{ … }}` is an expression. The other forms are what other tools use, and they\n"
        "would be sent to the activity as they stand.",
        'subject: "Order {{ input.id }}"',
        "subject: Order ${{ input.id }}",
    ),
    Code(
        "E222",
        "expression syntax",
        "an expression that cannot be read; `&&`, `||`, `!`, `===`, `?:`; an unknown filter",
        "`and`, `or`, `not`, `==`, `a if c else b`; use the filter that is suggested",
        "Expressions have the syntax of Jinja2, closed and typed: one expression, no statements.\n"
        "Filters and tests are a fixed list, so an unknown one is found here and not at run\n"
        "time.",
        "when: ${{ input.a && !input.b }}",
        "when: ${{ input.a and not input.b }}",
    ),
    Code(
        "E223",
        "construct that is not allowed",
        "a method call, `**kwargs`, a lambda, an assignment",
        "use the filter of that purpose",
        "An expression must give the same result on every replay and must never reach into the\n"
        "engine. Methods of Python objects would allow both; the filters cover what they do.",
        "name: ${{ input.name.upper() }}",
        "name: ${{ input.name | upper }}",
    ),
    Code(
        "E224",
        "unknown root name",
        "a name at the start of a path that means nothing here",
        "begin with one of the roots the message lists",
        "Every path begins at a root: `input`, `vars`, `steps`, `config`, `workflow`,\n"
        "`instance`, and in their places `result`, `error`, `event`, `loop` and the name\n"
        "after `as`.",
        'with: { id: "${{ inputs.id }}" }',
        'with: { id: "${{ input.id }}" }',
    ),
    Code(
        "E225",
        "undeclared variable",
        "`vars.x` that no block around declares",
        "use the name that is suggested, or declare it under `vars`",
        "Variables are visible in the block that declares them and in the blocks inside. A\n"
        "variable of a loop or branch does not exist after it.",
        "vars: { total: 0 }\noutput: ${{ vars.totl }}",
        "vars: { total: 0 }\noutput: ${{ vars.total }}",
    ),
    Code(
        "E226",
        "unknown field",
        "a field that the schema of the input, the activity or the signal does not have",
        "use the field that is suggested, or add it to the schema",
        "The schema says what there is, and it is closed, so this field can never be there. The\n"
        "message lists the fields that are known.",
        "output: ${{ input.ordr_id }}",
        "output: ${{ input.order_id }}",
    ),
    Code(
        "E227",
        "unknown step",
        "`steps.x` where no step has the id `x`",
        "use the id that is suggested, or give the step that id",
        "Only steps with an `id` of their own can be read. Ids inside a loop stay inside: read\n"
        "the loop's own output instead.",
        "- id: quote\n  activity: pricing.quote\n- log: ${{ steps.qoute.output.text }}",
        "- id: quote\n  activity: pricing.quote\n- log: ${{ steps.quote.output.text }}",
    ),
    Code(
        "E228",
        "step that may not have run",
        "reading a step that some path through the file leaves out",
        "add `| default(…)`, ask `is defined`, or move the step",
        "A step under `when`, in a branch of `if`, `switch` or `race`, in a loop or in a `try`\n"
        "that was caught has no output on the other paths. The message names the path on which\n"
        "it is missing.",
        "- when: ${{ input.paid }}\n  id: pay\n  activity: payments.charge\n"
        "- log: ${{ steps.pay.output.id }}",
        "- when: ${{ input.paid }}\n  id: pay\n  activity: payments.charge\n"
        "- log: ${{ steps.pay.output.id | default('none') }}",
    ),
    Code(
        "E229",
        "step read before it runs",
        "reading a step that stands further down",
        "change the order",
        "Steps run in the order of the list, so at this place the other one has never run. In a\n"
        "loop the value of the turn before is carried by a variable.",
        "- log: ${{ steps.quote.output.text }}\n- id: quote\n  activity: pricing.quote",
        "- id: quote\n  activity: pricing.quote\n- log: ${{ steps.quote.output.text }}",
    ),
    Code(
        "E230",
        "conditional without else",
        "`x if c` without `else`; a `default` on what is never undefined (warning)",
        "add `else`",
        "Without `else` the value would be undefined when the condition is false, and undefined\n"
        "values are errors. A `default` on something always present hides a misunderstanding.",
        "level: ${{ 'high' if input.n > 3 }}",
        "level: ${{ 'high' if input.n > 3 else 'low' }}",
    ),
    Code(
        "E231",
        "types that never match",
        "a comparison of types that are never equal; arithmetic on text",
        "convert one side, for example with `| int`",
        "Nothing is converted silently: the text '3' is not the number 3, so this comparison\n"
        "has the same result every time. The types come from the schemas.",
        "when: ${{ input.count == '3' }}",
        "when: ${{ input.count == 3 }}",
    ),
    Code(
        "E232",
        "structure inside text",
        "a list, mapping or null inserted into a longer text",
        "add `| tojson` or `| join(', ')`",
        "Only texts, numbers and booleans have an obvious form inside a text. How a list should\n"
        "look is for the author to say. A value that is one whole expression keeps its type.",
        "log: items are ${{ input.items }}",
        "log: items are ${{ input.items | join(', ') }}",
    ),
    Code(
        "E233",
        "expression where a literal must stand",
        "an expression as the name of an activity or workflow, as version, key, id or number",
        "write it out; choose between several with `switch:` over literals",
        "What a workflow may call must be known before it runs: it is checked against the\n"
        "registered activities, drawn in the graph and part of the revision. So names, versions\n"
        "and structure are literals, and only values are expressions.",
        "- activity: ${{ input.kind }}.run",
        "- switch:\n    - when: ${{ input.kind == 'mail' }}\n"
        "      steps: [ { activity: mail.run } ]",
    ),
    Code(
        "E234",
        "root name outside its place",
        "`error`, `event`, `result`, `trigger` or `loop` where there is none",
        "the message says where it is valid",
        "`error` exists in a `catch` clause, `event` in `where`, `result` in a step's `output`,\n"
        "`loop` in a loop. Elsewhere keep the value in a variable or an output.",
        "output: ${{ error.message }}",
        'catch:\n  - steps: [ { return: "${{ error.message }}" } ]',
    ),
    Code(
        "E235",
        "secret that leaks",
        "a secret that is not a whole value, or flows to an output, status, log or label",
        "pass the secret as a whole value in `with` of an activity",
        "A secret stays a reference in the history and is looked up in the worker. Inside a text\n"
        "or an output it would be stored in clear.",
        "log: key is ${{ secrets.api_key }}",
        '- activity: api.call\n  with: { key: "${{ secrets.api_key }}" }',
    ),
)
