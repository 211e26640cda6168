-- Every statement this store runs, but for the migrations. `-- name: x` starts one; the comment
-- lines after it say what it does. Statements of the hot path take their parameters by position.

-- name: journal_wal
-- Readers do not wait for the writer; kept in the file.
PRAGMA journal_mode = WAL;

-- name: synchronous_full
-- A commit is on the disk when it returns.
PRAGMA synchronous = FULL;

-- name: synchronous_normal
-- A commit survives the process, not a loss of power.
PRAGMA synchronous = NORMAL;

-- name: foreign_keys_on
-- Only `deployments` has one: nothing to check in a turn.
PRAGMA foreign_keys = ON;

-- name: no_automatic_checkpoint
-- Checkpoints are the node's, on its writer connection, and their errors are looked at.
PRAGMA wal_autocheckpoint = 0;

-- name: journal_size_limit
-- Give back the space of a burst when the log starts anew.
PRAGMA journal_size_limit = 67108864;

-- name: query_only
-- A reading connection cannot write.
PRAGMA query_only = ON;

-- name: checkpoint
-- Copy what no reader needs from the log into the file; waits for nobody.
PRAGMA wal_checkpoint(PASSIVE);

-- name: begin_write
-- Take the write lock at once: no transaction fails half-way for want of it.
BEGIN IMMEDIATE;

-- name: begin_read
-- One snapshot for all statements of one call.
BEGIN;

-- name: commit
-- End a transaction.
COMMIT;

-- name: rollback
-- Drop a transaction.
ROLLBACK;

-- name: savepoint
-- Start one delta of a group that could not be stored as a whole.
SAVEPOINT delta;

-- name: rollback_delta
-- Drop what the delta stored.
ROLLBACK TO delta;

-- name: release_delta
-- End the delta.
RELEASE delta;

-- name: schema_version
-- Number of the last migration.
PRAGMA user_version;

-- name: data_version
-- Changes when another connection has committed.
PRAGMA data_version;

-- name: foreign_writes
-- How many transactions processes other than the node have committed.
SELECT count FROM foreign_writes WHERE id = 1;

-- name: count_foreign_write
-- Let the node notice this transaction.
UPDATE foreign_writes SET count = count + 1 WHERE id = 1;

-- name: remove_nodes
-- On SQLite all former nodes are dead when a new one holds the lock.
DELETE FROM nodes;

-- name: add_node
-- The new node; its key is the epoch.
INSERT INTO nodes (node, acquired_at) VALUES (?, ?);

-- name: disown_all
-- What dead nodes owned is claimable at once.
UPDATE instances SET owner = NULL
WHERE status IN ('pending', 'running') AND owner IS NOT NULL;

-- name: release_all
-- Orderly end of a node: the attempts of what it owned do not count.
UPDATE instances SET owner = NULL, attempts = max(attempts - 1, 0)
WHERE status IN ('pending', 'running') AND owner = ?;

-- name: remove_node
-- End of a lease.
DELETE FROM nodes WHERE epoch = ? AND node = ?;

-- name: node_commit
-- Whether the lease holds, and its last commit.
SELECT token, result FROM nodes WHERE epoch = ? AND node = ?;

-- name: record_commit
-- Remember the last commit of a lease.
UPDATE nodes SET token = ?, result = ? WHERE epoch = ?;

-- name: current_node
-- The node that acquired last.
SELECT node, epoch FROM nodes ORDER BY epoch DESC LIMIT 1;

-- name: create_instance
-- A new instance, unless the id is taken or the version has no content any more.
INSERT INTO instances (id, workflow, version, revision, semantics, execution, status, last_seq,
    epoch, owner, attempts, open_activities, open_waits, created_at, started_at, updated_at,
    parent_id)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, 0, 0, 0, ?10, ?10, ?10, ?11
WHERE NOT EXISTS (SELECT 1 FROM deployments
                  WHERE name = ?2 AND version = ?3 AND state = 'pruned')
ON CONFLICT (id) DO NOTHING;

-- name: next_instance_key
-- The key of the next instance.
SELECT max(key) + 1 FROM instances;

