"""Threads that decode large bodies, shared fairly between environments, then keys (I11, I14).

A free thread takes the next body of the environment that has the fewest in progress. Some threads
are kept for environments that have none: a newcomer starts at once, or waits for the end of one
body, however many others wait. Work whose caller is gone does not start, or ends at its next check.
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
from common.scan.work import Work

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
        """What `decode` returns, called in a thread when it is this environment's turn.

        size: bytes of the body; units_max: of its work. Raises TooManyRequests or Unavailable when
        too much waits already, or has waited too long. When the caller is cancelled, the work is
        stopped.
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
        """Release the threads; nothing may be in flight."""
        self._threads.shutdown(wait=False)

    async def _decode(self, decode: Callable[[Work], T], units_max: int) -> T:
        work = Work(units_max, give_way=lambda: time.sleep(_PAUSE_S))
        future = asyncio.get_running_loop().run_in_executor(self._threads, decode, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            work.stop()
            future.add_done_callback(_forget)
            await asyncio.wait({future})  # the thread is free at the work's next check, not before
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
