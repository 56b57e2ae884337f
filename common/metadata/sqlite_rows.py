"""Reads all rows of a metadata file as one consistent snapshot; writes all in one transaction."""

import sqlite3
from collections.abc import Iterable, Iterator

from common.errors import Conflict
from common.metadata.interface import MetadataRow
from common.metadata.row_mapping import PARENTS_FIRST, READS, Row, table_of, values_of


def insert_of(row: MetadataRow) -> tuple[str, Row]:
    """The statement that stores a row, and its values."""
    return table_of(row).insert("?"), values_of(row)


def read_all(db: sqlite3.Connection) -> Iterator[MetadataRow]:
    """Every row, parents first, by id, within the caller's transaction. Raises sqlite3.Error."""
    for query, make in READS:
        for row in db.execute(query):
            yield make(row)


def write_all(db: sqlite3.Connection, rows: Iterable[MetadataRow], *, overwrite: bool) -> int:
    """Store only these rows, within the caller's transaction; returns their number.

    Raises Conflict if there are rows already, unless they may be overwritten.
    """
    for table in reversed(PARENTS_FIRST):
        if overwrite:
            db.execute(f"DELETE FROM {table.name}")
        elif db.execute(f"SELECT EXISTS (SELECT 1 FROM {table.name})").fetchone()[0]:
            raise Conflict(f"the metadata is not empty: it has {table.name.strip('`')}")
    count = 0
    for row in rows:
        db.execute(*insert_of(row))
        count += 1
    return count