-- name: archive_finished
-- Keep the execution that a replacement follows.
INSERT INTO executions (instance, execution, pages_of, workflow, version, revision, semantics,
    status, last_seq, started_at, finished_at)
SELECT key, execution, key, workflow, version, revision, semantics, status, last_seq, started_at,
    finished_at
FROM instances WHERE key = ?;

-- name: move_executions
-- A replaced instance takes its archive along to its new key.
UPDATE executions SET instance = ? WHERE instance = ?;

-- name: replace_instance
-- The next execution of a finished instance, as new, with a new key.
UPDATE instances SET key = ?2, workflow = ?3, version = ?4, revision = ?5, semantics = ?6,
    execution = execution + 1, status = ?7, last_seq = 0, epoch = ?8, owner = ?9, attempts = 0,
    open_activities = 0, open_waits = 0, created_at = ?10, started_at = ?10, updated_at = ?10,
    finished_at = NULL, parent_id = ?11, custom_status = NULL, output = NULL, error = NULL,
    suspended_reason = NULL, upgrade_blocked = NULL, awaits_version = NULL
WHERE key = ?1;

-- name: turn
-- The usual turn: a running instance goes on. Sets no column that an index orders by.
UPDATE instances SET updated_at = ?, last_seq = ?, attempts = attempts * ?, open_activities = ?,
    open_waits = ?, custom_status = ?, upgrade_blocked = ?, awaits_version = ?
WHERE id = ? AND owner = ? AND epoch = ? AND execution = ? AND last_seq = ? AND status = 'running';

-- name: settle
-- Any other turn: first, last, or into another status.
UPDATE instances SET updated_at = ?, last_seq = ?, attempts = attempts * ?, open_activities = ?,
    open_waits = ?, custom_status = ?, upgrade_blocked = ?, awaits_version = ?, status = ?,
    output = ?, error = ?, finished_at = ?, owner = ?
WHERE id = ? AND owner = ? AND epoch = ? AND execution = ? AND last_seq = ?;

-- name: archive_continued
-- Keep the execution that this turn ends by continue-as-new.
INSERT INTO executions (instance, execution, pages_of, workflow, version, revision, semantics,
    status, last_seq, started_at, finished_at)
SELECT key, execution, key, workflow, version, revision, semantics, 'continued', ?, started_at, ?
FROM instances WHERE id = ? AND owner = ? AND epoch = ? AND execution = ? AND last_seq = ?;

-- name: continue
-- The next execution of the same instance, unless its version has no content any more.
UPDATE instances SET updated_at = ?, last_seq = ?, attempts = attempts * ?, open_activities = ?,
    open_waits = ?, custom_status = ?, upgrade_blocked = ?, awaits_version = ?, status = ?,
    output = ?, error = ?, finished_at = ?, owner = ?, workflow = ?, version = ?, revision = ?,
    semantics = ?, execution = execution + 1, started_at = ?
WHERE id = ? AND owner = ? AND epoch = ? AND execution = ? AND last_seq = ?
  AND NOT EXISTS (SELECT 1 FROM deployments
                  WHERE name = ? AND version = ? AND state = 'pruned');

-- name: add_page
-- The events of one turn.
INSERT INTO pages (instance, execution, first_seq, last_seq, payload)
SELECT key, ?, ?, ?, ? FROM instances WHERE id = ?;

-- name: add_message
-- A message for an instance known by key.
INSERT INTO inbox (instance, visible_at, execution, token, payload) VALUES (?, ?, ?, ?, ?);

-- name: add_timer
-- A message of an instance to itself.
INSERT INTO inbox (instance, visible_at, execution, token, payload)
SELECT key, ?, ?, ?, ? FROM instances WHERE id = ?;

-- name: consume
-- A message has become an event.
DELETE FROM inbox WHERE id = ? AND instance = (SELECT key FROM instances WHERE id = ?);

-- name: withdraw
-- A message is not wanted any more.
DELETE FROM inbox
WHERE instance = (SELECT key FROM instances WHERE id = ?) AND execution = ? AND token = ?
  AND token IS NOT NULL;

