"""Reads one partition: finds the file of an offset, and the error if there is none (I5)."""

import sqlite3
import threading
from bisect import bisect_right
from collections.abc import Callable
from typing import TypeVar

from common.errors import LogFull, LogLost, LogUnavailable, OffsetGone
from common.log.embedded.folder import PartitionFolder
from common.log.embedded.range_file import RangeFile
from common.log.embedded.salvage import is_damage
from common.log.embedded.sqlite_errors import to_log_error
from common.log.interface import Bounds
from common.model.record import LogRecord

_OPEN_FILES_MAX = 2  # for a reader that lags, and one at the end
_ATTEMPTS = 3  # files may be dropped between listing and opening them

R = TypeVar("R")


class PartitionReader:
    """May be called from any thread; calls run one at a time. Files stay open between calls."""

    def __init__(self, folder: PartitionFolder, known_end: Callable[[], int]) -> None:
        """known_end: an end that the partition is known to have reached."""
        self._folder = folder
        self._known_end = known_end
        self._lock = threading.Lock()
        self._files: dict[int, RangeFile] = {}
        self._exclusive = False

    def read(self, offset: int, max_bytes: int) -> list[LogRecord]:
        """Records from `offset` on, of one file. Raises OffsetGone, LogUnavailable."""
        return self._try(lambda bases: self._read(bases, offset, max_bytes))

    def read_again(self, offset: int) -> list[LogRecord]:
        """As `read`, of one record, bypassing SQLite's page cache.

        The file must not also be opened without SQLite to drop the system's page cache: closing
        any descriptor of it would release the locks of this process; another process would then
        consider itself the last user and delete the WAL, and appends made here would be lost.
        """
        with self._lock:
            self._close_files()
        return self.read(offset, 1)

    def bounds(self) -> Bounds:
        """First offset held and next offset to be written. Raises LogUnavailable."""
        return self._try(self._bounds)

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            self._close_files()

    def _try(self, work: Callable[[list[int]], R]) -> R:
        with self._lock:
            for _ in range(_ATTEMPTS):
                try:
                    return work(self._bases())
                except LogFull:
                    return self._try_exclusive(work)
                except FileNotFoundError:
                    continue
        raise LogUnavailable(f"files of {self._folder.path} vanish while they are opened")

    def _try_exclusive(self, work: Callable[[list[int]], R]) -> R:
        """Read without shared memory, which SQLite cannot create on a full disk.

        No other process has the file open then, so this call opens it exclusively.
        """
        with self._folder.writing():
            self._close_files()
            self._exclusive = True
            try:
                return work(self._bases())
            finally:
                self._exclusive = False
                self._close_files()

    def _bases(self) -> list[int]:
        try:
            bases = self._folder.bases()
        except OSError as error:
            raise to_log_error(error, self._folder.path) from error
        for base in self._files.keys() - set(bases):
            self._close_file(base)
        return bases

    def _read(self, bases: list[int], offset: int, max_bytes: int) -> list[LogRecord]:
        if not bases:
            if offset < self._known_end():
                raise LogLost(str(self._folder.missing(0)), offset, self._known_end())
            return []
        if offset < bases[0]:
            raise OffsetGone(self._folder.partition, offset, bases[0])
        at = bisect_right(bases, offset) - 1
        written_end = bases[at + 1] if at + 1 < len(bases) else self._known_end()
        file = self._open_for(offset, bases[at], written_end)
        try:
            found = file.read(offset, max_bytes)
            if found:
                return found
            next_base = file.description().next_base
            written_end = written_end if next_base is None else next_base
            if offset < written_end:
                return file.read_damaged(offset, written_end)
        except sqlite3.Error as error:
            self._close_file(bases[at])
            raise to_log_error(error, file.path) from error
        if next_base is None:
            return []
        if at + 1 == len(bases) and self._known_end() <= next_base:
            return []  # a writer was killed before it created the next file
        end = bases[at + 1] if at + 1 < len(bases) else self._known_end()
        raise LogLost(str(self._folder.missing(next_base)), offset, end)

    def _open_for(self, offset: int, base: int, end: int) -> RangeFile:
        """Open a file. Raises LogLost if its content is too damaged to open it."""
        try:
            return self._open(base)
        except LogUnavailable as error:
            if isinstance(error.__cause__, sqlite3.Error) and is_damage(error.__cause__):
                raise LogLost(str(error), offset, end) from error
            raise

    def _bounds(self, bases: list[int]) -> Bounds:
        # Without any file, the known end distinguishes an empty partition from missing files.
        return Bounds(bases[0], self._end(bases[-1])) if bases else Bounds(0, self._known_end())

    def _end(self, base: int) -> int:
        try:
            file = self._open(base)
        except LogUnavailable as error:
            lost = isinstance(error.__cause__, sqlite3.Error) and is_damage(error.__cause__)
            if lost and self._known_end() > base:
                return self._known_end()
            raise
        try:
            next_base = file.description().next_base
            end = file.last()[0] + 1 if next_base is None else next_base
            return max(end, self._known_end())
        except sqlite3.Error as error:
            self._close_file(base)
            if is_damage(error) and self._known_end() > base:
                return self._known_end()
            raise to_log_error(error, file.path) from error

    def _open(self, base: int) -> RangeFile:
        file = self._files.pop(base, None) or self._folder.open_file(base, self._exclusive)
        self._files[base] = file  # the most recently used one is the last
        while len(self._files) > _OPEN_FILES_MAX:
            self._close_file(next(iter(self._files)))
        return file

    def _close_files(self) -> None:
        for base in list(self._files):
            self._close_file(base)

    def _close_file(self, base: int) -> None:
        self._files.pop(base).close()
