"""The log of one machine, without a server: SQLite range files and group commit (I1, I11).

Several processes may append to and read from one log at once. Reasons for the design and figures:
docs/adr/0002-embedded-log.md.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from common import limits, metrics
from common.clock import Clock
from common.errors import LogOverloaded, LogRefused, LogUnavailable, OffsetGone
from common.log.embedded import frame
from common.log.embedded.folder import PartitionFolder
from common.log.embedded.identity import open_identity, read_identity
from common.log.embedded.known_ends import KnownEnds
from common.log.embedded.range_file import Written
from common.log.embedded.read_waiters import ReadWaiters
from common.log.embedded.reader import PartitionReader
from common.log.embedded.sqlite_errors import to_log_error
from common.log.embedded.writer import Outcome, PartitionWriter, PendingAppend, no_refusal
from common.log.interface import Appended, Bounds, LogIdentity
from common.model.position import Position
from common.model.record import Kind, LogRecord, Record, encode_headers

_READ_THREADS = 4
_APPEND_TIMEOUT_S = 30.0  # a stopped process may hold the writer lock, so callers need an error
# How long a record may stay unseen whose writer died between commit and known end, if none follows.
# Nobody has its receipt. Longer than between two heartbeats, so quiet partitions are not looked at.
_RECHECK_S = 10.0

P = ParamSpec("P")
R = TypeVar("R")


def _time_out(waiting: "asyncio.Future[Appended]", partition: int) -> None:
    if not waiting.done():
        why = f"partition {partition}: no commit in {_APPEND_TIMEOUT_S:.0f} s; "
        waiting.set_exception(LogUnavailable(why + "another process may be holding the log"))


class EmbeddedLog:
    """One process's access to the log in `folder`. Use it from one event loop.

    partitions: partition count of a new log; an existing one keeps its own.
    refusal: the reason why no records may be taken now, or None.
    read_only: nothing in the folder changes, not even leftovers of a crash.
    """

    def __init__(
        self,
        folder: Path,
        partitions: int,
        clock: Clock,
        file_bytes_max: int = limits.LOG_FILE_BYTES_MAX,
        queue_bytes_max: int = limits.APPEND_QUEUE_BYTES_MAX,
        refusal: Callable[[], str | None] = no_refusal,
        read_only: bool = False,
    ) -> None:
        self._path = folder
        self._partitions = partitions
        self._clock = clock
        self._file_bytes_max = file_bytes_max
        self._queue_bytes_max = queue_bytes_max
        self._refusal = refusal
        self._read_only = read_only
        self._queued_bytes = 0  # touched on the event loop only
        self._closed = True
        self._identity = LogIdentity("", partitions)
        self._folders: list[PartitionFolder] = []
        self._readers: list[PartitionReader] = []
        self._writers: dict[int, PartitionWriter] = {}
        self._checked_s: dict[int, float] = {}
        self._threads = ThreadPoolExecutor(_READ_THREADS, thread_name_prefix="log-read")

    async def open(self) -> LogIdentity:
        """Open (create on first use). Raises LogUnavailable."""
        if not self._closed:
            return self._identity
        self._loop = asyncio.get_running_loop()
        self._identity = await self._run(self._open)
        self._waiters = ReadWaiters(self._ends)
        self._closed = False
        return self._identity

    def _open(self) -> LogIdentity:
        identity = self._find_identity()
        self._ends = KnownEnds(self._path, identity.partitions, self._read_only)
        self._folders = [
            PartitionFolder(self._path, p, identity.epoch, self._read_only)
            for p in range(identity.partitions)
        ]
        for folder in () if self._read_only else self._folders:
            folder.prepare()
        self._readers = [
            PartitionReader(folder, partial(self._ends.get, folder.partition))
            for folder in self._folders
        ]
        return identity

    def _find_identity(self) -> LogIdentity:
        if not self._read_only:
            return open_identity(self._path, self._partitions)
        found = read_identity(self._path)
        if found is None:
            raise LogUnavailable(f"there is no log in {self._path}")
        return found

    async def append(self, partition: int, record: Record) -> Appended:
        """Append and wait until it is durable (see the interface)."""
        if self._closed or self._read_only:
            raise LogRefused("the log is closed" if self._closed else "the log is only looked at")
        self._check(partition)
        started_ns = self._clock.monotonic_ns()
        waiting: asyncio.Future[Appended] = self._loop.create_future()
        headers = frame.encode_headers(encode_headers(record))
        item = PendingAppend(headers, record.value, waiting, record.kind is Kind.CLOCK)
        if self._queued_bytes + item.size_bytes > self._queue_bytes_max:
            raise LogOverloaded(f"{self._queued_bytes} bytes already wait for the log")
        writer = self._writers.get(partition)
        if writer is None:
            writer = self._writers[partition] = self._start_writer(partition)
        self._queued_bytes += item.size_bytes
        writer.put(item)
        late = self._loop.call_later(_APPEND_TIMEOUT_S, _time_out, waiting, partition)
        try:
            appended = await waiting
        finally:
            late.cancel()
        metrics.log_append_seconds.observe((self._clock.monotonic_ns() - started_ns) / 1e9)
        return appended

    def _start_writer(self, partition: int) -> PartitionWriter:
        folder = self._folders[partition]
        return PartitionWriter(
            folder, self._ends, self._clock, self._file_bytes_max, self._group_done, self._refusal
        )

    def _group_done(self, partition: int, group: Sequence[PendingAppend], outcome: Outcome) -> None:
        self._loop.call_soon_threadsafe(self._complete, partition, group, outcome)

    def _complete(self, partition: int, group: Sequence[PendingAppend], outcome: Outcome) -> None:
        self._queued_bytes -= sum(item.size_bytes for item in group)
        for at, item in enumerate(group):
            waiting = item.ticket
            if not isinstance(waiting, asyncio.Future) or waiting.done():  # its caller has gone
                continue
            if isinstance(outcome, Written):
                position = Position(self._identity.epoch, partition, outcome.first + at)
                waiting.set_result(Appended(position, outcome.append_ns))
            else:
                waiting.set_exception(type(outcome)(str(outcome), outcome.retry_after_s or 1))
        if isinstance(outcome, Written):
            self._waiters.wake(partition, outcome.first + len(group))

    async def read(
        self, partition: int, offset: int, max_bytes: int, wait_ms: int
    ) -> list[LogRecord]:
        """Records from `offset` on (see the interface)."""
        self._check(partition)
        max_bytes = min(max_bytes, limits.READ_BLOCK_BYTES_MAX)
        deadline_s = self._loop.time() + wait_ms / 1000
        while not self._closed:
            now_s = self._loop.time()
            known_end = self._ends.get(partition)
            stale = now_s - self._checked_s.get(partition, 0.0) >= _RECHECK_S
            if offset < known_end or stale or wait_ms <= 0:
                self._checked_s[partition] = now_s
                found = await self._run(self._readers[partition].read, offset, max_bytes)
                if found:
                    return found
                if offset < known_end:
                    raise LogUnavailable(
                        f"partition {partition} lacks offset {offset} though it was written: "
                        f"restore the newest file of {self._folders[partition].path}"
                    )
            left_s = deadline_s - self._loop.time()
            if left_s <= 0:
                break
            await self._waiters.wait(partition, offset, min(left_s, _RECHECK_S))
        return []

    async def read_again(self, partition: int, offset: int) -> LogRecord | None:
        """One record, bypassing caches (see the interface)."""
        self._check(partition)
        try:
            found = await self._run(self._readers[partition].read_again, offset)
        except OffsetGone:
            return None
        return found[0] if found else None

    async def bounds(self, partition: int) -> Bounds:
        """Start and end of a partition. Raises LogUnavailable."""
        self._check(partition)
        return await self._run(self._readers[partition].bounds)

    def known_end(self, partition: int) -> int | None:
        """The end as writers announce it before they acknowledge (see the interface)."""
        self._check(partition)
        return self._ends.get(partition) or None

    async def drop_before(self, partition: int, offset: int) -> int:
        """Unlink whole files before `offset`; returns the new start."""
        self._check(partition)
        return await self._run(self._folders[partition].drop_before, offset)

    async def abandon(self, partition: int, first: int) -> None:
        """Rename an unreadable file so that appends can continue (see the interface)."""
        self._check(partition)
        known_end = self._ends.get(partition)
        await self._run(self._folders[partition].abandon, first, known_end)

    def leader(self, partition: int) -> str:
        """ "local": there are no servers."""
        return "local"

    def has_server_time(self) -> bool:
        """False: every process sets the append times of its records."""
        return False

    def retention_ns(self) -> int | None:
        """None: records stay until `drop_before`."""
        return None

    async def refresh(self) -> LogIdentity:
        """The identity, which never changes while the log is open."""
        return self._identity

    async def size_bytes(self, partition: int) -> int:
        """Bytes of the partition's files."""
        self._check(partition)
        return await self._run(self._folders[partition].size_bytes)

    async def close(self) -> None:
        """Finish what is in flight, then close."""
        if self._closed:
            return
        self._closed = True
        self._waiters.close()
        await asyncio.to_thread(self._close)
        await asyncio.sleep(0)  # callbacks of the last commits are queued on the loop before this

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._threads.shutdown()
        for reader in self._readers:
            reader.close()
        self._ends.close()

    def _check(self, partition: int) -> None:
        if self._closed:
            raise LogUnavailable("the log is closed")
        if not 0 <= partition < self._identity.partitions:
            raise ValueError(f"no partition {partition}: there are {self._identity.partitions}")

    async def _run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await self._loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))
        except (sqlite3.Error, OSError) as error:
            raise to_log_error(error, self._path) from error
        except RuntimeError as error:  # the executor has been shut down
            if self._closed:
                raise LogUnavailable("the log is closed") from error
            raise
