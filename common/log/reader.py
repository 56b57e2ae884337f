"""Reading one partition: which file holds an offset, and what to say if none does (I5)."""

import sqlite3
import threading
from bisect import bisect_right

from common.errors import LogUnavailable, OffsetGone
from common.log.faults import log_error
from common.log.folder import PartitionFolder
from common.log.interface import Bounds
from common.log.range_file import RangeFile
from common.record import LogRecord

_OPEN_FILES_MAX = 2  # a reader that is behind, and one at the end
_ATTEMPTS = 3  # files may be dropped between listing and opening them


class PartitionReader:
    """Any thread may call it; calls wait for each other. Files stay open between calls."""

    def __init__(self, folder: PartitionFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._files: dict[int, RangeFile] = {}

    def read(self, offset: int, max_bytes: int) -> list[LogRecord]:
        """Records from `offset` on, of one file. Raises OffsetGone, LogUnavailable."""
        with self._lock:
            for _ in range(_ATTEMPTS):
                bases = self._bases()
                if bases and offset < bases[0]:
                    raise OffsetGone(self._folder.partition, offset, bases[0])
                if not bases:
                    return []
                try:
                    return self._read(bases, offset, max_bytes)
                except FileNotFoundError:
                    continue
        raise LogUnavailable(f"files of {self._folder.path} vanish while they are opened")

    def bounds(self) -> Bounds:
        """First offset held and next to be written. Raises LogUnavailable."""
        with self._lock:
            for _ in range(_ATTEMPTS):
                bases = self._bases()
                if not bases:
                    return Bounds(0, 0)
                try:
                    return Bounds(bases[0], self._end(bases[-1]))
                except FileNotFoundError:
                    continue
        raise LogUnavailable(f"files of {self._folder.path} vanish while they are opened")

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for base in list(self._files):
                self._forget(base)

    def _bases(self) -> list[int]:
        try:
            bases = self._folder.bases()
        except OSError as error:
            raise log_error(error, self._folder.path) from error
        for base in self._files.keys() - set(bases):
            self._forget(base)
        return bases

    def _read(self, bases: list[int], offset: int, max_bytes: int) -> list[LogRecord]:
        at = bisect_right(bases, offset) - 1
        file = self._open(bases[at])
        try:
            found = file.read(offset, max_bytes)
            if found or at + 1 == len(bases):
                return found
            next_base = file.span().next_base
        except sqlite3.Error as error:
            self._forget(bases[at])
            raise log_error(error, file.path) from error
        if next_base is None or next_base > offset:
            raise LogUnavailable(f"log file {file.path} lacks offset {offset}: restore it")
        raise self._folder.missing(next_base)

    def _end(self, base: int) -> int:
        file = self._open(base)
        try:
            next_base = file.span().next_base
            return file.last()[0] + 1 if next_base is None else next_base
        except sqlite3.Error as error:
            self._forget(base)
            raise log_error(error, file.path) from error

    def _open(self, base: int) -> RangeFile:
        file = self._files.pop(base, None) or self._folder.open_file(base)
        self._files[base] = file  # the most recently used one is the last
        while len(self._files) > _OPEN_FILES_MAX:
            self._forget(next(iter(self._files)))
        return file

    def _forget(self, base: int) -> None:
        self._files.pop(base).close()
