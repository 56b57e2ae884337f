"""All rows out of and into the database: one consistent picture, one transaction.

`read_all` and `write_all` are given a connection of their own, with a time-out for long work, and
end its transaction. What is compared is stored as bytes (see `schema`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pymysql.cursors import SSCursor

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
from common.metadata.mysql.pool import Db
from common.metadata.rows import decode_access, encode_access

Row = tuple[Any, ...]  # as the server gives it; the columns are declared NOT NULL in the schema
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
_QUERIES = "SELECT id, env_id, dataset_id, spec_json, created_ns FROM queries"
COLUMNS = """
SELECT id, dataset_id, name, type, description, hidden, created_ns, updated_ns, deleted_ns
FROM `columns`
"""
# Children first.
_TABLES = (
    "`columns`",
    "queries",
    "datasets",
    "api_keys",
    "environments",
    "teams",
)


def raw(text: str) -> bytes:
    """What is compared is stored as its bytes."""
    return text.encode("utf-8")


def texts(values: Sequence[Any]) -> Row:
    """Bytes as the texts that they are."""
    return tuple(v.decode("utf-8") if isinstance(v, bytes) else v for v in values)


def key_of(row: Row) -> ApiKey:
    """A row of KEYS."""
    values = texts(row)
    return ApiKey(
        id=values[0],
        hash=values[1],
        kind=KeyKind(values[2]),
        name=values[3],
        access=decode_access(values[4]),
        events_per_s=values[5],
        events_per_day=values[6],
        created_ns=values[7],
        revoked_ns=values[8],
        team=Team(*values[9:12]),
        environment=Environment(*values[12:16]),
    )


def query_of(row: Row) -> StoredQuery:
    """A row of the stored queries; the specification stays bytes."""
    identity, env_id, dataset_id = texts(row[:3])
    return StoredQuery(identity, env_id, dataset_id, bytes(row[3]), row[4])


def key_values(key: ApiKey) -> Row:
    """The columns of `api_keys`."""
    return (
        *map(raw, (key.id, key.hash, key.kind.value)),
        *(key.name, raw(key.environment.id), encode_access(key.access)),
        *(key.events_per_s, key.events_per_day, key.created_ns, key.revoked_ns),
    )


def dataset_values(dataset: Dataset) -> Row:
    """The columns of `datasets`, as DATASETS names them."""
    return (
        *map(raw, (dataset.id, dataset.env_id, dataset.slug)),
        *(dataset.name, dataset.description, dataset.expand_json_depth),
        *(dataset.created_ns, dataset.deleted_ns, dataset.retention_days),
        dataset.delete_protected,
    )


def dataset_of(row: Row) -> Dataset:
    """A row of DATASETS. The database has numbers where a dataset has true and false."""
    values = texts(row)
    return Dataset(*(*values[:-1], bool(values[-1])))


def column_values(column: Column) -> Row:
    """The columns of `columns`, as COLUMNS names them."""
    return (
        *(raw(column.id), raw(column.dataset_id), column.name, raw(column.type)),
        *(column.description, column.hidden),
        *(column.created_ns, column.updated_ns, column.deleted_ns),
    )


def column_of(row: Row) -> Column:
    """A row of COLUMNS."""
    values = texts(row)
    return Column(*(*values[:5], bool(values[5]), *values[6:]))


def read_all(db: Db) -> Iterator[MetadataRow]:
    """Every row, parents first, by id. Raises pymysql.Error."""
    reads: tuple[tuple[str, Callable[[Row], MetadataRow]], ...] = (
        ("SELECT id, name, slug FROM teams ORDER BY id", lambda row: Team(*texts(row))),
        (
            "SELECT id, team_id, name, slug FROM environments ORDER BY id",
            lambda row: Environment(*texts(row)),
        ),
        (f"{KEYS} ORDER BY k.id", key_of),
        (f"{DATASETS} ORDER BY id", dataset_of),
        (f"{_QUERIES} ORDER BY id", query_of),
        (f"{COLUMNS} ORDER BY dataset_id, id", column_of),
    )
    with db.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    for query, make in reads:
        with db.cursor(SSCursor) as rows:  # streamed: never all of them in memory
            rows.execute(query)
            for row in rows:
                yield make(row)
    db.rollback()


def write_all(db: Db, rows: Iterable[MetadataRow], *, overwrite: bool) -> int:
    """Store these rows and nothing else, or change nothing; returns how many.

    Raises Conflict if there are rows already and they may not be overwritten, pymysql.Error.
    """
    db.begin()
    try:
        with db.cursor() as cursor:
            for table in _TABLES:
                if overwrite:
                    cursor.execute(f"DELETE FROM {table}")
                    continue
                cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")
                if cursor.fetchone() is not None:
                    raise Conflict(f"the metadata is not empty: it has {table}")
            count = 0
            for row in rows:
                cursor.execute(*_insert(row))
                count += 1
        db.commit()
    except BaseException:
        db.rollback()
        raise
    return count


def _insert(row: MetadataRow) -> tuple[str, Row]:
    values: Row
    match row:
        case Team():
            table, values = "teams (id, name, slug)", (raw(row.id), row.name, raw(row.slug))
        case Environment():
            table = "environments (id, team_id, name, slug)"
            values = (raw(row.id), raw(row.team_id), row.name, raw(row.slug))
        case ApiKey():
            table = (
                "api_keys (id, hash, kind, name, env_id, access, events_per_s, events_per_day,"
                " created_ns, revoked_ns)"
            )
            values = key_values(row)
        case Dataset():
            table = (
                "datasets (id, env_id, slug, name, description, expand_json_depth, created_ns,"
                " deleted_ns, retention_days, delete_protected)"
            )
            values = dataset_values(row)
        case StoredQuery():
            table = "queries (id, env_id, dataset_id, spec_json, created_ns)"
            values = (
                *map(raw, (row.id, row.env_id, row.dataset_id)),
                *(row.spec_json, row.created_ns),
            )
        case Column():
            table = (
                "`columns` (id, dataset_id, name, type, description, hidden, created_ns,"
                " updated_ns, deleted_ns)"
            )
            values = column_values(row)
    marks = ", ".join(["%s"] * len(values))
    return f"INSERT INTO {table} VALUES ({marks})", values
