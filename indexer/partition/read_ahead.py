"""Reading the log ahead of the shredder: the next block is on its way while this one is indexed.

Only while catching up: a block that came full is followed by another one. At most one block waits,
so a partition holds two of them at the most (I11).
"""

import asyncio

from common.log import Log
from common.model.record import LogRecord

_FULL = 0.5  # of the bytes asked for: there is more to come


class ReadAhead:
    """Reads one partition in order. `close` it, or a read goes on for nobody."""

    def __init__(self, log: Log, partition: int, block_bytes: int, wait_ms: int) -> None:
        self._log = log
        self._partition = partition
        self._block_bytes = block_bytes
        self._wait_ms = wait_ms
        self._expected = -1
        self._coming: asyncio.Task[list[LogRecord]] | None = None

    async def take(self, offset: int) -> list[LogRecord]:
        """The records from `offset` on, as `Log.read` gives them, and raises what it raises."""
        coming, self._coming = self._coming, None
        if coming is not None and self._expected != offset:
            await _drop(coming)
            coming = None
        records = await (coming or self._read(offset))
        if sum(len(record.value) for record in records) >= self._block_bytes * _FULL:
            self._expected = records[-1].offset + 1
            self._coming = asyncio.create_task(self._read(self._expected))
        return records

    @property
    def is_behind(self) -> bool:
        """Whether the log had more than the last block took."""
        return self._coming is not None

    async def close(self) -> None:
        """Give up what is on its way."""
        coming, self._coming = self._coming, None
        if coming is not None:
            await _drop(coming)

    async def _read(self, offset: int) -> list[LogRecord]:
        return await self._log.read(self._partition, offset, self._block_bytes, self._wait_ms)


async def _drop(coming: asyncio.Task[list[LogRecord]]) -> None:
    coming.cancel()
    await asyncio.gather(coming, return_exceptions=True)
