"""Readers that wait for new records: one timer per process polls the known ends.

An append of the same process wakes its readers at once; appends of other processes are noticed at
the next tick. The timer runs only while a reader waits.
"""

import asyncio

from common.log.embedded.known_ends import KnownEnds

_BUSY_TICK_S = 0.010  # while records arrive
_QUIET_TICK_S = 0.025  # each tick is one cached read of a few bytes, so idle processes cost little
_QUIET_AFTER_TICKS = 50


class ReadWaiters:
    """Used from one event loop."""

    def __init__(self, ends: KnownEnds) -> None:
        self._ends = ends
        self._waiters: dict[asyncio.Future[None], tuple[int, int]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._seen = b""
        self._unchanged = 0
        self._closed = False

    async def wait(self, partition: int, offset: int, seconds: float) -> None:
        """Wait until the partition is known to hold `offset`, but no longer than `seconds`."""
        # The end may have grown since the caller's check.
        if self._closed or self._ends.get(partition) > offset:
            return
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters[waiter] = (partition, offset)
        if self._timer is None:
            self._timer = loop.call_later(_BUSY_TICK_S, self._tick)
        limit = loop.call_later(seconds, _wake, waiter)
        try:
            await waiter
        finally:
            limit.cancel()
            self._waiters.pop(waiter, None)

    def wake(self, partition: int, end: int) -> None:
        """Wake the readers of this partition that wait for an offset before `end`."""
        for waiter, (which, offset) in self._waiters.items():
            if which == partition and offset < end:
                _wake(waiter)

    def close(self) -> None:
        """Wake every reader and stop; from now on `wait` returns at once."""
        self._closed = True
        for waiter in self._waiters:
            _wake(waiter)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        if not self._waiters:
            return
        ends = self._ends.raw()
        if ends == self._seen:
            self._unchanged += 1
        else:
            before, self._seen = self._seen, ends
            woken = False
            for waiter, (partition, offset) in self._waiters.items():
                slot = KnownEnds.slot(partition)
                if ends[slot] != before[slot] and offset < self._ends.get(partition):
                    _wake(waiter)
                    woken = True
            # appends of this process, such as heartbeats, have woken their readers before
            self._unchanged = 0 if woken else self._unchanged + 1
        quiet = self._unchanged > _QUIET_AFTER_TICKS
        delay_s = _QUIET_TICK_S if quiet else _BUSY_TICK_S
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
