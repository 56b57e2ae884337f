"""Reads the bodies of requests for shares; the large ones, which bring keys, are few at once (I11).

They take fair turns (I14) by the environment and key in the request's address, as their plan is
known only when they are read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from common import limits
from common.errors import TooLarge
from common.process.fair.queue import FairLimits
from common.process.fair.slots import FairSlots, SlotRequest
from common.process.web import has_hung_up
from query.share.compute.errors import ShareCancelled


class ShareBodies:
    """waiting_max: large bodies that wait to be read."""

    def __init__(self, waiting_max: int) -> None:
        turns = FairLimits(limits.LARGE_BODIES_MAX, waiting_max, kept_free=1)
        self._slots = FairSlots(turns, "large requests on this indexer")

    @asynccontextmanager
    async def read(self, request: web.Request) -> AsyncIterator[bytes | bytearray]:
        """The body, which counts as held until the block ends.

        Raises TooLarge, ShareCancelled when the caller hangs up or waits too long, TooManyRequests,
        Unavailable.
        """
        size = request.content_length
        if size is None or size <= limits.LARGE_BODY_BYTES:
            yield await request.read()
            return
        if size > limits.SHARE_BODY_BYTES_MAX:
            raise TooLarge(f"a request for a share has at most {limits.SHARE_BODY_BYTES_MAX} bytes")
        place = self._slots.hold(request.query.get("env", ""), request.query.get("key", ""))
        try:
            deadline = asyncio.get_running_loop().time() + limits.LARGE_BODY_WAIT_S
            await until_started(place, deadline, lambda: has_hung_up(request))
            data, at = bytearray(size), 0
            async for chunk in request.content.iter_any():
                data[at : at + len(chunk)] = chunk
                at += len(chunk)
            yield data
        finally:
            place.leave()


async def until_started(place: SlotRequest, deadline: float, abandoned: Callable[[], bool]) -> None:
    """Wait for the slot. Raises ShareCancelled."""
    loop = asyncio.get_running_loop()
    while not await place.wait(limits.HANG_UP_CHECK_S):
        if loop.time() > deadline or abandoned():
            raise ShareCancelled
