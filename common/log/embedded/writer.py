"""Group commit: one thread per partition commits all waiting appends in one transaction (I1).

The next group collects while one commit is fsynced, so the more appends wait, the fewer fsyncs
each costs. The thread sleeps without a timer while no append waits.
"""

import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from common import limits
from common.clock import Clock
from common.error_text import describe_error
from common.errors import LogFull, LogUnavailable
from common.log.embedded.folder import PartitionFolder
from common.log.embedded.known_ends import KnownEnds
from common.log.embedded.range_file import RangeFile, Sealed, Written
from common.log.embedded.sqlite_errors import to_log_error


class PendingAppend(msgspec.Struct, frozen=True, eq=False):
    """One append that waits.

    headers: encoded by `frame.encode_headers`.
    ticket: returned to the caller unchanged.
    sets_time: whether it is a clock record.
    """

    headers: bytes
    value: bytes
    ticket: object
    sets_time: bool = False

    @property
    def size_bytes(self) -> int:
        """The bytes that count against the buffer."""
        return len(self.headers) + len(self.value)


_FULL_RETRY_S = 5  # space is rarely freed within a second
Outcome = Written | LogUnavailable
GroupDone = Callable[[int, Sequence[PendingAppend], Outcome], None]


def no_refusal() -> str | None:
    """Never refuses: records are taken as long as the disk has space."""
    return None


class PartitionWriter:
    """Appends to one partition.

    done: called on the writer thread, once for every group.
    refusal: called before every commit; the reason why no records may be taken now, or None.
    """

    def __init__(
        self,
        folder: PartitionFolder,
        ends: KnownEnds,
        clock: Clock,
        file_bytes_max: int,
        done: GroupDone,
        refusal: Callable[[], str | None],
    ) -> None:
        self._folder = folder
        self._ends = ends
        self._clock = clock
        self._file_bytes_max = file_bytes_max
        self._done = done
        self._refusal = refusal
        self._waiting: deque[PendingAppend] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._file: RangeFile | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"log-write-{folder.partition}", daemon=True
        )
        self._thread.start()

    def put(self, item: PendingAppend) -> None:
        """Enqueue one append; the caller limits how many wait."""
        with self._changed:
            self._waiting.append(item)
            self._changed.notify()

    def close(self) -> None:
        """Commit what is waiting, then end the thread and wait for its end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while group := self._next_group():
            try:
                outcome = self._commit(group)
            except Exception as error:  # noqa: BLE001 - outermost loop: each caller gets it
                self._close_file()
                why = f"partition {self._folder.partition}: {describe_error(error)}"
                outcome = LogUnavailable(why)
            self._done(self._folder.partition, group, outcome)
        self._close_file()

    def _next_group(self) -> list[PendingAppend]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            group: list[PendingAppend] = []
            size = 0
            while (
                self._waiting
                and len(group) < limits.GROUP_COMMIT_RECORDS_MAX
                and size < limits.GROUP_COMMIT_BYTES_MAX
            ):
                alone = self._waiting[0].sets_time  # because a group has one append time
                if alone and group:
                    break
                group.append(self._waiting.popleft())
                size += group[-1].size_bytes
                if alone:
                    break
            return group

    def _commit(self, group: Sequence[PendingAppend]) -> Outcome:
        if why := self._refusal():
            return LogFull(why, _FULL_RETRY_S)
        rows = [(item.headers, item.value) for item in group]
        try:
            with self._folder.writing():
                written = self._append(rows, group[0].sets_time)
                self._ends.advance(self._folder.partition, written.first + len(rows))
                return written
        except LogUnavailable as error:
            return error
        except (sqlite3.Error, OSError) as error:
            fault = to_log_error(error, self._path())
            # On a full disk the file is intact, and readers need it open. After any other error its
            # state is unknown: the next group opens it again.
            if not isinstance(fault, LogFull):
                self._close_file()
            return fault

    def _append(self, rows: Sequence[tuple[bytes, bytes]], sets_time: bool) -> Written:
        known_end = self._ends.get(self._folder.partition)
        if self._file is None:
            self._file = self._folder.open_newest(known_end)
        arguments = (rows, self._clock.now_ns(), self._file_bytes_max, known_end, sets_time)
        try:
            written = self._file.append(*arguments)
        except Sealed:  # another process sealed it
            self._close_file()
            self._file = self._folder.open_newest(known_end)
            written = self._file.append(*arguments)
        if written.sealed:
            with contextlib.suppress(sqlite3.Error):  # optional: the records are durable already
                self._file.checkpoint()
            self._close_file()
        return written

    def _path(self) -> Path:
        return self._folder.path if self._file is None else self._file.path

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
