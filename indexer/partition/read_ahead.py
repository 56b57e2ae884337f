"""Prefetches the log: the next block is fetched while this one is indexed.

Only while catching up: another block is fetched only after a full one. At most one block waits, so
a partition holds at most two (I11).
"""

import asyncio

from common.log import Log
from common.model.record import LogRecord
from common.tasks import cancel_and_wait

_FULL = 0.5  # of the requested bytes: from this on the log probably has more


class ReadAhead:
    """Reads one partition in order. `close` it, or an unneeded read stays in flight."""

    def __init__(self, log: Log, partition: int, block_bytes: int, wait_ms: int) -> None:
        self._log = log
        self._partition = partition
        self._block_bytes = block_bytes
        self._wait_ms = wait_ms
        self._expected = -1
        self._under_way: asyncio.Task[list[LogRecord]] | None = None

    async def take(self, offset: int) -> list[LogRecord]:
        """The records from `offset` on, as `Log.read` returns them. Raises as `Log.read` does."""
        reading, self._under_way = self._under_way, None
        if reading is not None and self._expected != offset:
            await cancel_and_wait([reading])
            reading = None
        records = await (reading or self._read(offset))
        if sum(len(record.value) for record in records) >= self._block_bytes * _FULL:
            self._expected = records[-1].offset + 1
            self._under_way = asyncio.create_task(self._read(self._expected))
        return records

    @property
    def is_behind(self) -> bool:
        """Whether the log probably has more records than the last block."""
        return self._under_way is not None

    async def close(self) -> None:
        """Cancel the read that is in flight."""
        reading, self._under_way = self._under_way, None
        if reading is not None:
            await cancel_and_wait([reading])

    async def _read(self, offset: int) -> list[LogRecord]:
        return await self._log.read(self._partition, offset, self._block_bytes, self._wait_ms)
