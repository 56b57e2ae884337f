"""One file of the embedded log: the records of one partition from `base` on (I1).

SQLite in WAL mode with synchronous=FULL: a committed append has been fsynced. A file that has
grown to its limit is sealed: the transaction of its last records also stores the first offset of
the next file. Every write runs under the partition's writer lock.
"""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from common import atomic_files, limits
from common.errors import LogUnavailable
from common.log.damage import damaged
from common.log.embedded import frame, salvage
from common.model.record import LogRecord

_PAGE_BYTES = 8192  # large values take few pages, a small commit writes two or three
_BUSY_S = 10.0
_CHECKPOINT_PAGES = 1000  # 8 MB of WAL between the fsyncs of a checkpoint
_FORMAT = 1
_SCHEMA = """
CREATE TABLE span (
    format INTEGER NOT NULL, epoch TEXT NOT NULL, "partition" INTEGER NOT NULL,
    base INTEGER NOT NULL, floor_ns INTEGER NOT NULL, next_base INTEGER);
CREATE TABLE records (
    offset INTEGER PRIMARY KEY, append_ns INTEGER NOT NULL, headers BLOB NOT NULL,
    crc INTEGER NOT NULL, value BLOB NOT NULL);
"""


_WRITABLE_END = (
    "SELECT next_base, floor_ns, last.offset, last.append_ns FROM span LEFT JOIN"
    " (SELECT offset, append_ns FROM records ORDER BY offset DESC LIMIT 1) AS last"
)


class Sealed(Exception):
    """The file is sealed: records go into the next one."""


@dataclass(frozen=True, slots=True)
class FileDescription:
    """The row that describes a file.

    epoch: id of the log.
    partition: number of its partition.
    base: first offset of the file.
    floor_ns: append time of the last record before the file (unix ns).
    next_base: first offset of the next file; None until this one is sealed.
    """

    epoch: str
    partition: int
    base: int
    floor_ns: int
    next_base: int | None


class Written(msgspec.Struct, frozen=True):
    """Result of an append.

    first: offset of the group's first record.
    append_ns: append time of all its records (unix ns).
    sealed: whether the file takes no more records.
    """

    first: int
    append_ns: int
    sealed: bool


def create(path: Path, epoch: str, partition: int, base: int, floor_ns: int) -> bool:
    """Create an empty file atomically; False if it exists already."""
    temporary = atomic_files.temporary_path(path.parent)
    try:
        db = sqlite3.connect(temporary, isolation_level=None)
        try:
            db.execute(f"PRAGMA page_size={_PAGE_BYTES}")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.executescript(_SCHEMA)
            db.execute(
                "INSERT INTO span VALUES (?, ?, ?, ?, ?, NULL)",
                (_FORMAT, epoch, partition, base, floor_ns),
            )
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            db.close()
        atomic_files.sync_file(temporary)
        return atomic_files.link_new(temporary, path)
    finally:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{temporary}{suffix}").unlink(missing_ok=True)


def read_only_mode(path: Path) -> str:
    """The parameters of SQLite's URI that open a file read-only.

    A file that no process has open is read as immutable, which creates no files beside it. A
    process that opens it for writing creates its WAL at once, so a file with a WAL may change.
    """
    return "mode=ro" if Path(f"{path}-wal").exists() else "mode=ro&immutable=1"


