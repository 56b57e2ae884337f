"""All rows out of and into a metadata file: one consistent picture, one transaction."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple
from typing import Any

from common.errors import Conflict
from common.metadata.interface import (
    ApiKey,
    Column,
    Dataset,
    Environment,
    KeyKind,
    MetadataRow,
    StoredQuery,
    Team,
)
from common.metadata.rows import decode_access, encode_access

Row = tuple[Any, ...]  # as SQLite gives it; the columns are declared NOT NULL in the schema
KEYS = """
SELECT k.id, k.hash, k.kind, k.name, k.access, k.events_per_s, k.events_per_day, k.created_ns,
       k.revoked_ns, t.id, t.name, t.slug, e.id, e.team_id, e.name, e.slug
FROM api_keys k JOIN environments e ON e.id = k.env_id JOIN teams t ON t.id = e.team_id
"""
ENVIRONMENTS = """
SELECT t.id, t.name, t.slug, e.id, e.team_id, e.name, e.slug
FROM environments e JOIN teams t ON t.id = e.team_id ORDER BY t.slug, e.slug
"""
DATASETS = """
SELECT id, env_id, slug, name, description, expand_json_depth, created_ns, deleted_ns,
       retention_days, delete_protected
FROM datasets
"""
COLUMNS = """
SELECT id, dataset_id, name, type, description, hidden, created_ns, updated_ns, deleted_ns
FROM columns
"""
PUT_COLUMN = (
    "INSERT OR REPLACE INTO columns (id, dataset_id, name, type, description, hidden, created_ns,"
    " updated_ns, deleted_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# Children first.
_TABLES = ("columns", "queries", "datasets", "api_keys", "environments", "teams")
_INSERT_KEY = "INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_DATASET = (
    "INSERT INTO datasets (id, env_id, slug, name, description, expand_json_depth, created_ns,"
    " deleted_ns, retention_days, delete_protected) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def key_of(row: Row) -> ApiKey:
    """A row of KEYS."""
    return ApiKey(
        id=row[0],
        hash=row[1],
        kind=KeyKind(row[2]),
        name=row[3],
        access=decode_access(row[4]),
        events_per_s=row[5],
        events_per_day=row[6],
        created_ns=row[7],
        revoked_ns=row[8],
        team=Team(*row[9:12]),
        environment=Environment(*row[12:16]),
    )


def key_values(key: ApiKey) -> Row:
    """The columns of `api_keys`."""
    return (
        *(key.id, key.hash, key.kind.value, key.name, key.environment.id),
        encode_access(key.access),
        *(key.events_per_s, key.events_per_day, key.created_ns, key.revoked_ns),
    )


def dataset_values(dataset: Dataset) -> Row:
    """The columns of `datasets`, as DATASETS names them."""
    return (
        *(dataset.id, dataset.env_id, dataset.slug, dataset.name, dataset.description),
        *(dataset.expand_json_depth, dataset.created_ns, dataset.deleted_ns),
        *(dataset.retention_days, dataset.delete_protected),
    )


def dataset_of(row: Row) -> Dataset:
    """A row of DATASETS. The file has numbers where a dataset has true and false."""
    return Dataset(*(*row[:-1], bool(row[-1])))


def column_values(column: Column) -> Row:
    """The columns of `columns`, as COLUMNS names them."""
    return astuple(column)


def column_of(row: Row) -> Column:
    """A row of COLUMNS."""
    return Column(*(*row[:5], bool(row[5]), *row[6:]))


def read_all(db: sqlite3.Connection) -> Iterator[MetadataRow]:
    """Every row, parents first, by id. Needs a transaction. Raises sqlite3.Error."""
    reads: tuple[tuple[str, Callable[[Row], MetadataRow]], ...] = (
        ("SELECT id, name, slug FROM teams ORDER BY id", lambda row: Team(*row)),
        (
            "SELECT id, team_id, name, slug FROM environments ORDER BY id",
            lambda row: Environment(*row),
        ),
        (f"{KEYS} ORDER BY k.id", key_of),
        (f"{DATASETS} ORDER BY id", dataset_of),
        (
            "SELECT id, env_id, dataset_id, spec_json, created_ns FROM queries ORDER BY id",
            lambda row: StoredQuery(*row),
        ),
        (f"{COLUMNS} ORDER BY dataset_id, id", column_of),
    )
    for query, make in reads:
        for row in db.execute(query):
            yield make(row)


def write_all(db: sqlite3.Connection, rows: Iterable[MetadataRow], *, overwrite: bool) -> int:
    """Store these rows and nothing else; returns how many. Needs a transaction.

    Raises Conflict if there are rows already, unless they may be overwritten.
    """
    for table in _TABLES:
        if overwrite:
            db.execute(f"DELETE FROM {table}")
        elif db.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()[0]:
            raise Conflict(f"the metadata is not empty: it has {table}")
    count = 0
    for row in rows:
        db.execute(*_insert(row))
        count += 1
    return count


def _insert(row: MetadataRow) -> tuple[str, Row]:
    match row:
        case Team():
            return "INSERT INTO teams VALUES (?, ?, ?)", (row.id, row.name, row.slug)
        case Environment():
            values = (row.id, row.team_id, row.name, row.slug)
            return "INSERT INTO environments VALUES (?, ?, ?, ?)", values
        case ApiKey():
            return _INSERT_KEY, key_values(row)
        case Dataset():
            return INSERT_DATASET, dataset_values(row)
        case StoredQuery():
            stored = (row.id, row.env_id, row.dataset_id, row.spec_json, row.created_ns)
            return "INSERT INTO queries VALUES (?, ?, ?, ?, ?)", stored
        case Column():
            return PUT_COLUMN, column_values(row)
