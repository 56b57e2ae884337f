"""Asks about many fields, some at a time, as long as there is time (I11).

How long fields take follows from their types, their values and the machine, so the first exchange
tells for the next. One that takes too long is asked again about fewer fields.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from common import limits
from common.errors import Unprocessable, without_frames

T = TypeVar("T")
_PART: float = 0.6  # of the time left, for one exchange: what follows a failure needs some, too


class Batches(Generic[T]):
    """One pass over fields. asked: those that were answered for. answers: of each exchange."""

    def __init__(self, fields: Sequence[str], at_once: int, left_s: Callable[[], float]) -> None:
        """at_once: fields of the first exchange. left_s: seconds that are left for this pass."""
        self._fields = fields
        self._at_once = at_once
        self._most = limits.DIFFERENCES_BATCH_MAX  # more were too many
        self._left_s = left_s
        self._field_s = 0.0
        self.asked = 0
        self.answers: list[T] = []

    async def run(self, ask: Callable[[Sequence[str]], Awaitable[T]]) -> None:
        """Ask until all fields or all time are used up.

        Raises what the first exchange does where nothing was answered, TimeoutError among it.
        """
        ended: Exception = TimeoutError()
        while self.asked < len(self._fields):
            some = self._next()
            if not some:
                break
            try:
                await self._ask(some, ask)
            except (TimeoutError, Unprocessable) as error:
                ended = without_frames(error)
                if len(some) <= limits.DIFFERENCES_BATCH_MIN:
                    break
                self._most = max(limits.DIFFERENCES_BATCH_MIN, len(some) // 8)
                self._at_once = self._most
        if not self.answers and self._fields:
            raise ended

    def _next(self) -> Sequence[str]:
        """The fields of the next exchange; none if there is no time for some."""
        left = self._left_s()
        if self._field_s:
            at_once = int(min(limits.DIFFERENCES_BATCH_S, left * _PART) / self._field_s)
            self._at_once = min(at_once, self._most)
            if self._at_once < limits.DIFFERENCES_BATCH_MIN:
                self._at_once = limits.DIFFERENCES_BATCH_MIN
                if self._at_once * self._field_s > left:
                    return ()
        return self._fields[self.asked : self.asked + self._at_once] if left > 0 else ()

    async def _ask(self, some: Sequence[str], ask: Callable[[Sequence[str]], Awaitable[T]]) -> None:
        loop = asyncio.get_running_loop()
        begun, left = loop.time(), self._left_s()
        least = len(some) <= limits.DIFFERENCES_BATCH_MIN
        async with asyncio.timeout(left if least else left * _PART):
            self.answers.append(await ask(some))
        self.asked += len(some)
        self._field_s = (loop.time() - begun) / len(some)
