"""Metadata in MySQL or MariaDB, with the same results as the SQLite file of one machine.

Every write is one statement with autocommit, so it is durable when the call returns (with
`innodb_flush_log_at_trx_commit = 1`, which `bellwether doctor` checks). Nothing is retried here: a
call fails within about the time-out, and callers have caches (I8).
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from common import limits
from common.clock import Clock
from common.errors import Conflict, MetadataUnavailable
from common.metadata.interface import (
    Access,
    ApiKey,
    Column,
    ColumnFacts,
    Dataset,
    Environment,
    MetadataRow,
    StoredQuery,
    Team,
)
from common.metadata.mysql import schema
from common.metadata.mysql.config import MysqlConfig
from common.metadata.mysql.pool import Db, Pool, connect, translate_errors
from common.metadata.mysql.rows import (
    insert_of,
    query_of,
    raw,
    read_all,
    stored,
    texts,
    write_all,
)
from common.metadata.resource_tables import ResourceTables
from common.metadata.row_mapping import (
    COLUMN_FACTS,
    COLUMNS,
    DATASETS,
    ENVIRONMENTS,
    QUERIES,
    SELECT_ENVIRONMENTS,
    SELECT_KEYS,
    TEAMS,
    Row,
    Table,
    column_facts_of,
    column_of,
    dataset_of,
    environment_of,
    key_of,
    pair_of,
    team_of,
)
from common.metadata.rows import encode_access, url_slug_pattern
from common.metadata.secret_table import SecretTable
from common.model.clock_reading import ClockReading, is_elsewhere, reading_of
from common.model.names import environment_id, team_id, url_slug

_LONG_S = 60.0  # one answer while every row is read or written
_MIGRATING_S = 120.0  # one statement of a migration, on a large table
# deleted_ns comes last: assignments are made in this order and the condition reads the old one
_REVIVED = "deleted_ns > 0 AND deleted_ns <= VALUES(created_ns)"
_UNLESS_DELETED = (
    " ON DUPLICATE KEY UPDATE "
    + ", ".join(
        f"{column} = IF({_REVIVED}, VALUES({column}), {column})"
        for column in (
            *("env_id", "slug", "name", "description", "expand_json_depth", "retention_days"),
            *("delete_protected", "created_ns"),
        )
    )
    + f", deleted_ns = IF({_REVIVED}, VALUES(deleted_ns), deleted_ns)"
)


class MysqlMetadata(ResourceTables, SecretTable):
    """Metadata in the configured database. Any number of threads may use it."""

    mark = "%s"
    insert_once = "INSERT IGNORE"

    def __init__(self, config: MysqlConfig) -> None:
        self._config = config
        self._pool = Pool(config)
        self._opened = False
        self._current = False
        self._migrating = threading.Lock()

    def open(self) -> None:
        """Connect; create or migrate the schema. Raises MetadataUnavailable.

        After a failure the store counts as opened: each call then tries to connect and migrate.
        """
        self._opened = True
        with self._pool.connection() as db:
            self._prepare(db)

    def close(self) -> None:
        """Close the connections; calls raise MetadataUnavailable until it is opened again."""
        self._opened = False
        self._pool.close()

    def read_clock(self, clock: Clock) -> ClockReading | None:
        """The server's clock. Raises MetadataUnavailable."""
        with self._pool.connection() as db, db.cursor() as cursor:
            begin_ns = clock.monotonic_ns()
            cursor.execute("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))")
            (micros,) = cursor.fetchone() or (0,)
            span = (begin_ns, clock.monotonic_ns())
        elsewhere = not self._config.socket and is_elsewhere(self._config.host)
        return reading_of("the database", int(micros) * 1_000, 1_000, span, elsewhere=elsewhere)

    def ensure_team(self, name: str, slug: str) -> Team:
        """The team of that slug, created if there is none."""
        self._write_once(Team(team_id(slug), name, slug))
        [row] = self._read(f"{TEAMS.select()} WHERE slug = %s", (raw(slug),))
        return team_of(texts(row))

    def ensure_environment(self, team_id: str, name: str, slug: str) -> Environment:
        """The environment of that slug in the team, created if there is none."""
        self._write_once(Environment(environment_id(team_id, slug), team_id, name, slug))
        [row] = self._read(
            f"{ENVIRONMENTS.select()} WHERE team_id = %s AND slug = %s", (raw(team_id), raw(slug))
        )
        return environment_of(texts(row))

    def list_environments(self) -> list[tuple[Team, Environment]]:
        """Every environment with its team, by the slugs of both."""
        return [pair_of(texts(row)) for row in self._read(SELECT_ENVIRONMENTS, ())]

    def create_key(self, key: ApiKey) -> None:
        """Store a key. Raises Conflict if its hash or id exists."""
        try:
            self._write(*insert_of(key))
        except Conflict as error:
            raise Conflict(f"a key with the id {key.id} or the same secret exists") from error

    def find_key(self, key_hash: str) -> ApiKey | None:
        """The key of that hash, even if it is revoked; None if there is none."""
        rows = self._read(f"{SELECT_KEYS} WHERE k.hash = %s", (raw(key_hash),))
        return key_of(texts(rows[0])) if rows else None

    def list_keys(self, env_id: str) -> list[ApiKey]:
        """The environment's keys, oldest first."""
        rows = self._read(
            f"{SELECT_KEYS} WHERE k.env_id = %s ORDER BY k.created_ns, k.id", (raw(env_id),)
        )
        return [key_of(texts(row)) for row in rows]

    def revoke_key(self, key_id: str, now_ns: int) -> bool:
        """Revoke a key; False if there is no such key. The time of the first call is kept."""
        found = self._write(
            "UPDATE api_keys SET revoked_ns = IF(revoked_ns > 0, revoked_ns, %s) WHERE id = %s",
            (now_ns, raw(key_id)),
        )
        return found > 0

    def set_access(self, key_id: str, access: Access) -> bool:
        """Replace a key's rights; False if there is no such key."""
        found = self._write(
            "UPDATE api_keys SET access = %s WHERE id = %s", (encode_access(access), raw(key_id))
        )
        return found > 0

    def ensure_dataset(self, dataset: Dataset) -> Dataset:
        """Store a dataset unless its id exists or was deleted after `created_ns`.

        Returns what is stored. A late registration does not undo a deletion after it.
        """
        found = self.get_dataset(dataset.id)
        if found is not None:  # by far the most frequent case, and it needs no write
            return found
        insert, values = insert_of(dataset)
        self._write(insert + _UNLESS_DELETED, values)
        [row] = self._read(f"{DATASETS.select()} WHERE id = %s", (raw(dataset.id),))
        return dataset_of(texts(row))

    def get_dataset(self, dataset_id: str) -> Dataset | None:
        """The dataset, None if there is none or it was deleted."""
        rows = self._read(
            f"{DATASETS.select()} WHERE id = %s AND deleted_ns = 0", (raw(dataset_id),)
        )
        return dataset_of(texts(rows[0])) if rows else None

    def list_datasets(
        self, env_id: str, after: str | None = None, limit: int | None = None
    ) -> list[Dataset]:
        """The environment's datasets that are not deleted, by slug, after a slug."""
        rows = self._read(
            f"{DATASETS.select()} WHERE env_id = %s AND deleted_ns = 0 AND slug > %s"
            " ORDER BY slug LIMIT %s",
            (raw(env_id), raw(after or ""), 2**62 if limit is None else limit),
        )
        return [dataset_of(texts(row)) for row in rows]

    def find_by_url_slug(self, env_id: str, wanted: str) -> list[Dataset]:
        """The environment's datasets, not deleted, that have this second name, by slug."""
        rows = self._read(
            f"{DATASETS.select()} WHERE env_id = %s AND deleted_ns = 0 AND slug LIKE %s ESCAPE '='"
            " ORDER BY slug",
            (raw(env_id), raw(url_slug_pattern(wanted))),
        )
        return [
            found for found in map(dataset_of, map(texts, rows)) if url_slug(found.slug) == wanted
        ]

    def count_datasets(self, env_id: str) -> int:
        """The number of the environment's datasets that are not deleted."""
        query = "SELECT count(*) FROM datasets WHERE env_id = %s AND deleted_ns = 0"
        return int(self._read(query, (raw(env_id),))[0][0])

    def update_dataset(self, dataset: Dataset) -> bool:
        """Update description, depth, retention, protection and deletion time.

        False if there is no such dataset.
        """
        found = self._write(
            "UPDATE datasets SET description = %s, expand_json_depth = %s, deleted_ns = %s,"
            " retention_days = %s, delete_protected = %s WHERE id = %s",
            (
                *(dataset.description, dataset.expand_json_depth, dataset.deleted_ns),
                *(dataset.retention_days, dataset.delete_protected, raw(dataset.id)),
            ),
        )
        return found > 0

    def list_retentions(self) -> dict[str, int]:
        """Retention in days by dataset id, of every dataset that has one, in all environments."""
        found = self._read(
            "SELECT id, retention_days FROM datasets WHERE retention_days > 0 AND deleted_ns = 0",
            (),
        )
        return {str(dataset_id): int(days) for dataset_id, days in map(texts, found)}

    def put_column(self, column: Column) -> None:
        """Insert or replace a column."""
        self._write(*insert_of(column, "REPLACE"))

    def list_columns(self, dataset_id: str) -> list[Column]:
        """The dataset's columns, including deleted ones, by id."""
        rows = self._read(
            f"{COLUMNS.select()} WHERE dataset_id = %s ORDER BY id", (raw(dataset_id),)
        )
        return [column_of(texts(row)) for row in rows]

    def put_column_facts(self, facts: Sequence[ColumnFacts]) -> None:
        """Insert or replace what is known of some columns, all or nothing: in one statement."""
        if not facts:
            return
        rows = [insert_of(one, "REPLACE") for one in facts]
        statement, marks = rows[0][0], f", ({', '.join(['%s'] * len(rows[0][1]))})"
        values = tuple(value for _, row in rows for value in row)
        self._write(statement + marks * (len(rows) - 1), values)

    def list_column_facts(self, dataset_id: str) -> list[ColumnFacts]:
        """What is known of the dataset's columns from their senders, by id."""
        query = f"{COLUMN_FACTS.select()} WHERE dataset_id = %s ORDER BY id"
        return [column_facts_of(texts(row)) for row in self._read(query, (raw(dataset_id),))]

    def put_query(self, query: StoredQuery) -> None:
        """Store a query; one that is stored again stays as it is, but counts as new once a day."""
        insert, values = insert_of(query)
        self._write(
            f"{insert} ON DUPLICATE KEY UPDATE created_ns = IF(VALUES(created_ns) >="
            f" created_ns + {limits.STORED_AGAIN_NS}, VALUES(created_ns), created_ns)",
            values,
        )

    def get_query(self, query_id: str) -> StoredQuery | None:
        """The stored query, or None."""
        rows = self._read(f"{QUERIES.select()} WHERE id = %s", (raw(query_id),))
        return query_of(rows[0]) if rows else None

    def dump(self) -> Iterator[MetadataRow]:
        """A consistent snapshot of all rows, over a connection of its own."""
        with self._own_connection() as db:
            yield from read_all(db)

    def load(self, rows: Iterable[MetadataRow], *, overwrite: bool = False) -> int:
        """Store the rows of a `dump` in one transaction. Raises Conflict if there are rows."""
        with self._own_connection() as db:
            return write_all(db, rows, overwrite=overwrite)

    @contextmanager
    def _own_connection(self) -> Iterator[Db]:
        """A connection for work that takes longer than the configured time-out."""
        with self._connection().connection() as db:
            self._prepare(db)
        with translate_errors(self._config):
            slow = connect(self._config, self._config.database, _LONG_S)
            try:
                yield slow
            finally:
                slow.close()

    def _read(self, query: str, values: Row) -> list[Row]:
        with self._connection().connection() as db, db.cursor() as cursor:
            self._prepare(db)
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def _write(self, statement: str, values: Row) -> int:
        """Execute one durable statement; returns the number of rows it found.

        Rows that had the values already count too.
        """
        with self._connection().connection() as db, db.cursor() as cursor:
            self._prepare(db)
            return cursor.execute(statement, values)

    def _write_all(self, statements: Sequence[tuple[str, Row]]) -> None:
        with self._connection().connection() as db, db.cursor() as cursor:
            self._prepare(db)
            db.begin()  # a connection that failed is closed, which rolls back
            for statement, values in statements:
                cursor.execute(statement, values)
            db.commit()

    def _stored(self, table: Table, values: Row) -> Row:
        return stored(table, values)

    def _compared(self, text: str) -> bytes:
        return raw(text)

    def _texts(self, row: Row) -> Row:
        return texts(row)

    def _write_once(self, row: MetadataRow) -> None:
        """Store a row unless its id or another unique value of it exists."""
        insert, values = insert_of(row)
        self._write(f"{insert} ON DUPLICATE KEY UPDATE id = id", values)

    def _connection(self) -> Pool:
        if not self._opened:
            raise MetadataUnavailable("the metadata store is not open")
        return self._pool

    def _prepare(self, db: Db) -> None:
        """Check once that the schema is up to date, and migrate it if not."""
        if self._current:
            return
        with db.cursor() as cursor:
            if not schema.is_current(cursor):
                self._migrate()
        self._current = True

    def _migrate(self) -> None:
        """Migrate the schema over a connection with a longer time-out."""
        with self._migrating, translate_errors(self._config):
            slow = connect(self._config, self._config.database, _MIGRATING_S)
            try:
                with slow.cursor() as cursor:
                    schema.migrate(cursor)
            finally:
                slow.close()
