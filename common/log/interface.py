"""What a log can do. Each method says when it may wait.

Keeps I1: `append` returns only after the record is durable. Offsets of a partition grow by one
from 0. Append times are those of clocks: they may leap, and go back at a clock record
(`common.model.log_time`) and where a server's clock does. Nothing may rest on their order.
"""

from dataclasses import dataclass
from typing import Protocol

import msgspec

from common.model.position import Position
from common.model.record import LogRecord, Record


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """Which incarnation of the log this is (`epoch`, lower-case hex) and its partition count."""

    epoch: str
    partitions: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """First offset held and next offset to be written, of one partition."""

    start: int
    end: int


class Appended(msgspec.Struct, frozen=True):
    """Where an appended record is, and its log-append time (unix ns)."""

    position: Position
    append_ns: int


class Log(Protocol):
    """Several processes may use one log at once; each opens its own."""

    async def open(self) -> LogIdentity:
        """Open (create on first use); what is open already only tells its identity.

        Raises LogUnavailable.
        """

    async def append(self, partition: int, record: Record) -> Appended:
        """Append and wait until it is durable.

        Raises LogRefused when the record is certainly not in the log and never will be:
        LogOverloaded at once when the buffer is full, LogFull when the disk is. Any other
        LogUnavailable leaves its fate unknown: it may be there, or still come.
        """

    def leader(self, partition: int) -> str:
        """Who leads a partition as far as is known now, without asking; "" if unknown.

        "local" where there are no servers. Partitions of one leader share its troubles.
        """

    async def read(
        self, partition: int, offset: int, max_bytes: int, wait_ms: int
    ) -> list[LogRecord]:
        """Records from `offset` on, at least one if there is one, at most about `max_bytes`.

        Waits up to `wait_ms` for a first record, then returns an empty list.
        Raises OffsetGone if `offset` was dropped, LogUnavailable.
        """

    async def read_again(self, partition: int, offset: int) -> LogRecord | None:
        """One record, read afresh: from the disk itself, or from every copy of it in turn.

        The first whole copy, else a damaged record; None if the log no longer has the offset.
        Raises LogUnavailable.
        """

    async def bounds(self, partition: int) -> Bounds:
        """Start and end of a partition. Raises LogUnavailable."""

    async def drop_before(self, partition: int, offset: int) -> int:
        """Free what lies wholly before `offset`, in the log's own steps; returns the new start.

        The caller passes only an offset that a durable manifest covers. A log that keeps records
        by time (`retention_ns`) frees nothing and returns its start.
        """

    def has_server_time(self) -> bool:
        """Whether servers stamp the records; else each appending process does, by its own clock,
        and never before the record before, but for a clock record.
        """

    async def abandon(self, partition: int, first: int) -> None:
        """An operator has counted as lost what the log cannot give from `first` on: let appends go
        on beside it. Deletes nothing. Only for what `read` raised LogLost for.
        """

    def retention_ns(self) -> int | None:
        """How long after its append the log keeps a record; None: until `drop_before` frees it."""

    async def size_bytes(self, partition: int) -> int:
        """Bytes that the partition takes."""

    async def refresh(self) -> LogIdentity:
        """Look again what log this is: partitions may have been added, and another epoch means
        that it was recreated and lacks what was there. Raises LogUnavailable.
        """

    async def close(self) -> None:
        """Finish what is in flight, then close. Appends after this raise LogRefused."""
