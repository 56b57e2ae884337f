"""The schema of the MySQL database, as a list of migrations, one statement each.

A statement that was released never changes; a new version appends some. DDL commits implicitly, so
each statement is recorded after it was executed and may be repeated after a crash: tables are
created `IF NOT EXISTS`, and a column or index that exists already is no error (MySQL has no IF NOT
EXISTS for these).

Text that is compared or sorted is VARBINARY (UTF-8 bytes), so equality and order are those of the
SQLite files whatever the server's collation: bytes, case and trailing blanks count. Text that is
only shown is utf8mb4.
"""

from pymysql.cursors import Cursor
from pymysql.err import OperationalError

from common.errors import MetadataUnavailable

_TABLE = "ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
_SCOPED = (
    "id VARBINARY(64) NOT NULL, env_id VARBINARY(64) NOT NULL, dataset_id VARBINARY(64) NOT NULL"
)
_TIMES = (
    "created_ns BIGINT NOT NULL, updated_ns BIGINT NOT NULL, PRIMARY KEY (env_id, dataset_id, id)"
)
MIGRATIONS: tuple[str, ...] = (
    f"""CREATE TABLE IF NOT EXISTS teams (
        id VARBINARY(64) NOT NULL PRIMARY KEY, name TEXT NOT NULL,
        slug VARBINARY(3060) NOT NULL, UNIQUE KEY teams_by_slug (slug)) {_TABLE}""",
    # unique by slug within the team through the id, which is derived from both
    f"""CREATE TABLE IF NOT EXISTS environments (
        id VARBINARY(64) NOT NULL PRIMARY KEY, team_id VARBINARY(64) NOT NULL, name TEXT NOT NULL,
        slug VARBINARY(3060) NOT NULL, KEY environments_by_slug (team_id, slug(700)),
        CONSTRAINT environments_team FOREIGN KEY (team_id) REFERENCES teams (id)) {_TABLE}""",
    f"""CREATE TABLE IF NOT EXISTS api_keys (
        id VARBINARY(64) NOT NULL PRIMARY KEY, hash VARBINARY(64) NOT NULL,
        kind VARBINARY(32) NOT NULL, name TEXT NOT NULL, env_id VARBINARY(64) NOT NULL,
        access TEXT NOT NULL, events_per_s BIGINT NOT NULL, events_per_day BIGINT NOT NULL,
        created_ns BIGINT NOT NULL, revoked_ns BIGINT NOT NULL, UNIQUE KEY api_keys_by_hash (hash),
        KEY api_keys_by_environment (env_id, created_ns),
        CONSTRAINT api_keys_env FOREIGN KEY (env_id) REFERENCES environments (id)) {_TABLE}""",
    f"""CREATE TABLE IF NOT EXISTS datasets (
        id VARBINARY(64) NOT NULL PRIMARY KEY, env_id VARBINARY(64) NOT NULL,
        slug VARBINARY(3060) NOT NULL, name TEXT NOT NULL, description MEDIUMTEXT NOT NULL,
        expand_json_depth BIGINT NOT NULL, created_ns BIGINT NOT NULL, deleted_ns BIGINT NOT NULL,
        retention_days BIGINT NOT NULL DEFAULT 0,
        KEY datasets_by_environment (env_id, slug(700))) {_TABLE}""",
    f"""CREATE TABLE IF NOT EXISTS queries (
        id VARBINARY(64) NOT NULL PRIMARY KEY, env_id VARBINARY(64) NOT NULL,
        dataset_id VARBINARY(64) NOT NULL, spec_json MEDIUMBLOB NOT NULL,
        created_ns BIGINT NOT NULL) {_TABLE}""",
    # Datasets that are there already can be deleted as before.
    "ALTER TABLE datasets ADD COLUMN delete_protected TINYINT NOT NULL DEFAULT 0",
    f"""CREATE TABLE IF NOT EXISTS `columns` (
        id VARBINARY(64) NOT NULL, dataset_id VARBINARY(64) NOT NULL, name MEDIUMTEXT NOT NULL,
        type VARBINARY(32) NOT NULL, description TEXT NOT NULL, hidden TINYINT NOT NULL,
        created_ns BIGINT NOT NULL, updated_ns BIGINT NOT NULL, deleted_ns BIGINT NOT NULL,
        PRIMARY KEY (dataset_id, id)) {_TABLE}""",
    f"""CREATE TABLE IF NOT EXISTS column_facts (
        id VARBINARY(64) NOT NULL, dataset_id VARBINARY(64) NOT NULL, name MEDIUMTEXT NOT NULL,
        kind TEXT NOT NULL, unit TEXT NOT NULL, temporality TEXT NOT NULL,
        monotonic TINYINT NOT NULL, description TEXT NOT NULL, updated_ns BIGINT NOT NULL,
        PRIMARY KEY (dataset_id, id)) {_TABLE}""",
    f"""CREATE TABLE IF NOT EXISTS markers (
        {_SCOPED}, start_s BIGINT NOT NULL, end_s BIGINT NOT NULL, message TEXT NOT NULL,
        type TEXT NOT NULL, url TEXT NOT NULL, {_TIMES}) {_TABLE}""",
    f"""CREATE TABLE IF NOT EXISTS marker_settings (
        {_SCOPED}, type TEXT NOT NULL, color TEXT NOT NULL, {_TIMES}) {_TABLE}""",
    f"""CREATE TABLE IF NOT EXISTS derived_columns (
        {_SCOPED}, alias TEXT NOT NULL, expression TEXT NOT NULL, description TEXT NOT NULL,
        {_TIMES}) {_TABLE}""",
    f"""CREATE TABLE IF NOT EXISTS query_annotations (
        {_SCOPED}, name TEXT NOT NULL, description TEXT NOT NULL,
        query_id VARBINARY(64) NOT NULL, {_TIMES}) {_TABLE}""",
    f"""CREATE TABLE IF NOT EXISTS span_definitions (
        {_SCOPED}, column_name TEXT NOT NULL, {_TIMES}) {_TABLE}""",
    "CREATE INDEX queries_by_environment ON queries (env_id, created_ns)",
    f"""CREATE TABLE IF NOT EXISTS secrets (
        name VARBINARY(128) NOT NULL PRIMARY KEY, value VARBINARY(512) NOT NULL,
        expires_ns BIGINT NOT NULL) {_TABLE}""",
)
# A column or index that is there: of a step that was done and not counted before its process ended.
_THERE_ALREADY = (1060, 1061)
_LOCK_S = 30  # other processes that migrate at the same time are done by then
_COUNT = "SELECT COALESCE(MAX(step), 0) FROM schema_steps"
_STEPS = f"""CREATE TABLE IF NOT EXISTS schema_steps (
    step INT NOT NULL PRIMARY KEY,
    taken_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) {_TABLE}"""