-- name: drop_execution_messages
-- An execution has ended: its timers go with it.
DELETE FROM inbox
WHERE instance = (SELECT key FROM instances WHERE id = ?) AND execution = ?;

-- name: drop_inbox
-- An instance has ended: nothing more is for it.
DELETE FROM inbox WHERE instance = (SELECT key FROM instances WHERE id = ?);

-- name: drop_snapshot
-- The snapshot is of an execution that has ended.
DELETE FROM snapshots WHERE instance = (SELECT key FROM instances WHERE id = ?);

-- name: save_snapshot
-- The newest snapshot replaces an older one.
INSERT INTO snapshots (instance, execution, seq, payload)
SELECT key, ?, ?, ? FROM instances WHERE id = ?
ON CONFLICT (instance) DO UPDATE
SET execution = excluded.execution, seq = excluded.seq, payload = excluded.payload
WHERE (excluded.execution, excluded.seq) >= (snapshots.execution, snapshots.seq);

-- name: address
-- Where a message for this id goes.
SELECT key, status, execution FROM instances WHERE id = ?;

-- name: messages_by_id
-- Those of some messages that are still there.
SELECT m.id, i.id, m.payload, m.visible_at, m.execution
FROM inbox m CROSS JOIN instances i ON i.key = m.instance
WHERE m.id IN (SELECT value FROM json_each(?));

-- name: claimable_open
-- Unowned instances with activities in flight, or never begun.
SELECT key FROM instances INDEXED BY instances_unowned
WHERE owner IS NULL AND status IN ('pending', 'running')
  AND (open_activities > 0 OR status = 'pending')
  AND (:levels IS NULL OR semantics IN (SELECT value FROM json_each(:levels)))
ORDER BY key LIMIT :limit;

-- name: claimable_due
-- Unowned instances with a due message, the longest due first.
SELECT DISTINCT i.key
FROM inbox m INDEXED BY inbox_due CROSS JOIN instances i ON i.key = m.instance
WHERE m.visible_at <= :now AND i.owner IS NULL AND i.status IN ('pending', 'running')
  AND (:levels IS NULL OR i.semantics IN (SELECT value FROM json_each(:levels)))
ORDER BY m.visible_at LIMIT :limit;

-- name: claim
-- Take one; a new epoch, one more attempt.
UPDATE instances SET owner = ?, epoch = epoch + 1, attempts = attempts + 1
WHERE key = ? AND owner IS NULL AND status IN ('pending', 'running');

-- name: record_by_key
-- One instance by key.
SELECT * FROM instance_records WHERE key = ?;

-- name: record
-- One instance by id.
SELECT * FROM instance_records WHERE id = ?;

-- name: suspend
-- Set an owned instance aside.
UPDATE instances SET status = 'suspended', suspended_reason = ?, updated_at = ?, owner = NULL
WHERE id = ? AND owner = ? AND status IN ('pending', 'running');

-- name: resume
-- A suspended instance goes on as what it was.
UPDATE instances SET status = CASE last_seq WHEN 0 THEN 'pending' ELSE 'running' END,
    suspended_reason = NULL, attempts = 0, updated_at = ?
WHERE id = ? AND status = 'suspended';

-- name: due_messages
-- Visible messages of what this lease owns.
SELECT m.id, i.id, m.payload, m.visible_at, m.execution
FROM inbox m INDEXED BY inbox_due CROSS JOIN instances i ON i.key = m.instance
WHERE m.visible_at <= ? AND i.owner = ? AND m.id > ?
ORDER BY m.visible_at, m.id LIMIT ?;

-- name: next_due
-- The next moment at which a message becomes visible.
SELECT min(visible_at) FROM inbox WHERE visible_at > ?;

-- name: inbox
-- Visible messages of one instance.
SELECT m.id, :id, m.payload, m.visible_at, m.execution FROM inbox m
WHERE m.instance = (SELECT key FROM instances WHERE id = :id) AND m.visible_at <= :now
ORDER BY m.visible_at, m.id;

