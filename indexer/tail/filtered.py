"""A tail with conditions, which are computed as in a query's share over the blocks just indexed.

So a condition has the same meaning in a tail and in a query. It never delays indexing (I11): rows
wait for the reader's thread in a bounded queue, and the oldest are dropped first.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from indexer.tail.tail import (
    TAIL_LIMITS,
    TailLimits,
    TailRecord,
    TailSubscription,
    batch_heading,
    skipped_heading,
    tail_line,
)
from query.plan.plan import Plan, RowsWanted
from query.share.compute.computation import Computation
from query.share.compute.database import DatabaseLimits, Databases
from query.share.row_search.search import rows_of
from query.share.view.view import DatasetView
from query.wire.tail import TailFilter
from segment.columns import ColumnBlock

TAIL_DATABASE: Final = DatabaseLimits(memory_mb=256, threads=1)
_TIME_MIN, _TIME_END = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class IndexedRows:
    """Records that one partition has just indexed, and their rows."""

    partition: int
    records: tuple[TailRecord, ...]
    blocks: tuple[ColumnBlock, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of the records' lines; the blocks are live rows, which are in memory anyway."""
        return sum(len(record.lines) for record in self.records)


class FilteredTail:
    """One reader, with the interface of `indexer.tail.tail.Tail`."""

    def __init__(
        self,
        subscription: TailSubscription,
        choice: TailFilter,
        threads: Executor,
        databases: Databases,
        bounds: TailLimits = TAIL_LIMITS,
    ) -> None:
        self.subscription = subscription
        self._filter = choice
        self._threads = threads
        self._databases = databases
        self._bounds = bounds
        self._waiting: deque[IndexedRows] = deque()
        self._bytes = 0
        self._available = asyncio.Event()
        self.dropped = 0
        self._untold = 0  # of these, what the reader does not know of

    def offer(self, indexed: IndexedRows) -> None:
        """Offer rows that were indexed; never waits."""
        self._waiting.append(indexed)
        self._bytes += indexed.size_bytes
        while self._bytes > self._bounds.filtered_bytes_max and len(self._waiting) > 1:
            oldest = self._waiting.popleft()
            self._bytes -= oldest.size_bytes
            rows = sum(block.rows for block in oldest.blocks)
            self.dropped += rows
            self._untold += rows
        self._available.set()

    @property
    def pause_s(self) -> float:
        """As `indexer.tail.tail.Tail.pause_s`."""
        return self._bounds.filtered_pause_s

    async def wait(self) -> None:
        """Wait until there are rows to filter."""
        await self._available.wait()

    async def take(self) -> bytes:
        """The lines of the matching events since the last take; often empty."""
        await self._available.wait()
        self._available.clear()
        indexed = list(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        untold, self._untold = self._untold, 0
        loop = asyncio.get_running_loop()
        lines = await loop.run_in_executor(
            self._threads,
            filtered_lines,
            self.subscription,
            self._filter,
            indexed,
            self._databases,
            self._bounds,
        )
        return skipped_heading(untold) + lines if untold and self.subscription.batches else lines


def filtered_lines(
    subscription: TailSubscription,
    choice: TailFilter,
    indexed: Sequence[IndexedRows],
    databases: Databases,
    bounds: TailLimits = TAIL_LIMITS,
) -> bytes:
    """The lines of the matching events in the order of the log, the newest if they are too many.

    Raises BellwetherError.
    """
    blocks: dict[int, list[ColumnBlock]] = {}
    records: dict[tuple[int, int], TailRecord] = {}
    for one in indexed:
        blocks.setdefault(one.partition, []).extend(one.blocks)
        records.update({(one.partition, record.offset): record for record in one.records})
    views = [
        DatasetView(partition, "", _TIME_END, 0, (), tuple(some), epoch_number=0)
        for partition, some in blocks.items()
    ]
    plan = _plan(subscription, choice, bounds)
    table = Computation(plan, views, databases).run().states["main"]
    found = sorted(rows_of(table), key=lambda row: row.position[1:])
    lines: list[bytes] = []
    split: dict[tuple[int, int], list[bytes]] = {}  # (partition, offset) -> lines of the record
    last = b""
    if subscription.batches and len(found) >= bounds.events_max:
        lines.append(skipped_heading(0))
    for row in found:
        key = (row.position.partition, row.position.offset)
        record = records[key]
        heading = batch_heading(row.position.partition, record.batch)
        if subscription.batches and heading != last:
            lines.append(heading)
            last = heading
        if choice.fields is not None:
            values = (row.position.time_ns, row.rate, row.data)
            lines.append(b'{"time":%d,"samplerate":%d,"data":%b}\n' % values)
            continue
        if key not in split:
            split[key] = record.lines.splitlines()
        event = tail_line(split[key][row.position.index_in_record])
        if event is not None:
            lines.append(event[1])
    return b"".join(lines)


def _plan(subscription: TailSubscription, choice: TailFilter, bounds: TailLimits) -> Plan:
    """The query that finds the newest matching events."""
    after_ns = subscription.after_ns
    return Plan(
        dataset=subscription.dataset,
        start_ns=_TIME_MIN if after_ns is None else min(after_ns + 1, _TIME_END),
        end_ns=_TIME_END,
        needs=(),
        filters=choice.filters,
        any_filter=choice.any_filter,
        calculated=choice.calculated,
        rows=RowsWanted(
            limit=bounds.events_max,
            bytes_max=bounds.bytes_max,
            fields=choice.fields if choice.fields is not None else (),
        ),
    )
