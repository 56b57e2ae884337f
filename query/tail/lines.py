"""A queue of lines from several indexers to the client of a tail: bounded in lines and bytes."""

import asyncio
from collections import deque

from common import limits


class TailLines:
    """A queue. `put` waits while it is full, so that the indexers are read more slowly (I11)."""

    def __init__(self, bytes_max: int = limits.TAIL_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._ended = False
        self._changed = asyncio.Condition()

    async def put(self, line: bytes) -> None:
        """Add a line; waits for room. A line of any size fits into an empty queue."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._lines or self._has_room(line))
            self._lines.append(line)
            self._bytes += len(line)
            self._changed.notify_all()

    async def end(self) -> None:
        """End the queue: no more lines follow."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def take(self) -> bytes:
        """Take all queued lines, at least one; empty at the end."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._ended or self._lines)
            taken = b"".join(self._lines)
            self._lines.clear()
            self._bytes = 0
            self._changed.notify_all()
            return taken

    def _has_room(self, line: bytes) -> bool:
        return (
            len(self._lines) < limits.TAIL_EVENTS_MAX and self._bytes + len(line) <= self._bytes_max
        )