-- name: snapshot
-- The snapshot of the current execution.
SELECT execution, seq, payload FROM snapshots WHERE instance = ? AND execution = ?;

-- name: pages_of_current
-- Key for the pages of the current execution.
SELECT key FROM instances WHERE id = ? AND execution = ?;

-- name: pages_of_archived
-- Key for the pages of an archived execution.
SELECT e.pages_of FROM executions e
WHERE e.instance = (SELECT key FROM instances WHERE id = ?) AND e.execution = ?;

-- name: pages
-- Pages with events after a seq.
SELECT execution, first_seq, last_seq, payload FROM pages
WHERE instance = :instance AND execution = :execution
  AND first_seq >= (SELECT max(p.first_seq) FROM pages p
                    WHERE p.instance = :instance AND p.execution = :execution
                      AND p.first_seq <= :after + 1)
  AND last_seq > :after
ORDER BY first_seq LIMIT :limit;

-- name: executions
-- The executions of an instance, the current one last.
SELECT execution, workflow, version, revision, semantics, status, last_seq, started_at, finished_at
FROM executions WHERE instance = (SELECT key FROM instances WHERE id = :id)
UNION ALL
SELECT execution, workflow, version, revision, semantics, status, last_seq, started_at, finished_at
FROM instances WHERE id = :id
ORDER BY execution;

-- name: key_before
-- Where a listing goes on.
SELECT key FROM instances WHERE id = ?;

-- name: list_all
-- Newest first, over all instances.
SELECT * FROM instance_records WHERE key < :before ORDER BY key DESC LIMIT :limit;

-- name: list_kind
-- Newest first, by status, workflow, version; the keys come from the index alone.
SELECT * FROM instance_records WHERE key IN (
    SELECT key FROM instances INDEXED BY instances_kind
    WHERE status IN (SELECT value FROM json_each(:statuses))
      AND workflow >= :workflow_from AND workflow <= :workflow_to
      AND (:version IS NULL OR version = :version) AND key < :before
    ORDER BY key DESC LIMIT :limit
) ORDER BY key DESC;

-- name: list_prefix
-- Newest first, by the beginning of the id and anything else.
SELECT * FROM instance_records WHERE key IN (
    SELECT key FROM instances
    WHERE id >= :prefix AND id < :prefix_end
      AND +status IN (SELECT value FROM json_each(:statuses))
      AND (:workflow IS NULL OR workflow = :workflow)
      AND (:version IS NULL OR version = :version)
      AND (:parent IS NULL OR parent_id = :parent) AND key < :before
    ORDER BY key DESC LIMIT :limit
) ORDER BY key DESC;

-- name: list_children
-- Newest first, the children of one instance.
SELECT * FROM instance_records WHERE key IN (
    SELECT key FROM instances INDEXED BY instances_parent
    WHERE parent_id = :parent
      AND status IN (SELECT value FROM json_each(:statuses))
      AND (:workflow IS NULL OR workflow = :workflow)
      AND (:version IS NULL OR version = :version) AND key < :before
    ORDER BY key DESC LIMIT :limit
) ORDER BY key DESC;

-- name: counts
-- Instances by workflow, version and status.
SELECT workflow, version, status, count(*) FROM instances INDEXED BY instances_kind
GROUP BY status, workflow, version;

-- name: stranded
-- Live instances that nothing would ever wake.
SELECT id FROM instances
WHERE status IN ('pending', 'running')
  AND (owner IS NULL OR owner IN (SELECT epoch FROM nodes))
  AND status <> 'pending' AND open_activities = 0 AND open_waits = 0
  AND NOT EXISTS (SELECT 1 FROM inbox m WHERE m.instance = instances.key)
UNION
SELECT id FROM instances
WHERE status IN ('pending', 'running')
  AND owner IS NOT NULL AND owner NOT IN (SELECT epoch FROM nodes)
ORDER BY id;

-- name: prunable
-- Ended instances, oldest end first.
SELECT key FROM instances INDEXED BY instances_finished
WHERE finished_at IS NOT NULL AND finished_at < ?
  AND status IN ('completed', 'failed', 'cancelled', 'terminated')
