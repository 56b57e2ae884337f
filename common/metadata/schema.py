"""The schema of the SQLite metadata file, as a list of migrations.

A migration that was released never changes; a new version appends one. `PRAGMA user_version` counts
the migrations that were applied to a file.
"""

import re
import sqlite3

from common.errors import MetadataUnavailable

_THERE_ALREADY = re.compile(r"^duplicate column name|already exists$")
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE teams (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, slug TEXT NOT NULL UNIQUE)""",
        """CREATE TABLE environments (
            id TEXT PRIMARY KEY, team_id TEXT NOT NULL REFERENCES teams (id),
            name TEXT NOT NULL, slug TEXT NOT NULL, UNIQUE (team_id, slug))""",
        """CREATE TABLE api_keys (
            id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
            name TEXT NOT NULL, env_id TEXT NOT NULL REFERENCES environments (id),
            access TEXT NOT NULL, events_per_s INTEGER NOT NULL, events_per_day INTEGER NOT NULL,
            created_ns INTEGER NOT NULL, revoked_ns INTEGER NOT NULL)""",
        "CREATE INDEX api_keys_by_environment ON api_keys (env_id, created_ns)",
        """CREATE TABLE datasets (
            id TEXT PRIMARY KEY, env_id TEXT NOT NULL, slug TEXT NOT NULL, name TEXT NOT NULL,
            description TEXT NOT NULL, expand_json_depth INTEGER NOT NULL,
            created_ns INTEGER NOT NULL, deleted_ns INTEGER NOT NULL)""",
        "CREATE INDEX datasets_by_environment ON datasets (env_id, slug)",
        """CREATE TABLE queries (
            id TEXT PRIMARY KEY, env_id TEXT NOT NULL, dataset_id TEXT NOT NULL,
            spec_json BLOB NOT NULL, created_ns INTEGER NOT NULL)""",
    ),
    ("ALTER TABLE datasets ADD COLUMN retention_days INTEGER NOT NULL DEFAULT 0",),
    # Existing datasets can be deleted as before.
    ("ALTER TABLE datasets ADD COLUMN delete_protected INTEGER NOT NULL DEFAULT 0",),
    (
        """CREATE TABLE columns (
            id TEXT NOT NULL, dataset_id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
            description TEXT NOT NULL, hidden INTEGER NOT NULL, created_ns INTEGER NOT NULL,
            updated_ns INTEGER NOT NULL, deleted_ns INTEGER NOT NULL,
            PRIMARY KEY (dataset_id, id))""",
    ),
    (
        """CREATE TABLE column_facts (
            id TEXT NOT NULL, dataset_id TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
            unit TEXT NOT NULL, temporality TEXT NOT NULL, monotonic INTEGER NOT NULL,
            description TEXT NOT NULL, updated_ns INTEGER NOT NULL,
            PRIMARY KEY (dataset_id, id))""",
    ),
    (
        """CREATE TABLE markers (
            id TEXT NOT NULL, env_id TEXT NOT NULL, dataset_id TEXT NOT NULL,
            start_s INTEGER NOT NULL, end_s INTEGER NOT NULL, message TEXT NOT NULL,
            type TEXT NOT NULL, url TEXT NOT NULL, created_ns INTEGER NOT NULL,
            updated_ns INTEGER NOT NULL, PRIMARY KEY (env_id, dataset_id, id))""",
        """CREATE TABLE marker_settings (
            id TEXT NOT NULL, env_id TEXT NOT NULL, dataset_id TEXT NOT NULL, type TEXT NOT NULL,
            color TEXT NOT NULL, created_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL,
            PRIMARY KEY (env_id, dataset_id, id))""",
        """CREATE TABLE derived_columns (
            id TEXT NOT NULL, env_id TEXT NOT NULL, dataset_id TEXT NOT NULL, alias TEXT NOT NULL,
            expression TEXT NOT NULL, description TEXT NOT NULL, created_ns INTEGER NOT NULL,
            updated_ns INTEGER NOT NULL, PRIMARY KEY (env_id, dataset_id, id))""",
        """CREATE TABLE query_annotations (
            id TEXT NOT NULL, env_id TEXT NOT NULL, dataset_id TEXT NOT NULL, name TEXT NOT NULL,
            description TEXT NOT NULL, query_id TEXT NOT NULL, created_ns INTEGER NOT NULL,
            updated_ns INTEGER NOT NULL, PRIMARY KEY (env_id, dataset_id, id))""",
        """CREATE TABLE span_definitions (
            id TEXT NOT NULL, env_id TEXT NOT NULL, dataset_id TEXT NOT NULL,
            column_name TEXT NOT NULL, created_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL,
            PRIMARY KEY (env_id, dataset_id, id))""",
        "CREATE INDEX queries_by_environment ON queries (env_id, created_ns)",
    ),
    (
        """CREATE TABLE secrets (
            name TEXT PRIMARY KEY, value BLOB NOT NULL, expires_ns INTEGER NOT NULL)""",
    ),
)


def version(db: sqlite3.Connection) -> int:
    """The number of migrations that were applied to the file."""
    (steps,) = db.execute("PRAGMA user_version").fetchone()
    return int(steps)


def migrate(db: sqlite3.Connection) -> None:
    """Apply missing migrations within a transaction of the caller. Raises MetadataUnavailable."""
    taken = version(db)
    if taken > len(MIGRATIONS):
        raise MetadataUnavailable(
            f"the metadata is of version {taken}, this program knows {len(MIGRATIONS)}: upgrade it"
        )
    for steps in MIGRATIONS[taken:]:
        for statement in steps:
            _apply(db, statement)
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _apply(db: sqlite3.Connection, statement: str) -> None:
    """Execute one statement, unless it was: the count is set back to use an earlier program."""
    try:
        db.execute(statement)
    except sqlite3.OperationalError as error:
        if not _THERE_ALREADY.search(str(error)):
            raise