class RangeFile:
    """An open file. Used by one thread at a time.

    exclusive: no other connection may have it open; SQLite then needs no shared memory file.
    read_only: nothing changes, not even a WAL that a crash left, which SQLite otherwise moves into
    the file and deletes when the last connection is closed.

    Every method may raise sqlite3.Error; the constructor also LogUnavailable for a file of
    another log.
    """

    def __init__(
        self, path: Path, epoch: str, exclusive: bool = False, read_only: bool = False
    ) -> None:
        self.path = path
        self._name = str(path)
        self._db = sqlite3.connect(
            f"file:{quote(str(path))}?{read_only_mode(path) if read_only else 'mode=rw'}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=_BUSY_S,
        )
        try:
            if exclusive and not read_only:
                self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
            span = self.description()
            self._inode = path.stat().st_ino  # after the read, so the WAL beside it belongs to it
        except BaseException:
            self._db.close()
            raise
        if span.epoch != epoch:
            self._db.close()
            raise LogUnavailable(
                f"log file {path} belongs to log {span.epoch}, not to {epoch}: move it away"
            )
        self.base = span.base
        self.partition = span.partition

    def description(self) -> FileDescription:
        """The file's description, read now."""
        row = self._db.execute(
            'SELECT epoch, "partition", base, floor_ns, next_base FROM span'
        ).fetchone()
        if row is None:
            raise salvage.RecordMissing("the file has lost its description")
        return FileDescription(*row)

    def last(self) -> tuple[int, int]:
        """Offset and append time of the last record, or of the last one before the file."""
        row = self._db.execute(
            "SELECT offset, append_ns FROM records ORDER BY offset DESC LIMIT 1"
        ).fetchone()
        if row is not None:
            return int(row[0]), int(row[1])
        return self.base - 1, self.description().floor_ns

    def _writable_end(self) -> tuple[int, int]:
        """As `last`, in one query. Raises Sealed."""
        row = self._db.execute(_WRITABLE_END).fetchone()
        if row is None:
            raise sqlite3.DatabaseError("the file has lost its description")
        next_base, floor_ns, last, last_ns = row
        if next_base is not None:
            raise Sealed
        return (self.base - 1, floor_ns) if last is None else (last, last_ns)

    def append(
        self,
        group: Sequence[tuple[bytes, bytes]],
        now_ns: int,
        file_bytes_max: int,
        known_end: int = 0,
        sets_time: bool = False,
    ) -> Written:
        """Store (headers, value) pairs in one fsynced transaction. Raises Sealed.

        known_end: an end that the partition is known to have reached. If the file has lost its
        last records, their offsets are not reused, because a reader that had read the lost ones
        would skip the new ones.
        sets_time: a clock record. The append time, otherwise never earlier than the last
        record's, then goes back to `now_ns` if that is earlier by more than clocks may differ.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            last, last_ns = self._writable_end()
            last = max(last, known_end - 1)
            goes_back = sets_time and now_ns < last_ns - limits.CLOCK_STEP_NS_V2
            append_ns = now_ns if goes_back else max(now_ns, last_ns)
            rows = [
                (at, append_ns, headers, frame.checksum(at, append_ns, headers, value), value)
                for at, (headers, value) in enumerate(group, last + 1)
            ]
            self._db.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)
            (pages,) = self._db.execute("PRAGMA page_count").fetchone()
            sealed = pages * _PAGE_BYTES >= file_bytes_max
            if sealed:
                self._db.execute("UPDATE span SET next_base = ?", (last + 1 + len(rows),))
            if not self.in_place():
                raise FileNotFoundError(2, "the file was removed while in use", str(self.path))
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return Written(last + 1, append_ns, sealed)

    def read(self, offset: int, max_bytes: int) -> list[LogRecord]:
        """Records from `offset` on, at most about `max_bytes`, up to the first damaged page.

        At least one if it is in the file and its pages are intact; else see `read_damaged`.
        """
        found: list[LogRecord] = []
        try:
            self._scan(found, offset, max_bytes)
        except sqlite3.Error as error:
            if not salvage.is_damage(error):
                raise
        return found

    def read_damaged(self, offset: int, end: int) -> list[LogRecord]:
        """Damaged records, where `read` returns none although records up to `end` were written."""
        return salvage.read_one_by_one(self._read_one, self.partition, offset, end)

    def _scan(self, found: list[LogRecord], offset: int, max_bytes: int) -> None:
        cursor = self._db.execute(
            "SELECT offset, append_ns, headers, value, crc FROM records"
            " WHERE offset >= ? ORDER BY offset",
            (offset,),
        )
        size = 0
        for at, append_ns, headers, value, crc in cursor:
            if at != offset + len(found):
                raise salvage.RecordMissing(f"record {offset + len(found)} is not in the file")
            found.append(frame.restore(self.partition, at, append_ns, headers, value, crc))
            size += len(headers) + len(value)
            if size >= max_bytes:
                break
        cursor.close()

    def _read_one(self, offset: int) -> LogRecord | None:
        row = self._db.execute(
            "SELECT append_ns, headers, value, crc FROM records WHERE offset = ?", (offset,)
        ).fetchone()
        if row is None:
            return None
        try:
            return frame.restore(self.partition, offset, *row)
        except (TypeError, ValueError) as error:  # a column has another type than was written
            return damaged(self.partition, offset, f"the log's file holds another thing: {error}")

    def in_place(self) -> bool:
        """Whether the file's path still refers to this file."""
        try:
            return os.stat(self._name).st_ino == self._inode
        except FileNotFoundError:
            return False

    def checkpoint(self) -> None:
        """Move the WAL into the file, as far as readers allow."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close. Closing the last connection to a file moves its WAL into it."""
        self._db.close()
