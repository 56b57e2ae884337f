"""Threads that decode large bodies, shared fairly between environments, then keys (I11, I14).

A free thread takes the next body of the environment that has the fewest in progress. Some threads
are reserved for environments that have none: the first body of an environment starts at once, or
after the end of one other body, however many wait. Work of a cancelled caller does not start, or
ends at its next check.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from common import limits
from common.errors import TooManyRequests, Unavailable
from common.metadata import ApiKey
from common.process.fair.queue import FairLimits
from common.process.fair.slots import FairSlots
from common.scan.work_budget import Work

_PAUSE_S: Final = 0.000_1  # long enough for the event loop to take over from a scanner in Python
T = TypeVar("T")


class DecodePool:
    """Use it from one event loop."""

    def __init__(
        self, threads: int = limits.DECODE_THREADS, kept: int = limits.DECODE_THREADS_KEPT
    ) -> None:
        self._threads = ThreadPoolExecutor(threads + kept, thread_name_prefix="decode")
        self._slots = FairSlots(
            FairLimits(
                running_max=threads + kept,
                kept_free=kept,
                waiting_max=limits.DECODES_WAITING_MAX,
                waiting_env_max=limits.DECODES_WAITING_ENV_MAX,
            ),
            "large or compressed bodies",
        )
        self._waiting_bytes: dict[str, int] = {}  # by environment

    async def run(
        self,
        key: ApiKey,
        size: int,
        decode: Callable[[Work], T],
        units_max: int = limits.BODY_WORK_UNITS_MAX,
    ) -> T:
        """Call `decode` in a thread, in this environment's turn, and return its result.

        size: bytes of the body.
        units_max: work units that decoding may take.

        Raises TooManyRequests or Unavailable when the queue is full or the wait was too long. When
        the caller is cancelled, the work is stopped.
        """
        env = key.environment.id
        self._wait(env, size)
        is_waiting = True
        try:
            async with asyncio.timeout(limits.DECODE_WAIT_S) as wait_timeout:
                async with self._slots.hold(env, key.id):
                    wait_timeout.reschedule(None)
                    is_waiting = False
                    self._end_wait(env, size)
                    return await self._decode(decode, units_max)
        except TimeoutError as error:
            if not is_waiting:
                raise
            raise Unavailable("too many bodies are waiting to be read; try again") from error
        finally:
            if is_waiting:
                self._end_wait(env, size)

    def close(self) -> None:
        """Release the threads. Call it when no work is in flight."""
        self._threads.shutdown(wait=False)

    async def _decode(self, decode: Callable[[Work], T], units_max: int) -> T:
        work = Work(units_max, give_way=lambda: time.sleep(_PAUSE_S))
        future = asyncio.get_running_loop().run_in_executor(self._threads, decode, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            work.stop()
            future.add_done_callback(_forget)
            await asyncio.wait({future})  # stopped work frees its thread only at its next check
            raise

    def _wait(self, env: str, size: int) -> None:
        waiting = self._waiting_bytes.get(env, 0)
        if waiting and waiting + size > limits.DECODE_WAITING_ENV_BYTES_MAX:
            raise TooManyRequests(
                "too many large or compressed bodies of this environment at once; try again later"
            )
        self._waiting_bytes[env] = waiting + size

    def _end_wait(self, env: str, size: int) -> None:
        left = self._waiting_bytes.pop(env, 0) - size
        if left > 0:
            self._waiting_bytes[env] = left


def _forget(future: "asyncio.Future[T]") -> None:
    """Retrieve the outcome of stopped work, so that asyncio does not report it."""
    if not future.cancelled():
        future.exception()