ORDER BY finished_at LIMIT ?;

-- name: prune_pages
-- The pages of all executions of an instance.
DELETE FROM pages WHERE instance IN (
    SELECT :key UNION ALL SELECT pages_of FROM executions WHERE instance = :key);

-- name: prune_executions
-- The archive of an instance.
DELETE FROM executions WHERE instance = ?;

-- name: prune_instance
-- The instance itself; its inbox and snapshot went when it ended.
DELETE FROM instances WHERE key = ?;

-- name: add_revision
-- The first graph of a revision stays; one that was pruned comes back.
INSERT INTO revisions (revision, graph) VALUES (?, ?)
ON CONFLICT (revision) DO UPDATE SET graph = excluded.graph WHERE length(graph) = 0;

-- name: add_binding
-- A version that a graph names by its number.
INSERT INTO bindings (revision, name, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: add_deployment
-- A new version.
INSERT INTO deployments (name, version, revision, source, source_digest, deployed_at, actor,
    git_commit)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: deployment
-- What a version is.
SELECT name, version, revision, source, source_digest, deployed_at, actor, git_commit, state,
    state_reason
FROM deployments WHERE name = ? AND version = ?;

-- name: deployments
-- All versions, in order of deployment.
SELECT name, version, revision, source, source_digest, deployed_at, actor, git_commit, state,
    state_reason
FROM deployments ORDER BY key;

-- name: deployments_of
-- The versions of one workflow, in order of deployment.
SELECT name, version, revision, source, source_digest, deployed_at, actor, git_commit, state,
    state_reason
FROM deployments WHERE name = ? ORDER BY key;

-- name: graph
-- The graph of a revision, if it is kept.
SELECT graph FROM revisions WHERE revision = ? AND length(graph) > 0;

-- name: catalog_version
-- Moves with every change of what a start may get.
SELECT version FROM catalog WHERE id = 1;

-- name: raise_catalog
-- The catalogue has changed.
UPDATE catalog SET version = version + 1 WHERE id = 1;

-- name: catalog_rows
-- All versions without their sources, in order of deployment.
SELECT name, version, revision, state, state_reason FROM deployments ORDER BY key;

-- name: policies
-- The policies that have been set.
SELECT name, policy FROM policies;

-- name: policy
-- The policy of one name.
SELECT policy FROM policies WHERE name = ?;

-- name: set_policy
-- The new policy of a name.
INSERT INTO policies (name, policy, changed_at) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET policy = excluded.policy, changed_at = excluded.changed_at;

-- name: drop_policy
-- A name has no policy of its own any more.
DELETE FROM policies WHERE name = ?;

-- name: drop_policy_versions
-- What the former policy of a name named.
DELETE FROM policy_versions WHERE name = ?;

-- name: add_policy_version
-- A version that the policy of a name names.
INSERT INTO policy_versions (name, version) VALUES (?, ?);

-- name: policy_names
-- Whether the policy of a name names a version.
SELECT 1 FROM policy_versions WHERE name = ? AND version = ?;

-- name: set_state
-- The new state of a version.
UPDATE deployments SET state = ?, state_reason = ? WHERE name = ? AND version = ?;

-- name: drop_source
-- A version is pruned.
UPDATE deployments SET state = 'pruned', state_reason = ?, source = x''
WHERE name = ? AND version = ?;

-- name: drop_graph
-- The graph of a revision that no version needs.
UPDATE revisions SET graph = x''
WHERE revision = :revision
  AND NOT EXISTS (SELECT 1 FROM deployments WHERE revision = :revision AND state <> 'pruned');

-- name: drop_bindings
-- What a graph named that is not kept.
DELETE FROM bindings
WHERE revision = :revision
  AND NOT EXISTS (SELECT 1 FROM deployments WHERE revision = :revision AND state <> 'pruned');

-- name: add_audit
-- Who changed what.
INSERT INTO audit (at, actor, git_commit, action, name, version, before, after, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: audit
-- Changes after one, in order.
SELECT id, at, actor, git_commit, action, name, version, before, after, reason
FROM audit WHERE id > ? ORDER BY id LIMIT ?;

-- name: audit_of
-- Changes of one workflow after one, in order.
SELECT id, at, actor, git_commit, action, name, version, before, after, reason
FROM audit WHERE name = ? AND id > ? ORDER BY id LIMIT ?;

-- name: version_report
-- How the versions of a workflow stand, in order of deployment.
WITH live AS (
    SELECT version, count(*) AS running, sum(open_activities = 0) AS waiting,
           min(started_at) AS oldest
    FROM instances INDEXED BY instances_kind
    WHERE status IN ('pending', 'running', 'suspended') AND workflow = :name
    GROUP BY version
)
SELECT d.name, d.version, d.revision, d.state, d.state_reason, d.deployed_at, d.actor,
       d.git_commit, coalesce(live.running, 0), coalesce(live.waiting, 0),
       (SELECT count(*) FROM bindings b JOIN deployments p ON p.revision = b.revision
        WHERE b.name = d.name AND b.version = d.version AND p.state <> 'pruned'
          AND p.key <> d.key),
       0, live.oldest
FROM deployments d LEFT JOIN live ON live.version = d.version
WHERE d.name = :name ORDER BY d.key;

-- name: instances_of_version
-- Stored instances of a version, ended ones too.
SELECT id FROM instances INDEXED BY instances_kind
WHERE status IN ('pending', 'running', 'suspended', 'completed', 'failed', 'cancelled',
                 'terminated')
  AND workflow = :name AND version = :version;

-- name: executions_of_version
-- Archived executions of a version.
SELECT i.id || '/' || e.execution
FROM executions e INDEXED BY executions_kind CROSS JOIN instances i ON i.key = e.instance
WHERE e.workflow = :name AND e.version = :version;

-- name: bound_and_running
-- Other versions that name this one in a step and have instances that run.
SELECT p.name || ' ' || p.version
FROM bindings b CROSS JOIN deployments p ON p.revision = b.revision
WHERE b.name = :name AND b.version = :version
  AND NOT (p.name = :name AND p.version = :version)
  AND EXISTS (SELECT 1 FROM instances i INDEXED BY instances_kind
              WHERE i.status IN ('pending', 'running', 'suspended')
                AND i.workflow = p.name AND i.version = p.version);

-- name: is_pruned
-- Whether a version has no content any more.
SELECT 1 FROM deployments WHERE name = ? AND version = ? AND state = 'pruned';

-- name: unservable
-- Instances that have not ended, of other semantics levels than those given.
SELECT * FROM instance_records WHERE key IN (
    SELECT key FROM instances INDEXED BY instances_kind
    WHERE status IN ('pending', 'running', 'suspended')
      AND semantics NOT IN (SELECT value FROM json_each(:levels))
    ORDER BY key LIMIT :limit
) ORDER BY key;

-- name: rebase
-- A running execution goes over to another revision; a new epoch fences off its owner.
UPDATE instances SET version = ?, revision = ?, last_seq = ?, open_activities = ?, open_waits = ?,
    updated_at = ?, epoch = epoch + 1, owner = NULL, attempts = 0
WHERE id = ? AND execution = ? AND last_seq = ? AND workflow = ? AND semantics = ?
  AND status IN ('running', 'suspended');

-- name: mode
-- What kind of store this is.
SELECT mode FROM store WHERE id = 1;

-- name: for_development
-- Only a store that nobody has used yet becomes one for development.
UPDATE store SET mode = 'dev'
WHERE id = 1 AND NOT EXISTS (SELECT 1 FROM deployments) AND NOT EXISTS (SELECT 1 FROM instances);

-- name: journal_mode
-- How the file is written.
PRAGMA journal_mode;

-- name: page_count
-- Pages in the file.
PRAGMA page_count;

-- name: freelist_count
-- Pages in the file that are free.
PRAGMA freelist_count;

-- name: page_size
-- Bytes of a page.
PRAGMA page_size;
