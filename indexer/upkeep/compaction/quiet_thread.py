"""One thread of low priority in which outputs are made, and how much processor time it may use."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from common.process.machine.niceness import be_nice

T = TypeVar("T")
_NICE = 10  # indexing and queries (`SHARE_NICENESS`) come first


class QuietThread:
    """Runs one piece of work at a time; between two it pauses, so that on average it uses at most
    its share of one processor. Used from one event loop.

    share: of one processor, above 0, at most 1.
    used_s: processor time used so far, in seconds.
    """

    def __init__(self, share: float) -> None:
        self._pause_for = 1 / share - 1
        self._thread = ThreadPoolExecutor(
            1, thread_name_prefix="compaction", initializer=partial(be_nice, _NICE)
        )
        self.used_s = 0.0

    async def run(self, work: Callable[[], T]) -> T:
        """Run the work, then pause."""
        before_s = self.used_s
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, self._measured, work
            )
        finally:
            await asyncio.sleep((self.used_s - before_s) * self._pause_for)

    def _measured(self, work: Callable[[], T]) -> T:
        begun_ns = time.thread_time_ns()  # of this thread's work, not of the world
        try:
            return work()
        finally:
            self.used_s += (time.thread_time_ns() - begun_ns) / 1e9

    def close(self) -> None:
        """Start nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
