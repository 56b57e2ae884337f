"""Metadata in one SQLite file, for the processes of one machine.

Every write is one fsynced transaction. A file lock serializes the writers of all processes; it is
fair and avoids SQLite's rare race between WAL checkpoints.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from common import atomic_files, limits
from common.errors import Conflict, MetadataUnavailable
from common.metadata import schema
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
    query_of,
    team_of,
    values_of,
)
from common.metadata.rows import encode_access, url_slug_pattern
from common.metadata.secret_table import SecretTable
from common.metadata.sqlite_rows import insert_of, read_all, write_all
from common.model.names import environment_id, team_id, url_slug

_BUSY_S = 5.0


class SqliteMetadata(ResourceTables, SecretTable):
    """The metadata file at `path`. One thread uses it at a time."""

    mark = "?"
    insert_once = "INSERT OR IGNORE"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._lock = threading.RLock()

    def open(self) -> None:
        """Open the file; create or migrate the schema. Raises MetadataUnavailable."""
        with self._lock, self._translate_errors():
            if self._db is not None:
                return
            atomic_files.make_folder(self._path.parent)
            with atomic_files.exclusive(self._lock_path()):
                db = sqlite3.connect(
                    self._path, isolation_level=None, check_same_thread=False, timeout=_BUSY_S
                )
                try:
                    self._prepare(db)
                except BaseException:
                    db.close()
                    raise
                self._db = db

    def close(self) -> None:
        """Close the file."""
        with self._lock, self._translate_errors():
            if self._db is not None:
                self._db.close()
                self._db = None

    def ensure_team(self, name: str, slug: str) -> Team:
        """The team of that slug, created if there is none."""
        insert, values = insert_of(Team(team_id(slug), name, slug))
        row = self._ensure(
            f"{insert} ON CONFLICT DO NOTHING",
            values,
            f"{TEAMS.select()} WHERE slug = ?",
            (slug,),
        )
        return team_of(row)

    def ensure_environment(self, team_id: str, name: str, slug: str) -> Environment:
        """The environment of that slug in the team, created if there is none."""
        made = Environment(environment_id(team_id, slug), team_id, name, slug)
        insert, values = insert_of(made)
        row = self._ensure(
            f"{insert} ON CONFLICT DO NOTHING",
            values,
            f"{ENVIRONMENTS.select()} WHERE team_id = ? AND slug = ?",
            (team_id, slug),
        )
        return environment_of(row)

    def list_environments(self) -> list[tuple[Team, Environment]]:
        """Every environment with its team, by the slugs of both."""
        return [pair_of(row) for row in self._read(SELECT_ENVIRONMENTS, ())]

    def create_key(self, key: ApiKey) -> None:
        """Store a key. Raises Conflict if its hash or id exists."""
        insert, values = insert_of(key)
        if not self._write(f"{insert} ON CONFLICT DO NOTHING", values):
            raise Conflict(f"a key with the id {key.id} or the same secret exists")

    def find_key(self, key_hash: str) -> ApiKey | None:
        """The key of that hash, even if it is revoked; None if there is none."""
        rows = self._read(f"{SELECT_KEYS} WHERE k.hash = ?", (key_hash,))
        return key_of(rows[0]) if rows else None

    def list_keys(self, env_id: str) -> list[ApiKey]:
        """The environment's keys, oldest first."""
        rows = self._read(
            f"{SELECT_KEYS} WHERE k.env_id = ? ORDER BY k.created_ns, k.id", (env_id,)
        )
        return [key_of(row) for row in rows]

    def revoke_key(self, key_id: str, now_ns: int) -> bool:
        """Revoke a key; False if there is no such key. The time of the first call is kept."""
        changed = self._write(
            "UPDATE api_keys SET revoked_ns = iif(revoked_ns > 0, revoked_ns, ?) WHERE id = ?",
            (now_ns, key_id),
        )
        return changed > 0

    def set_access(self, key_id: str, access: Access) -> bool:
        """Replace a key's rights; False if there is no such key."""
        changed = self._write(
            "UPDATE api_keys SET access = ? WHERE id = ?", (encode_access(access), key_id)
        )
        return changed > 0

    def ensure_dataset(self, dataset: Dataset) -> Dataset:
        """Store a dataset unless its id exists or was deleted after `created_ns`.

        Returns what is stored. A late registration does not undo a deletion after it.
        """
        found = self.get_dataset(dataset.id)
        if found is not None:  # by far the most frequent case, and it needs no write
            return found
        insert, values = insert_of(dataset)
        row = self._ensure(
            f"{insert} ON CONFLICT (id) DO UPDATE"
            " SET (env_id, slug, name, description, expand_json_depth, created_ns, deleted_ns,"
            " retention_days, delete_protected) ="
            " (excluded.env_id, excluded.slug, excluded.name, excluded.description,"
            " excluded.expand_json_depth, excluded.created_ns, excluded.deleted_ns,"
            " excluded.retention_days, excluded.delete_protected)"
            " WHERE datasets.deleted_ns > 0 AND datasets.deleted_ns <= excluded.created_ns",
            values,
            f"{DATASETS.select()} WHERE id = ?",
            (dataset.id,),
        )
        return dataset_of(row)

    def get_dataset(self, dataset_id: str) -> Dataset | None:
        """The dataset, None if there is none or it was deleted."""
        rows = self._read(f"{DATASETS.select()} WHERE id = ? AND deleted_ns = 0", (dataset_id,))
        return dataset_of(rows[0]) if rows else None

    def list_datasets(
        self, env_id: str, after: str | None = None, limit: int | None = None
    ) -> list[Dataset]:
        """The environment's datasets that are not deleted, by slug, after a slug."""
        rows = self._read(
            f"{DATASETS.select()} WHERE env_id = ? AND deleted_ns = 0 AND slug > ?"
            " ORDER BY slug LIMIT ?",
            (env_id, after or "", -1 if limit is None else limit),
        )
        return [dataset_of(row) for row in rows]

    def find_by_url_slug(self, env_id: str, wanted: str) -> list[Dataset]:
        """The environment's datasets, not deleted, that have this second name, by slug."""
        rows = self._read(
            f"{DATASETS.select()} WHERE env_id = ? AND deleted_ns = 0 AND slug LIKE ? ESCAPE '='"
            " ORDER BY slug",
            (env_id, url_slug_pattern(wanted)),
        )
        return [found for found in map(dataset_of, rows) if url_slug(found.slug) == wanted]

    def count_datasets(self, env_id: str) -> int:
        """The number of the environment's datasets that are not deleted."""
        query = "SELECT count(*) FROM datasets WHERE env_id = ? AND deleted_ns = 0"
        return int(self._read(query, (env_id,))[0][0])

    def update_dataset(self, dataset: Dataset) -> bool:
        """Update description, depth, retention, protection and deletion time.

        False if there is no such dataset.
        """
        changed = self._write(
            "UPDATE datasets SET description = ?, expand_json_depth = ?, deleted_ns = ?,"
            " retention_days = ?, delete_protected = ? WHERE id = ?",
            (
                *(dataset.description, dataset.expand_json_depth, dataset.deleted_ns),
                *(dataset.retention_days, dataset.delete_protected, dataset.id),
            ),
        )
        return changed > 0

    def list_retentions(self) -> dict[str, int]:
        """Retention in days by dataset id, of every dataset that has one, in all environments."""
        rows = self._read(
            "SELECT id, retention_days FROM datasets WHERE retention_days > 0 AND deleted_ns = 0",
            (),
        )
        return {str(dataset_id): int(days) for dataset_id, days in rows}

    def put_column(self, column: Column) -> None:
        """Insert or replace a column."""
        self._write(COLUMNS.insert("?", "INSERT OR REPLACE"), values_of(column))

    def list_columns(self, dataset_id: str) -> list[Column]:
        """The dataset's columns, including deleted ones, by id."""
        rows = self._read(f"{COLUMNS.select()} WHERE dataset_id = ? ORDER BY id", (dataset_id,))
        return [column_of(row) for row in rows]

    def put_column_facts(self, facts: Sequence[ColumnFacts]) -> None:
        """Insert or replace what is known of some columns, all or nothing."""
        with self._writing() as db:
            insert = COLUMN_FACTS.insert("?", "INSERT OR REPLACE")
            db.executemany(insert, [values_of(one) for one in facts])

    def list_column_facts(self, dataset_id: str) -> list[ColumnFacts]:
        """What is known of the dataset's columns from their senders, by id."""
        query = f"{COLUMN_FACTS.select()} WHERE dataset_id = ? ORDER BY id"
        return [column_facts_of(row) for row in self._read(query, (dataset_id,))]

    def put_query(self, query: StoredQuery) -> None:
        """Store a query; one that is stored again stays as it is, but counts as new once a day."""
        insert, values = insert_of(query)
        self._write(
            f"{insert} ON CONFLICT (id) DO UPDATE SET created_ns = excluded.created_ns"
            f" WHERE excluded.created_ns >= queries.created_ns + {limits.STORED_AGAIN_NS}",
            values,
        )

    def get_query(self, query_id: str) -> StoredQuery | None:
        """The stored query, or None."""
        rows = self._read(f"{QUERIES.select()} WHERE id = ?", (query_id,))
        return query_of(rows[0]) if rows else None

    def dump(self) -> Iterator[MetadataRow]:
        """A consistent snapshot of all rows, over a connection of its own."""
        with self._lock:
            self._connection()
        with self._translate_errors():
            db = sqlite3.connect(self._path, isolation_level=None, timeout=_BUSY_S)
            try:
                db.execute("BEGIN")  # a read transaction does not block writers
                yield from read_all(db)
            finally:
                db.close()

    def load(self, rows: Iterable[MetadataRow], *, overwrite: bool = False) -> int:
        """Store the rows of a `dump` in one transaction. Raises Conflict if there are rows."""
        with self._writing() as db:
            return write_all(db, rows, overwrite=overwrite)

    def _lock_path(self) -> Path:
        return self._path.with_name(f"{self._path.name}.lock")

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA foreign_keys=ON")
        with _transaction(db):
            schema.migrate(db)

    def _read(self, query: str, values: Row) -> list[Row]:
        with self._lock, self._translate_errors():
            return self._connection().execute(query, values).fetchall()

    def _write(self, statement: str, values: Row) -> int:
        """Execute one durable statement; returns the number of rows it changed."""
        with self._writing() as db:
            return db.execute(statement, values).rowcount

    def _write_all(self, statements: Sequence[tuple[str, Row]]) -> None:
        with self._writing() as db:
            for statement, values in statements:
                db.execute(statement, values)

    def _stored(self, table: Table, values: Row) -> Row:
        return values

    def _compared(self, text: str) -> str:
        return text

    def _texts(self, row: Row) -> Row:
        return row

    def _ensure(self, insert: str, values: Row, query: str, by: tuple[str, ...]) -> Row:
        """Insert a row unless it exists, and read the row that exists then, in one transaction."""
        with self._writing() as db:
            db.execute(insert, values)
            row: Row = db.execute(query, by).fetchone()
            return row

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translate_errors(), atomic_files.exclusive(self._lock_path()):
            db = self._connection()
            with _transaction(db):
                yield db

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise MetadataUnavailable("the metadata store is not open")
        return self._db

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise Conflict(f"metadata: {error}") from error
        except (sqlite3.Error, OSError) as error:
            raise MetadataUnavailable(f"metadata at {self._path}: {error}") from error


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
