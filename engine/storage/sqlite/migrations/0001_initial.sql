-- The first schema. Keys are integers inside, text ids only in `instances.id`.
-- A column or index that a running turn would have to rewrite needs a reason: see the notes.

CREATE TABLE nodes (
    epoch       INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: it fences
    node        TEXT NOT NULL,
    acquired_at INTEGER NOT NULL,
    token       INTEGER,                            -- of the last commit, with its result
    result      BLOB
) STRICT;

-- Counts the transactions of processes that are not the node. The node compares it with what it
-- saw last; its own commits leave it alone.
CREATE TABLE foreign_writes (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;
INSERT INTO foreign_writes (id, count) VALUES (1, 0);

CREATE TABLE revisions (
    revision TEXT PRIMARY KEY,
    graph    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deployments (
    key           INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,
    version       TEXT NOT NULL,
    revision      TEXT NOT NULL REFERENCES revisions (revision),
    source        BLOB NOT NULL,
    source_digest TEXT NOT NULL,
    deployed_at   INTEGER NOT NULL,
    actor         TEXT,
    git_commit    TEXT,
    UNIQUE (name, version)
) STRICT;

CREATE TRIGGER revisions_keep_their_graph BEFORE UPDATE ON revisions
BEGIN SELECT RAISE(ABORT, 'a revision is immutable'); END;

CREATE TRIGGER revisions_stay BEFORE DELETE ON revisions
BEGIN SELECT RAISE(ABORT, 'a revision is never removed'); END;

CREATE TRIGGER deployments_keep_their_revision BEFORE UPDATE ON deployments
BEGIN SELECT RAISE(ABORT, 'a deployed version is immutable'); END;

CREATE TRIGGER deployments_stay BEFORE DELETE ON deployments
BEGIN SELECT RAISE(ABORT, 'a deployed version is never removed'); END;

CREATE TABLE instances (
    key              INTEGER PRIMARY KEY,  -- order of creation
    id               TEXT NOT NULL UNIQUE,
    workflow         TEXT NOT NULL,
    version          TEXT NOT NULL,
    revision         TEXT NOT NULL,
    semantics        INTEGER NOT NULL,
    execution        INTEGER NOT NULL,
    status           TEXT NOT NULL,
    last_seq         INTEGER NOT NULL,
    epoch            INTEGER NOT NULL,
    owner            INTEGER,              -- nodes.epoch; only the live node ever stands here
    attempts         INTEGER NOT NULL,
    open_activities  INTEGER NOT NULL,
    open_waits       INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER NOT NULL,     -- of the current execution
    updated_at       INTEGER NOT NULL,
    finished_at      INTEGER,
    parent_id        TEXT,
    custom_status    BLOB,
    output           BLOB,
    error            BLOB,
    suspended_reason TEXT
) STRICT;

-- Listing and counting; touched at creation, when the status changes and at the end.
CREATE INDEX instances_kind ON instances (status, workflow, version);
CREATE INDEX instances_parent ON instances (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX instances_finished ON instances (finished_at) WHERE finished_at IS NOT NULL;
-- Empty while the node owns everything that is in progress.
CREATE INDEX instances_unowned ON instances (key)
    WHERE owner IS NULL AND status IN ('pending', 'running')
      AND (open_activities > 0 OR status = 'pending');

-- Executions that have ended; the current one stands in `instances`.
CREATE TABLE executions (
    instance    INTEGER NOT NULL,
    execution   INTEGER NOT NULL,
    pages_of    INTEGER NOT NULL,  -- pages.instance: a replaced instance gets a new key, its old
    workflow    TEXT NOT NULL,     -- pages keep theirs
    version     TEXT NOT NULL,
    revision    TEXT NOT NULL,
    semantics   INTEGER NOT NULL,
    status      TEXT NOT NULL,
    last_seq    INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (instance, execution)
) STRICT, WITHOUT ROWID;

-- One row per turn, appended in commit order.
CREATE TABLE pages (
    key       INTEGER PRIMARY KEY,
    instance  INTEGER NOT NULL,
    execution INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    payload   BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX pages_order ON pages (instance, execution, first_seq);

CREATE TABLE inbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: pages refer to it
    instance   INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    execution  INTEGER,
    token      INTEGER,
    payload    BLOB NOT NULL
) STRICT;
CREATE INDEX inbox_due ON inbox (visible_at);
CREATE INDEX inbox_instance ON inbox (instance, visible_at);
CREATE INDEX inbox_token ON inbox (instance, execution, token) WHERE token IS NOT NULL;

CREATE TABLE snapshots (
    instance  INTEGER PRIMARY KEY,
    execution INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    payload   BLOB NOT NULL
) STRICT;

-- An instance as `rows.instance_record` reads it: `key` first, then the fields in order.
CREATE VIEW instance_records AS
SELECT key, id, workflow, version, revision, semantics, execution, status, last_seq, epoch,
       (SELECT node FROM nodes WHERE nodes.epoch = instances.owner) AS owner,
       attempts, open_activities, open_waits, created_at, updated_at, finished_at, parent_id,
       custom_status, output, error, suspended_reason
FROM instances;

PRAGMA user_version = 1;
