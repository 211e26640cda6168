-- What kind of store this is.

CREATE TABLE store (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    mode TEXT NOT NULL CHECK (mode IN ('none', 'dev'))
) STRICT;
INSERT INTO store (id, mode) VALUES (1, 'none');

CREATE TRIGGER development_versions_stay_there BEFORE INSERT ON deployments
WHEN NEW.version GLOB '*-dev.*' AND (SELECT mode FROM store) <> 'dev'
BEGIN SELECT RAISE(ABORT, 'a development version is refused here'); END;

PRAGMA user_version = 2;
