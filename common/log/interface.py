"""The interface of a log. The docstring of each method states when it may wait.

Keeps I1: `append` returns only after the record is durable. The offsets of a partition start at 0
and grow by one. Append times come from clocks: they may jump, and go back at a clock record
(`common.model.log_time`) or when a server's clock goes back, so no code may depend on their order.
"""

from dataclasses import dataclass
from typing import Protocol

import msgspec

from common.model.position import Position
from common.model.record import LogRecord, Record


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """Which log this is.

    epoch: id of this incarnation, lower-case hex; a log that is recreated has another one.
    partitions: partition count.
    """

    epoch: str
    partitions: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """The offsets of one partition.

    start: the first offset that is held.
    end: the next offset to be written.
    """

    start: int
    end: int


class Appended(msgspec.Struct, frozen=True):
    """Position of an appended record, and its log-append time (unix ns)."""

    position: Position
    append_ns: int


class Log(Protocol):
    """Several processes may use one log at once; each opens an instance of its own."""

    async def open(self) -> LogIdentity:
        """Open, and create on first use. Returns only the identity if it is open already.

        Raises LogUnavailable.
        """

    async def append(self, partition: int, record: Record) -> Appended:
        """Append and wait until it is durable.

        Raises LogRefused when the record is certainly not in the log and never will be:
        LogOverloaded at once when the buffer is full, LogFull when the disk is. After any other
        LogUnavailable the outcome is unknown: the record may be in the log, or arrive later.
        """

    def leader(self, partition: int) -> str:
        """The leader of a partition as cached, without a request; "" if unknown.

        "local" where there are no servers. Partitions with the same leader fail together.
        """

    async def read(
        self, partition: int, offset: int, max_bytes: int, wait_ms: int
    ) -> list[LogRecord]:
        """Records from `offset` on, at least one if there is one, at most about `max_bytes`.

        Waits up to `wait_ms` for a first record, then returns an empty list.
        Raises OffsetGone if `offset` was dropped, LogUnavailable.
        """

    async def read_again(self, partition: int, offset: int) -> LogRecord | None:
        """One record, bypassing caches: from the disk, or from each replica in turn.

        Returns the first intact copy, else a damaged record; None if the log no longer has the
        offset. Raises LogUnavailable.
        """

    async def bounds(self, partition: int) -> Bounds:
        """Start and end of a partition. Raises LogUnavailable."""

    def known_end(self, partition: int) -> int | None:
        """An end that the partition has reached, found without a request and without waiting.

        Every acknowledged record is before it. None: only `bounds` can tell.
        """

    async def drop_before(self, partition: int, offset: int) -> int:
        """Free whole files before `offset`; returns the new start.

        The caller passes only an offset that a durable manifest covers. A log with retention by
        time (`retention_ns`) frees nothing and returns its start.
        """

    def has_server_time(self) -> bool:
        """Whether a server sets the append times.

        Otherwise each appending process sets them from its own clock, never earlier than the
        previous record's, except for a clock record.
        """

    async def abandon(self, partition: int, first: int) -> None:
        """Give up records from `first` on that the log cannot return, so that appends can continue.

        For an operator who has accepted their loss, and only where `read` raised LogLost.
        Deletes nothing.
        """

    def retention_ns(self) -> int | None:
        """How long the log keeps a record after its append; None: until `drop_before` frees it."""

    async def size_bytes(self, partition: int) -> int:
        """Bytes that the partition takes."""

    async def refresh(self) -> LogIdentity:
        """Read the identity again. Raises LogUnavailable.

        Partitions may have been added; another epoch means that the log was recreated and its
        earlier records are gone.
        """

    async def close(self) -> None:
        """Finish what is in flight, then close. Appends after this raise LogRefused."""
