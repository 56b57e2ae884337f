"""A tail that shows some events only: what they are is computed as a share is, over the blocks of
the rows that were just indexed, so that a condition means here exactly what it means in a query.

It never holds indexing up (I11): rows wait for the reader's thread, bounded, and the oldest go
first.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from common import limits
from indexer.tail.tail import TailRecord, TailSubscription, batch_heading, tail_line
from query.plan.plan import Plan, RowsWanted
from query.share.compute import Computation
from query.share.database import DatabaseLimits
from query.share.row_search import rows_of
from query.share.view import DatasetView
from query.wire.tail import TailFilter
from segment.columns import ColumnBlock

_ALLOWED: Final = DatabaseLimits(memory_mb=256, threads=1)
_TIME_MIN, _TIME_END = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class IndexedRows:
    """Records that one partition has just indexed, and their rows."""

    partition: int
    records: tuple[TailRecord, ...]
    blocks: tuple[ColumnBlock, ...]

    @property
    def size_bytes(self) -> int:
        """Of the records' lines; the blocks are live rows, which are held anyhow."""
        return sum(len(record.lines) for record in self.records)


class FilteredTail:
    """One reader, as `indexer.tail.tail.Tail`."""

    def __init__(
        self, subscription: TailSubscription, choice: TailFilter, threads: Executor
    ) -> None:
        self.subscription = subscription
        self._choice = choice
        self._threads = threads
        self._waiting: deque[IndexedRows] = deque()
        self._bytes = 0
        self._some = asyncio.Event()
        self.dropped = 0

    def offer(self, offered: IndexedRows) -> None:
        """Rows that were indexed; never waits."""
        self._waiting.append(offered)
        self._bytes += offered.size_bytes
        while self._bytes > limits.TAIL_CHOSEN_BYTES_MAX and len(self._waiting) > 1:
            gone = self._waiting.popleft()
            self._bytes -= gone.size_bytes
            self.dropped += sum(block.rows for block in gone.blocks)
        self._some.set()

    @property
    def pause_s(self) -> float:
        """As `indexer.tail.tail.Tail.pause_s`."""
        return limits.TAIL_CHOSEN_PAUSE_S

    async def some(self) -> None:
        """Wait until there are rows to choose from."""
        await self._some.wait()

    async def take(self) -> bytes:
        """The lines of the events that were chosen since; often none."""
        await self._some.wait()
        self._some.clear()
        offered = list(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, filtered_lines, self.subscription, self._choice, offered
        )


def filtered_lines(
    subscription: TailSubscription, choice: TailFilter, offered: Sequence[IndexedRows]
) -> bytes:
    """The lines of the chosen events in the order of the log, the newest if they are too many.

    Raises BellwetherError.
    """
    blocks: dict[int, list[ColumnBlock]] = {}
    records: dict[tuple[int, int], TailRecord] = {}
    for one in offered:
        blocks.setdefault(one.partition, []).extend(one.blocks)
        records.update({(one.partition, record.offset): record for record in one.records})
    views = [
        DatasetView(partition, "", _TIME_END, 0, (), tuple(some), epoch_number=0)
        for partition, some in blocks.items()
    ]
    table = Computation(_plan(subscription, choice), views, _ALLOWED).run().states["main"]
    found = sorted(rows_of(table), key=lambda row: row.position[1:])
    lines: list[bytes] = []
    split: dict[tuple[int, int], list[bytes]] = {}
    last = b""
    for row in found:
        place = (row.position.partition, row.position.offset)
        record = records[place]
        heading = batch_heading(place[0], record.batch)
        if subscription.batches and heading != last:
            lines.append(heading)
            last = heading
        if choice.fields is not None:
            told = (row.position.time_ns, row.rate, row.data)
            lines.append(b'{"time":%d,"samplerate":%d,"data":%b}\n' % told)
            continue
        if place not in split:
            split[place] = record.lines.splitlines()
        event = tail_line(split[place][row.position.place])
        if event is not None:
            lines.append(event[1])
    return b"".join(lines)


def _plan(subscription: TailSubscription, choice: TailFilter) -> Plan:
    after_ns = subscription.after_ns
    return Plan(
        dataset=subscription.dataset,
        start_ns=_TIME_MIN if after_ns is None else min(after_ns + 1, _TIME_END),
        end_ns=_TIME_END,
        needs=(),
        filters=choice.filters,
        any_filter=choice.any_filter,
        rows=RowsWanted(
            limit=limits.TAIL_EVENTS_MAX,
            bytes_max=limits.TAIL_BYTES_MAX,
            fields=choice.fields if choice.fields is not None else (),
        ),
    )
