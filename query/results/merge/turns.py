"""Merging in threads, in fair turns; each keeps its slot until its step has ended (I11, I14)."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from common import limits
from common.process.fair.queue import FairLimits
from common.process.fair.requester import Requester
from common.process.fair.slots import FairSlots
from query.cancellation import Cancellation, cancellable
from query.plan.planner import QueryRequest

Result = TypeVar("Result")


class MergeTurns:
    """The threads that merge, and whose turn it is."""

    def __init__(self, waiting_max: int) -> None:
        """waiting_max: merges that may wait for their turn."""
        # Rows of answers are made by Python code: several threads are not faster than one.
        merging = FairLimits(limits.MERGES_MAX, waiting_max, 1, limits.KEY_KEPT_FREE)
        self._slots = FairSlots(merging, "queries")
        self._ending = set[asyncio.Task[None]]()  # of work that nobody waits for any more

    async def merge(self, query: QueryRequest | Requester, work: Callable[[], Result]) -> Result:
        """Merge in a thread, in turn. Cancelled, it keeps its slot until its step has ended."""
        place = self._slots.hold(query.env, query.key)
        cancelled = Cancellation()
        try:
            while not await place.wait():
                pass
            running = asyncio.create_task(asyncio.to_thread(_until, cancelled, work))
        except BaseException:
            place.leave()
            raise

        def ended(done: asyncio.Task[Result]) -> None:
            place.leave()
            if not done.cancelled():
                done.exception()  # retrieved: the query may have been cancelled meanwhile

        running.add_done_callback(ended)
        try:
            return await asyncio.shield(running)
        finally:
            if not running.done():
                self._ending.add(task := asyncio.create_task(_end(cancelled, running)))
                task.add_done_callback(self._ending.discard)


async def _end(cancelled: Cancellation, running: asyncio.Task[Any]) -> None:
    """Cancel until the work has ended: a statement may not have begun when it is interrupted."""
    while not running.done():
        cancelled.set()
        await asyncio.wait({running}, timeout=limits.HANG_UP_CHECK_S)


def _until(cancelled: Cancellation, work: Callable[[], Result]) -> Result:
    with cancellable(cancelled):
        return work()
