"""Fair slots for asyncio: wait for a slot of a `FairQueue`, hold it, and release it (I14)."""

import asyncio
from types import TracebackType
from typing import Self

from common.errors import BellwetherError, TooManyRequests, Unavailable
from common.process.fair.queue import FairLimits, FairQueue, NoRoom, Ticket

_NO_TIME_OUT_S = 86_400.0


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

    def hold(self, env: str, key: str) -> "SlotRequest":
        """Requests a slot: one that is free, or a position in the waiting room, taken at once.

        For use in `async with`: the block begins when the slot is there. Other callers have to call
        `leave` at the end. Raises TooManyRequests when the caller's own share of slots
        and waiting room is used up, or Unavailable when others use everything.
        """
        try:
            entered = self._queue.enter(env, key)
        except NoRoom as error:
            raise self._refusal(own=error.own) from error
        if entered.pushed_out is not None:
            pushed_out = self._waiting.pop(entered.pushed_out)
            if not pushed_out.done():  # else it was cancelled a moment ago
                pushed_out.set_exception(self._refusal(own=True))
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if entered.ticket.running:
            waiter.set_result(None)
        else:
            self._waiting[entered.ticket] = waiter
        return SlotRequest(self, entered.ticket, waiter)

    def leave(self, ticket: Ticket) -> None:
        """Release the ticket's slot or its position in the queue."""
        self._waiting.pop(ticket, None)
        for started in self._queue.leave(ticket):
            waiter = self._waiting.pop(started)
            if not waiter.done():  # else it was cancelled, and is about to leave
                waiter.set_result(None)

    def _refusal(self, *, own: bool) -> BellwetherError:
        if own:
            text = f"too many {self._what} of this environment or key at once; try again later"
            return TooManyRequests(text, self._retry_after_s)
        return Unavailable(f"too many {self._what} at once; try again later", self._retry_after_s)


class SlotRequest:
    """A slot, or a position in the waiting room until there is one."""

    def __init__(self, slots: FairSlots, ticket: Ticket, waiter: "asyncio.Future[None]") -> None:
        self._slots = slots
        self._ticket = ticket
        self._waiter = waiter

    async def wait(self, timeout_s: float = _NO_TIME_OUT_S) -> bool:
        """Wait for the slot; False after `timeout_s`. Raises TooManyRequests when evicted."""
        if not self._waiter.done():
            await asyncio.wait({self._waiter}, timeout=timeout_s)
        if not self._waiter.done():
            return False
        self._waiter.result()
        return True

    def leave(self) -> None:
        """Release the slot, or stop waiting. Idempotent."""
        self._slots.leave(self._ticket)
        if not self._waiter.done():
            self._waiter.cancel()
        elif not self._waiter.cancelled():
            self._waiter.exception()  # retrieved, as nothing may wait for it

    async def __aenter__(self) -> Self:
        try:
            while not await self.wait():
                pass
        except BaseException:
            self.leave()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()
