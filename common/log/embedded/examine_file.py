"""Examines one file of the embedded log without changing it: every record and every flaw.

Reading goes on after each damaged range. Keeps I13: each flaw has its exact reason. The roles do
not use this module; they read through `range_file`.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from common.log.embedded import frame
from common.log.embedded.range_file import FileDescription, read_only_mode
from common.model.record import LogRecord

_ROWS = (
    "SELECT offset, append_ns, headers, value, crc FROM records WHERE offset >= ? ORDER BY offset"
)
_LAST = "SELECT offset FROM records ORDER BY offset DESC LIMIT 1"
_SPAN = 'SELECT epoch, "partition", base, floor_ns, next_base FROM span'
_BUSY_S = 10.0
_OFFSET_MAX = 2**63 - 1  # SQLite's own
Visit = Callable[[LogRecord], None]


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something in the log that differs from what was written, and the remedy.

    first, end: the half-open range of offsets that it concerns; None if it concerns no range.
    """

    partition: int | None
    path: Path
    what: str
    remedy: str
    first: int | None = None
    end: int | None = None


@dataclass(slots=True)
class FileContents:
    """Contents of one file. end: the offset after its last record; None if it cannot be read."""

    description: FileDescription | None = None
    end: int | None = None
    records: int = 0
    bytes: int = 0


RESTORE = "restore the file from a backup if there is one; then look at the disk it was on"


class FileExamination:
    """Examines one file. `found` is complete when the iterator of `flaws` is exhausted."""

    def __init__(self, path: Path, partition: int, base: int) -> None:
        self.found = FileContents()
        self._path = path
        self._partition = partition
        self._base = base

    def flaws(self, visit: Visit, *, records: bool = True) -> Iterator[Flaw]:
        """Read the file and yield its flaws.

        visit: called with each intact record.
        records: False reads only the file's description and its last offset.
        """
        try:
            opened = closing(_connect(self._path))
        except sqlite3.Error as error:
            yield self._flaw(f"cannot be opened: {error}")
            return
        with opened as db:
            yield from self._described(db)
            try:
                row = db.execute(_LAST).fetchone()
                self.found.end = self._base if row is None else int(row[0]) + 1
            except sqlite3.Error as error:
                yield self._flaw(f"holds records that cannot be read: {error}")
            if records:
                for first, end, reason in _joined(self._records(db, visit)):
                    yield self._record_flaw(first, end, reason)

    def _described(self, db: sqlite3.Connection) -> Iterator[Flaw]:
        try:
            row = db.execute(_SPAN).fetchone()
        except sqlite3.Error as error:
            yield self._flaw(f"cannot be read: {error}")
            return
        numbers = (1, 2, 3, 4)
        whole = row is not None and all(isinstance(row[n], int | None) for n in numbers)
        if row is None or not whole or any(row[n] is None for n in (1, 2, 3)):
            yield self._flaw("has lost its description")
            return
        self.found.description = FileDescription(*row)
        if (row[1], row[2]) != (self._partition, self._base):
            yield self._flaw(f"says that it is partition {row[1]} from offset {row[2]} on")

    def _records(
        self, db: sqlite3.Connection, visit: Visit
    ) -> Iterator[tuple[int, int | None, str]]:
        """(first, end, reason) of damaged ranges, in order; end None: the rest is unreadable."""
        offset = self._base
        while True:
            try:
                for row in db.execute(_ROWS, (offset,)):
                    at = int(row[0])
                    if at > offset:
                        yield offset, at, "not in the file"
                    reason = self._record(row, visit)
                    if reason:
                        yield at, at + 1, reason
                    offset = at + 1
                return
            except sqlite3.Error as error:
                further = _readable_from(db, offset)
                yield offset, further, f"cannot be read: {error}"
                if further is None:
                    return
                offset = further

    def _record(self, row: tuple[Any, ...], visit: Visit) -> str:
        """Count and visit one record; returns why it is damaged, or ""."""
        at, append_ns, headers, value, crc = row
        self.found.records += 1
        if not (isinstance(append_ns, int) and isinstance(crc, int)):
            return "its checksum does not match"
        if not (isinstance(headers, bytes) and isinstance(value, bytes)):
            return "its checksum does not match"
        self.found.bytes += len(headers) + len(value)
        if not 0 <= append_ns < 2**63 or frame.checksum(at, append_ns, headers, value) != crc:
            return "its checksum does not match"
        try:
            pairs = frame.decode_headers(headers)
        except ValueError as error:  # the checksum matches: it was written like this
            return f"its headers cannot be read: {error}"
        visit(LogRecord(self._partition, at, append_ns, pairs, value))
        return ""

    def _flaw(self, what: str) -> Flaw:
        return Flaw(self._partition, self._path, f"log file {self._path} {what}", RESTORE)

    def _record_flaw(self, first: int, end: int | None, reason: str) -> Flaw:
        if end is None:
            which = f"records from {first} on"
        else:
            which = f"record {first}" if end == first + 1 else f"records {first} to {end - 1}"
        what = f"{which} of log file {self._path}: {reason}"
        return Flaw(self._partition, self._path, what, RESTORE, first, end)


def _connect(path: Path) -> sqlite3.Connection:
    """Open read-only."""
    how = read_only_mode(path)
    return sqlite3.connect(
        f"file:{quote(str(path))}?{how}", uri=True, isolation_level=None, timeout=_BUSY_S
    )


def _readable_from(db: sqlite3.Connection, bad: int) -> int | None:
    """The first readable offset after `bad`; None if there is none."""
    step = 1
    while bad + step < _OFFSET_MAX:
        found = _seek(db, bad + step)
        if found is not None:
            break
        step *= 2
    else:
        return None
    below = bad + step // 2  # unreadable, or `bad` itself
    above = bad + step
    while above - below > 1:
        middle = (below + above) // 2
        nearer = _seek(db, middle)
        if nearer is None:
            below = middle
        else:
            above, found = middle, nearer
    return found


def _seek(db: sqlite3.Connection, offset: int) -> int | None:
    """The offset of the first record from `offset` on; None if it cannot be read."""
    try:
        row = db.execute(_ROWS + " LIMIT 1", (offset,)).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else int(row[0])


def _joined(
    damaged: Iterator[tuple[int, int | None, str]],
) -> Iterator[tuple[int, int | None, str]]:
    """Merges adjacent ranges that have the same reason."""
    held: tuple[int, int | None, str] | None = None
    for first, end, reason in damaged:
        if held is not None and held[1] == first and held[2] == reason:
            held = held[0], end, reason
            continue
        if held is not None:
            yield held
        held = first, end, reason
    if held is not None:
        yield held
