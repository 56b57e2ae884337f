"""Waiting for compiled code: after a start, large steps wait a bounded time until it loads (I11).

The reference takes ten to twenty times the CPU, and takes it from the thread that loads the
compiled code. So while code loads from its cache, a replay's next step and a large cut wait; their
rows are in memory or in the log either way. No step waits for code that must be compiled first, and
small steps and steps at the log's end never wait. All waits of a process have one deadline, which
bounds the delay if the code never loads.
"""

import asyncio
import logging

from common import limits
from common.clock import Clock
from common.logs import log_event
from common.metrics import kernel_waited_seconds_total

logger = logging.getLogger(__name__)


class KernelWait:
    """Whether compiled code will serve soon. At first none is expected."""

    def __init__(self, clock: Clock, wait_ms: int) -> None:
        self._clock = clock
        self._wait_ms = wait_ms
        self._deadline_ns = 0
        self._ended = asyncio.Event()
        self._ended.set()

    @property
    def is_expected(self) -> bool:
        """Whether large steps wait now."""
        return not self._ended.is_set()

    def expect(self) -> None:
        """Loading from the cache begins; `end` will follow."""
        self._deadline_ns = self._clock.monotonic_ns() + self._wait_ms * 10**6
        if self._wait_ms > 0:
            self._ended.clear()

    def end(self) -> None:
        """Loading from the cache has ended. No step waits from now on."""
        self._ended.set()

    async def wait(self, rows: int, size_bytes: int) -> None:
        """Wait until compiled code serves if the step is large, at most until the deadline."""
        is_large = rows >= limits.KERNEL_WAIT_ROWS_MIN or size_bytes >= limits.KERNEL_WAIT_BYTES_MIN
        if not is_large or not self.is_expected:
            return
        began_ns = self._clock.monotonic_ns()
        try:
            async with asyncio.timeout(max(0, self._deadline_ns - began_ns) / 1e9):
                await self._ended.wait()
        except TimeoutError:
            if self.is_expected:
                self.end()
                log_event(
                    logger,
                    logging.WARNING,
                    "compiled code has not come in time; the reference goes on, several times "
                    "slower (is this machine overloaded, or the disk of its cache slow?)",
                    waited_ms=self._wait_ms,
                )
        finally:
            kernel_waited_seconds_total.inc((self._clock.monotonic_ns() - began_ns) / 1e9)
