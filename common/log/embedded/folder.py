"""The folder of one partition: its range files, its writer lock, creation and removal of files.

Files are named by their first offset. A process that holds the writer lock and finds the newest
file sealed creates the next one, so a crash between sealing and creating needs no repair. Files
are unlinked oldest first, so the remaining ones hold contiguous offsets.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import atomic_files
from common.errors import LogUnavailable
from common.log.embedded import range_file
from common.log.embedded.range_file import RangeFile
from common.log.embedded.sqlite_errors import to_log_error

_LOCK = "writer.lock"
_WAL_SUFFIXES = ("-wal", "-shm")
_ABANDONED = ".abandoned"


class PartitionFolder:
    """Stateless: any number of processes may use one folder.

    read_only: no file is changed, created or removed.
    """

    def __init__(self, log: Path, partition: int, epoch: str, read_only: bool = False) -> None:
        self.path = log / f"p{partition:05d}"
        self.partition = partition
        self.epoch = epoch
        self._read_only = read_only
        self._lock = str(self.path / _LOCK)

    def prepare(self) -> None:
        """Create the folder and its lock; remove leftovers of a crash. Raises OSError."""
        atomic_files.make_folder(self.path)
        with self.writing():
            self._sweep()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the writer lock, after waiting for other writers. It ends with the process.

        One writer or checkpoint at a time per partition also avoids SQLite's rare race between
        concurrent WAL checkpoints (fixed upstream only in 3.51.3).
        """
        with atomic_files.exclusive(self._lock):
            yield

    def bases(self) -> list[int]:
        """First offsets of the existing files, ascending."""
        if self._read_only and not self.path.exists():
            return []  # a writer creates it
        names = os.listdir(self.path)
        return sorted(int(n[:-3]) for n in names if n.endswith(".db") and n[:-3].isdigit())

    def file(self, base: int) -> Path:
        """Path of the file that starts at `base`."""
        return self.path / f"{base:020d}.db"

    def open_file(self, base: int, exclusive: bool = False) -> RangeFile:
        """Open a file. Raises LogUnavailable naming it, or FileNotFoundError if it is gone."""
        path = self.file(base)
        try:
            return RangeFile(path, self.epoch, exclusive, self._read_only)
        except sqlite3.Error as error:
            if not path.exists():
                raise FileNotFoundError(2, "no such log file", str(path)) from error
            raise to_log_error(error, path) from error

    def open_newest(self, known_end: int) -> RangeFile:
        """The file to append to, created if the newest one is sealed.

        The caller holds the writer lock. known_end: an end that the partition is known to have
        reached. A missing file that held acknowledged records is an error, and is never replaced
        by an empty one.
        """
        bases = self.bases()
        if not bases:
            return self._create(0, 0, known_end)
        newest = self.open_file(bases[-1])
        next_base = newest.description().next_base
        if next_base is None:
            return newest
        try:
            _, floor_ns = newest.last()
            return self._create(next_base, floor_ns, known_end)
        finally:
            newest.close()

    def _create(self, base: int, floor_ns: int, known_end: int) -> RangeFile:
        if known_end > base:
            raise self.missing(base)
        range_file.create(self.file(base), self.epoch, self.partition, base, floor_ns)
        return self.open_file(base)

    def missing(self, base: int) -> LogUnavailable:
        """The error for a file that must exist and does not."""
        return LogUnavailable(
            f"log file {self.file(base)} is missing but held records: restore it", retry_after_s=5
        )

    def drop_before(self, offset: int) -> int:
        """Unlink files wholly before `offset`, never the newest; returns the new start.

        The database is unlinked before its WAL, so a database file that exists is always whole.
        """
        with self.writing():
            bases = self.bases()
            while len(bases) > 1 and bases[1] <= offset:
                path = self.file(bases.pop(0))
                path.unlink()
                for side in _WAL_SUFFIXES:
                    Path(f"{path}{side}").unlink(missing_ok=True)
            self._sweep()
            atomic_files.sync_folder(self.path)
        return bases[0] if bases else 0

    def abandon(self, first: int, known_end: int) -> None:
        """Rename the file that held `first`, if it exists and cannot be opened.

        If it was the newest, a new file is created that starts at `known_end`: an operator has
        accepted the loss of the records before. Nothing is deleted.
        """
        with self.writing():
            bases = self.bases()
            base = max((base for base in bases if base <= first), default=None)
            is_newest = not any(base > first for base in bases)
            if base is not None and self._is_usable(base):
                is_newest = is_newest and self._is_sealed(base)
            elif base is not None:
                for side in ("", *_WAL_SUFFIXES):
                    path = Path(f"{self.file(base)}{side}")
                    if path.exists():
                        path.rename(f"{path}{_ABANDONED}")
            if is_newest and known_end > first:
                range_file.create(self.file(known_end), self.epoch, self.partition, known_end, 0)
            atomic_files.sync_folder(self.path)

    def _is_usable(self, base: int) -> bool:
        try:
            self.open_file(base).close()
        except LogUnavailable:
            return False
        return True

    def _is_sealed(self, base: int) -> bool:
        file = self.open_file(base)
        try:
            return file.description().next_base is not None
        finally:
            file.close()

    def size_bytes(self) -> int:
        """Total bytes of the folder's files."""
        with os.scandir(self.path) as entries:
            return sum(_size(entry) for entry in entries)

    def _sweep(self) -> None:
        """Remove unfinished files and WALs without a database. The caller holds the writer lock."""
        for name in os.listdir(self.path):
            owner = next(
                (name[: -len(side)] for side in _WAL_SUFFIXES if name.endswith(side)), None
            )
            orphan = owner is not None and not (self.path / owner).exists()
            if orphan or name.startswith(atomic_files.TEMPORARY_PREFIX):
                (self.path / name).unlink(missing_ok=True)


def _size(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:  # dropped meanwhile
        return 0
