"""Reads a range file with damaged pages record by record (I7).

SQLite aborts a scan at the first page that it cannot read. Queried for one offset at a time it
still returns every record whose pages are intact; the others are returned as damaged records.
"""

import sqlite3
from collections.abc import Callable
from typing import Final

from common.log.damage import damaged
from common.model.record import LogRecord

RECORDS_MAX: Final = 1_000  # looked up in one read, which takes some 20 ms
_IOERR_READ, _IOERR_SHORT_READ, _IOERR_CORRUPT_FS = 266, 522, 8458
_DAMAGE_CODES = frozenset(
    {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        _IOERR_READ,  # a sector that the disk cannot read
        _IOERR_SHORT_READ,  # the file ends before the page
        _IOERR_CORRUPT_FS,
    }
)


class RecordMissing(sqlite3.DatabaseError):
    """A record, or the row that describes the file, is missing although it was written."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file's content is damaged, in contrast to a lock, a full disk or a handle."""
    if isinstance(error, RecordMissing):
        return True
    if "no such table" in str(error):  # a page of the schema is blank
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code in _DAMAGE_CODES or code & 0xFF in _DAMAGE_CODES)


def read_one_by_one(
    one: Callable[[int], LogRecord | None], partition: int, offset: int, end: int
) -> list[LogRecord]:
    """Records from `offset` on, up to `end` or the first intact one, whichever comes first.

    one: looks up a record; None if it is not in the file. Raises sqlite3.Error for errors that
    are no damage.
    """
    found: list[LogRecord] = []
    for at in range(offset, min(end, offset + RECORDS_MAX)):
        try:
            record = one(at)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            record = damaged(partition, at, f"the log's file cannot be read there: {error}")
        if record is None:
            record = damaged(partition, at, "the log's file has lost it")
        found.append(record)
        if record.damage is None:
            break
    return found
