-- What kind of store this is, and, in a development store, the version each saved file became last.

CREATE TABLE store (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    mode TEXT NOT NULL CHECK (mode IN ('none', 'dev'))
) STRICT;
INSERT INTO store (id, mode) VALUES (1, 'none');

CREATE TABLE saved_versions (
    name    TEXT PRIMARY KEY,
    version TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER development_versions_stay_there BEFORE INSERT ON deployments
WHEN NEW.version GLOB '*-dev.*' AND (SELECT mode FROM store) <> 'dev'
BEGIN SELECT RAISE(ABORT, 'a development version is refused here'); END;

CREATE TRIGGER saves_are_for_development BEFORE INSERT ON saved_versions
WHEN (SELECT mode FROM store) <> 'dev'
BEGIN SELECT RAISE(ABORT, 'this is no development store'); END;

PRAGMA user_version = 2;
