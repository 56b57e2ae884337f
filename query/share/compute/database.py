"""The DuckDB databases of a process: a few that live long, each for one question at a time.

To open and lock a database costs as much as twenty small statements. A database may read one folder
that holds nothing but segments, and write only where it spills; it has no network and no
extensions, and its configuration is locked. One question at a time in each is what bounds the
memory and the threads of a question (I11).
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from common import limits
from query.cancellation import check_cancelled, interrupted_by_cancel
from query.share.sources.parquet_scan import quote_text

if TYPE_CHECKING:
    import duckdb

_KEPT_BYTES_MAX: Final = 32 * 1024 * 1024  # between questions: the metadata of a thousand files
_INTERRUPTED: Final = "INTERRUPT Error"
_OUT_OF_MEMORY: Final = "Out of Memory Error"
_HELD: Final = "SELECT sum(memory_usage_bytes) FROM duckdb_memory()"


@dataclass(frozen=True, slots=True)
class DatabaseLimits:
    """The resources that one share may use.

    rows_max: number of groups times steps of one state.
    bytes_max: bytes of all its states.
    spill_mb: disk that it may use beyond its memory, where there is a folder for it.
    """

    memory_mb: int
    threads: int
    rows_max: int = limits.SHARE_ROWS_MAX
    bytes_max: int = limits.SHARE_BYTES_MAX
    spill_mb: int = limits.SHARE_SPILL_MB_MAX

    @property
    def described(self) -> str:
        """The memory and disk, and the setting that bounds them, for an error text."""
        return f"{self.memory_mb} MB, indexer.share_memory_mb, and {self.spill_mb} MB on the disk"


def was_interrupted(error: Exception) -> bool:
    """Whether DuckDB was interrupted: rows that are read as they are made fail with Arrow's errors,
    whose text alone tells.
    """
    import duckdb  # see `Databases.use`

    return isinstance(error, duckdb.InterruptException) or str(error).startswith(_INTERRUPTED)


def ran_out_of_memory(error: Exception) -> bool:
    """As `was_interrupted`: whether a statement needed more memory than its database may use."""
    import duckdb  # see `Databases.use`

    if isinstance(error, duckdb.Error):  # its text may quote values of events
        return isinstance(error, duckdb.OutOfMemoryException)
    return _OUT_OF_MEMORY in str(error)


class Databases:
    """At most `count` databases, opened when they are needed. Safe to use from several threads.

    segments: the folder whose files they may read; None: none.
    spill: a folder of their own for what does not fit into memory, emptied now; None: they may not
        write at all.
    """

    def __init__(
        self,
        allowed: DatabaseLimits,
        count: int,
        segments: Path | None = None,
        spill: Path | None = None,
    ) -> None:
        self.allowed = allowed
        self._segments = segments
        self._spill = spill
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(count)
        self._unused = [
            _Slot(None if spill is None else spill / str(number))
            for number in reversed(range(count))
        ]
        self._closed = False
        if spill is not None:
            shutil.rmtree(spill, ignore_errors=True)

    @contextmanager
    def use(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to a database that nobody else uses meanwhile.

        What was registered or created ends with the block. A database that failed is replaced,
        unless it was only interrupted, as cancelled work is. Raises WorkCancelled.
        """
        import duckdb  # 40 MB of memory: only in a process that computes shares

        with self._room:
            with self._lock:
                slot = self._unused.pop()  # the last one used: its memory is in use already
            try:
                if slot.database is None:
                    slot.database = self._open(slot.spill)
                connection = slot.database.cursor()
                try:
                    with interrupted_by_cancel(connection.interrupt):
                        yield connection
                finally:
                    connection.close()
            except (duckdb.Error, pa.ArrowException, OSError) as error:
                if not was_interrupted(error):
                    slot.close()
                check_cancelled()
                raise
            finally:
                slot.was_used = True
                self._put_back(slot)

    def give_back(self) -> None:
        """Close the databases that hold much memory and that nobody uses now.

        Metadata of very many files, mostly: DuckDB keeps it up to the memory limit of a database.
        """
        while self._room.acquire(blocking=False):
            try:
                with self._lock:
                    at = next((n for n, one in enumerate(self._unused) if one.was_used), None)
                    if at is None:
                        return
                    slot = self._unused.pop(at)
                slot.was_used = False
                if slot.held_bytes > _KEPT_BYTES_MAX:
                    slot.close()
                self._put_back(slot, at)
            finally:
                self._room.release()

    def _put_back(self, slot: _Slot, at: int | None = None) -> None:
        with self._lock:
            self._unused.insert(len(self._unused) if at is None else at, slot)
            if self._closed:
                slot.close()

    def close(self) -> None:
        """Close the databases; one that is in use, when its question ends."""
        with self._lock:
            self._closed = True
            for slot in self._unused:
                slot.close()

    def _open(self, spill: Path | None) -> duckdb.DuckDBPyConnection:
        import duckdb  # see `use`

        if spill is not None:
            spill.mkdir(parents=True, exist_ok=True)
        database = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{self.allowed.memory_mb}MB",
                "threads": self.allowed.threads,
                "temp_directory": "" if spill is None else str(spill),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
                "preserve_insertion_order": False,
                "enable_external_file_cache": False,  # the system has the files in memory
            },
        )
        # DuckDB 2.0 shows this limit, but does not keep to it, when it is part of `config`.
        database.execute(f"SET max_temp_directory_size = '{self.allowed.spill_mb:d}MB'")
        database.execute("SET parquet_metadata_cache = true")
        if self._segments is not None:
            folder = quote_text(str(self._segments.absolute()))
            database.execute(f"SET allowed_directories = [{folder}]")
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        return database


@dataclass(slots=True)
class _Slot:
    """A place for a database.

    spill: the folder in which it alone writes.
    was_used: since `Databases.give_back` looked at it.
    """

    spill: Path | None
    database: duckdb.DuckDBPyConnection | None = None
    was_used: bool = False

    @property
    def held_bytes(self) -> int:
        """Memory that the database holds between questions."""
        if self.database is None:
            return 0
        [[held]] = self.database.execute(_HELD).fetchall()
        return int(held or 0)

    def close(self) -> None:
        """Close the database; the next question opens another one."""
        if self.database is not None:
            self.database.close()
            self.database = None
