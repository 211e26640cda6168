"""Two examples of the language page, without what is not built yet, and one mistake in one."""

# ruff: noqa: E501  (a file in one line is easier to compare with its neighbours)

from __future__ import annotations

from tests.unit.graph.compiling import compiled

CREATE_INSTANCE = """\
dsl: 1
name: create-instance
version: 1.3.0
input_schema:
  type: object
  required: [name]
  properties:
    name: { type: string, pattern: "^[a-z][a-z0-9-]*$" }
    namespace: { type: string, default: databases }
    storage_gb: { type: integer, default: 10, maximum: 1024 }
timeout: 30m
retries:
  gentle: { max_attempts: 5, backoff: linear, delay: 2s, max_delay: 10s }
  patient: { max_attempts: 5, backoff: exponential, delay: 2s, max_delay: 30s, attempt_timeout: 1m }
steps:
  - activity: cms.create_record
    with: { name: "${{ input.name }}", owner: "${{ instance.id }}" }
  - id: provision
    try:
      - status: { phase: deploying }
      - activity: k8s.deploy_postgres
        with:
          name: ${{ input.name }}
          namespace: ${{ input.namespace }}
          storage_gb: ${{ input.storage_gb }}
        timeout: 3m
      - status: { phase: waiting_for_pod }
      - id: ready
        until: ${{ steps.pod.output.is_ready }}
        every: 5s
        max_iterations: 60                 # after these: error sys.loop_exhausted
        steps:
          - id: pod
            activity: k8s.pod_status
            with: { name: "${{ input.name }}", namespace: "${{ input.namespace }}" }
      - id: conn
        activity: k8s.connection_strings
        with: { name: "${{ input.name }}", namespace: "${{ input.namespace }}" }
        retry: gentle
      - id: probe
        activity: pg.test_connection
        with: { dsn: "${{ steps.conn.output.dns_dsn | default(steps.conn.output.ip_dsn) }}" }
        retry: patient
    catch:
      - steps:
          - activity: cms.set_state
            with: { name: "${{ input.name }}", state: failed, message: "${{ error.message }}" }
            continue_on_error: true
          - workflow: delete-instance@^1
            with: { name: "${{ input.name }}", namespace: "${{ input.namespace }}" }
            continue_on_error: true
          - raise: ${{ error }}
  - activity: cms.set_state
    with: { name: "${{ input.name }}", state: running, message: ready }
  - start: instance-actor@^1               # detached
    instance_id: actor-${{ input.name }}
    with: { name: "${{ input.name }}" }
output:
  dsn: ${{ steps.conn.output.ip_dsn }}
  seconds: ${{ seconds_between(instance.started_at, now()) }}
"""

INSTANCE_ACTOR = """\
dsl: 1
name: instance-actor
version: 1.1.0
input_schema:
  type: object
  required: [name]
  properties: { name: { type: string }, failures: { type: integer, default: 0 } }
signals:
  instance_deleted: {}
  check_now: { schema: { type: object, properties: { by: { type: string } } } }
vars: { failures: "${{ input.failures }}" }
defaults:
  activity: { timeout: 30s, retry: { max_attempts: 3, backoff: exponential, delay: 2s, max_delay: 10s } }
steps:
  - id: lookup
    activity: cms.get_connection
    with: { name: "${{ input.name }}" }
  - when: ${{ not steps.lookup.output.found }}
    return: { reason: gone }
  - id: probe
    activity: pg.test_connection
    with: { dsn: "${{ steps.lookup.output.dsn }}" }
    continue_on_error: true                # steps.probe.status tells
  - set:
      failures: ${{ 0 if steps.probe.status == 'succeeded' else vars.failures + 1 }}
  - activity: cms.record_health
    with:
      name: ${{ input.name }}
      healthy: ${{ vars.failures == 0 }}
      error: ${{ steps.probe.error.message | default(none) }}
  - when: ${{ vars.failures == 3 }}
    activity: pager.alert
    with: { text: "${{ input.name }} failed three checks in a row" }
  - id: next
    race:
      tick: [ { sleep: 30s } ]
      poked: [ { wait: check_now } ]
      deleted: [ { wait: instance_deleted } ]
  - when: ${{ steps.next.output.winner == 'deleted' }}
    return: { reason: deleted }
  - continue_as_new: { name: "${{ input.name }}", failures: "${{ vars.failures }}" }
    version: ^1                            # a newer 1.x takes over at this seam
"""


def test_create_instance_is_clean() -> None:
    result = compiled(CREATE_INSTANCE)
    assert result.diagnostics == ()
    assert result.graph is not None


def test_instance_actor_is_clean() -> None:
    result = compiled(INSTANCE_ACTOR)
    assert result.diagnostics == ()
    assert result.graph is not None


def test_a_clause_that_no_longer_raises() -> None:
    result = compiled(CREATE_INSTANCE.replace("          - raise: ${{ error }}\n", ""))
    (found,) = result.diagnostics
    assert result.graph is None
    assert str(found) == (
        "case.yaml:58:12: error E228: `steps.conn` may not have run when it is read here"
    )
    text = CREATE_INSTANCE.replace("          - raise: ${{ error }}\n", "").splitlines()
    line = text[found.span.line - 1]
    assert line[found.span.column - 1 : found.span.end_column - 1] == "steps.conn"
    conn = text.index("      - id: conn") + 1
    clause = text.index("    catch:") + 2
    assert found.why == (
        f"`conn` (line {conn}) is inside the `try` of `provision`; "
        f"the catch clause at line {clause} can end normally without it"
    )
    assert found.mend == (
        "end that clause with `raise: ${{ error }}` or `return:`, "
        "or read `steps.conn.output.ip_dsn | default(none)`"
    )
