"""Fair slots for asyncio: wait for a slot of a `FairQueue`, hold it, and give it back (I14)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common.errors import BellwetherError, TooManyRequests, Unavailable
from common.fair_queue import FairLimits, FairQueue, NoRoom, Ticket


class FairSlots:
    """Use it from one event loop. what: plural noun for the errors, as in `queries`."""

    def __init__(self, limits: FairLimits, what: str, *, retry_after_s: int = 1) -> None:
        self._queue = FairQueue(limits)
        self._what = what
        self._retry_after_s = retry_after_s
        self._waiting: dict[Ticket, asyncio.Future[None]] = {}

    @property
    def running(self) -> int:
        """Slots in use."""
        return self._queue.running

    @property
    def waiting(self) -> int:
        """Callers that wait for a slot."""
        return self._queue.waiting

    def used(self, env: str, key: str | None = None) -> tuple[int, int]:
        """(running, waiting) of an environment, or of one key of it."""
        return self._queue.used(env, key)

    @asynccontextmanager
    async def hold(self, env: str, key: str) -> AsyncIterator[None]:
        """A slot for as long as the block runs; a caller that is cancelled stops waiting.

        Raises TooManyRequests when the caller's own share of slots and waiting room is used up,
        or is given to others who have less; Unavailable when everything is used by others.
        """
        try:
            entered = self._queue.enter(env, key)
        except NoRoom as error:
            raise self.refusal(own=error.own) from error
        if entered.pushed_out is not None:
            pushed_out = self._waiting.pop(entered.pushed_out)
            if not pushed_out.done():  # else it was cancelled a moment ago
                pushed_out.set_exception(self.refusal(own=True))
        ticket = entered.ticket
        try:
            if not ticket.running:
                self._waiting[ticket] = asyncio.get_running_loop().create_future()
                await self._waiting[ticket]
            yield
        finally:
            self._waiting.pop(ticket, None)
            for started in self._queue.leave(ticket):
                waiter = self._waiting.pop(started)
                if not waiter.done():  # else it was cancelled, and is about to leave
                    waiter.set_result(None)

    def refusal(self, *, own: bool) -> BellwetherError:
        """What a caller is told that gets neither a slot nor room to wait."""
        if own:
            text = f"too many {self._what} of this environment or key at once; try again later"
            return TooManyRequests(text, self._retry_after_s)
        return Unavailable(f"too many {self._what} at once; try again later", self._retry_after_s)
