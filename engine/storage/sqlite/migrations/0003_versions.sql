-- Policies, states and pruning of versions; who changed what; instances that wait for a version.

-- One row: the version of the catalogue. Every change of what a start may get raises it.
CREATE TABLE catalog (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO catalog (id, version) SELECT 1, count(*) FROM deployments;

ALTER TABLE deployments ADD COLUMN state TEXT NOT NULL DEFAULT 'released'
    CHECK (state IN ('released', 'deprecated', 'yanked', 'pruned'));
ALTER TABLE deployments ADD COLUMN state_reason TEXT;
-- Empty, or nearly: asked at every start.
CREATE INDEX deployments_pruned ON deployments (name, version) WHERE state = 'pruned';
CREATE INDEX deployments_revision ON deployments (revision);

-- Versions that a graph names by their whole number: steps that start them or go on as them.
CREATE TABLE bindings (
    revision TEXT NOT NULL REFERENCES revisions (revision),
    name     TEXT NOT NULL,
    version  TEXT NOT NULL,
    PRIMARY KEY (name, version, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX bindings_revision ON bindings (revision);
-- Of the graphs that are there already; later ones bring their own.
INSERT OR IGNORE INTO bindings (revision, name, version)
SELECT g.revision,
       coalesce(json_extract(t.value, '$.workflow'), json_extract(g.graph, '$.name')),
       coalesce(json_extract(t.value, '$.range'), json_extract(t.value, '$.version'))
FROM (SELECT revision, CAST(graph AS TEXT) AS graph FROM revisions) g, json_tree(g.graph) t
WHERE t.type = 'object'
  AND json_extract(t.value, '$.kind') IN ('workflow', 'start', 'continue_as_new')
  AND coalesce(json_extract(t.value, '$.range'), json_extract(t.value, '$.version'))
      GLOB '[0-9]*.[0-9]*.[0-9]*';

CREATE TABLE policies (
    name       TEXT PRIMARY KEY,
    policy     TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE policy_versions (
    name    TEXT NOT NULL REFERENCES policies (name),
    version TEXT NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    actor      TEXT,
    git_commit TEXT,
    action     TEXT NOT NULL,
    name       TEXT NOT NULL,
    version    TEXT,
    before     TEXT,
    after      TEXT,
    reason     TEXT
) STRICT;
CREATE INDEX audit_name ON audit (name);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

-- What a version is never changes; its state may, and pruning takes its source.
DROP TRIGGER deployments_keep_their_revision;
CREATE TRIGGER deployments_keep_their_revision BEFORE UPDATE ON deployments
WHEN OLD.state = 'pruned'
  OR NEW.key IS NOT OLD.key OR NEW.name IS NOT OLD.name OR NEW.version IS NOT OLD.version
  OR NEW.revision IS NOT OLD.revision OR NEW.source_digest IS NOT OLD.source_digest
  OR NEW.deployed_at IS NOT OLD.deployed_at OR NEW.actor IS NOT OLD.actor
  OR NEW.git_commit IS NOT OLD.git_commit
  OR (NEW.source IS NOT OLD.source AND (NEW.state <> 'pruned' OR length(NEW.source) > 0))
BEGIN SELECT RAISE(ABORT, 'a deployed version is immutable'); END;

-- A graph never changes; it may go when no version needs it, and come back.
DROP TRIGGER revisions_keep_their_graph;
CREATE TRIGGER revisions_keep_their_graph BEFORE UPDATE ON revisions
WHEN NEW.revision IS NOT OLD.revision
  OR (length(OLD.graph) > 0 AND (
      length(NEW.graph) > 0
      OR EXISTS (SELECT 1 FROM deployments d
                 WHERE d.revision = OLD.revision AND d.state <> 'pruned')))
BEGIN SELECT RAISE(ABORT, 'a revision is immutable'); END;

ALTER TABLE instances ADD COLUMN upgrade_blocked TEXT;
ALTER TABLE instances ADD COLUMN awaits_version TEXT;
-- What keeps a version from being pruned; written when an execution ends by continue-as-new.
CREATE INDEX executions_kind ON executions (workflow, version);

DROP VIEW instance_records;
CREATE VIEW instance_records AS
SELECT key, id, workflow, version, revision, semantics, execution, status, last_seq, epoch,
       (SELECT node FROM nodes WHERE nodes.epoch = instances.owner) AS owner,
       attempts, open_activities, open_waits, created_at, updated_at, finished_at, parent_id,
       custom_status, output, error, suspended_reason, upgrade_blocked, awaits_version
FROM instances;

PRAGMA user_version = 3;