def version(cursor: Cursor) -> int:
    """The number of statements that were applied; 0 for a new database. Raises pymysql.Error."""
    cursor.execute(
        "SELECT COUNT(*) FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND table_name = 'schema_steps'"
    )
    if not _number(cursor):
        return 0
    cursor.execute(_COUNT)
    return _number(cursor)


def is_current(cursor: Cursor) -> bool:
    """Whether the schema is up to date.

    Raises MetadataUnavailable for the database of a newer program.
    """
    taken = version(cursor)
    if taken > len(MIGRATIONS):
        raise MetadataUnavailable(
            f"the metadata is of version {taken}, this program knows {len(MIGRATIONS)}: upgrade it"
        )
    return taken == len(MIGRATIONS)


def migrate(cursor: Cursor) -> int:
    """Apply missing statements, one process at a time; returns their number.

    Raises MetadataUnavailable, pymysql.Error.
    """
    name = "CONCAT('bellwether.', LEFT(DATABASE(), 50))"  # locks are shared by all databases
    cursor.execute(f"SELECT COALESCE(GET_LOCK({name}, {_LOCK_S}), 0)")
    if not _number(cursor):
        raise MetadataUnavailable("another process has been migrating the metadata for too long")
    try:
        if is_current(cursor):
            return 0
        cursor.execute(_STEPS)
        taken = version(cursor)
        for step, statement in enumerate(MIGRATIONS[taken:], taken + 1):
            try:
                cursor.execute(statement)
            except OperationalError as error:
                if error.args[0] not in _THERE_ALREADY:
                    raise
            cursor.execute("INSERT INTO schema_steps (step) VALUES (%s)", (step,))
        return len(MIGRATIONS) - taken
    finally:
        cursor.execute(f"DO RELEASE_LOCK({name})")


def _number(cursor: Cursor) -> int:
    row = cursor.fetchone()
    return int(row[0]) if row else 0
