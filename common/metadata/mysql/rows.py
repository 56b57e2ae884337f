"""Reads all rows of the database in one consistent snapshot, and writes all in one transaction.

`read_all` and `write_all` need a connection of their own with a time-out for long work, and end its
transaction. Text that is compared is stored as bytes (see `schema`).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pymysql.cursors import SSCursor

from common.errors import Conflict
from common.metadata import row_mapping
from common.metadata.interface import MetadataRow, StoredQuery
from common.metadata.mysql.pool import Db
from common.metadata.row_mapping import PARENTS_FIRST, READS, Row, Table, table_of, values_of


def raw(text: str) -> bytes:
    """Text that is compared, as it is stored."""
    return text.encode("utf-8")


def texts(values: Sequence[Any]) -> Row:
    """The values of a row with bytes decoded as text."""
    return tuple(v.decode("utf-8") if isinstance(v, bytes) else v for v in values)


def query_of(row: Row) -> StoredQuery:
    """A row of the stored queries; the specification stays bytes."""
    return row_mapping.query_of((*texts(row[:3]), bytes(row[3]), row[4]))


def insert_of(row: MetadataRow, verb: str = "INSERT") -> tuple[str, Row]:
    """The statement that stores a row, and its values."""
    table = table_of(row)
    return table.insert("%s", verb), stored(table, values_of(row))


def stored(table: Table, values: Row) -> Row:
    """The values of a whole row with compared text as bytes."""
    return tuple(
        raw(value) if name in table.compared else value
        for name, value in zip(table.columns, values, strict=True)
    )


def read_all(db: Db) -> Iterator[MetadataRow]:
    """Every row, parents first, by id. Raises pymysql.Error."""
    with db.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    for query, make in READS:
        with db.cursor(SSCursor) as rows:  # streamed, so that not all rows are in memory
            rows.execute(query)
            for row in rows:
                yield query_of(row) if make is row_mapping.query_of else make(texts(row))
    db.rollback()


def write_all(db: Db, rows: Iterable[MetadataRow], *, overwrite: bool) -> int:
    """Store these rows and nothing else, or change nothing; returns their count.

    Raises Conflict if there are rows already and they may not be overwritten, pymysql.Error.
    """
    db.begin()
    try:
        with db.cursor() as cursor:
            for table in reversed(PARENTS_FIRST):
                if overwrite:
                    cursor.execute(f"DELETE FROM {table.name}")
                    continue
                cursor.execute(f"SELECT 1 FROM {table.name} LIMIT 1")
                if cursor.fetchone() is not None:
                    raise Conflict(f"the metadata is not empty: it has {table.name}")
            count = 0
            for row in rows:
                cursor.execute(*insert_of(row))
                count += 1
        db.commit()
    except BaseException:
        db.rollback()
        raise
    return count
