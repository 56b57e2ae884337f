"""Reads request bodies for routes, within a size limit and a deadline."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

from common import limits
from common.errors import BadRequest, BellwetherError


class Intake(Protocol):
    """Counts a body as it arrives, and refuses a body that is too large.

    bytes_max: the most bytes of it that may arrive.
    """

    bytes_max: int

    def add(self, size: int) -> None:
        """Count `size` bytes that arrived. Raises BellwetherError if they exceed a limit."""


ReadBody = Callable[[Intake], Awaitable[bytes]]
"""Reads a body as it was sent. Raises BodyTooSlow, and what the intake raises."""


class BodyTooSlow(BadRequest):
    """The body arrives below the minimum rate."""

    def __init__(self) -> None:
        super().__init__("Request body did not arrive in time.")


def body_deadline_s(begin_s: float, arrived: int) -> float:
    """The deadline of a body of which `arrived` bytes have come; more bytes extend it.

    It is the grace time plus the time for these bytes at the minimum rate, at most the time-out: an
    idle connection is closed long before the time-out that a slow but live client needs.
    """
    earned_s = limits.BODY_RATE_GRACE_S + arrived / limits.BODY_BYTES_PER_S_MIN
    return begin_s + min(earned_s, limits.BODY_READ_TIMEOUT_S)


async def read_from_aiohttp(request: web.Request, intake: Intake) -> bytes:
    """The body of a request that aiohttp has read, as `ReadBody`."""
    if request.content.is_eof():  # small ones come with their head: no timer, no task switch
        body = request.content.read_nowait()
        intake.add(len(body))
        return body
    pieces = []
    size = 0
    loop = asyncio.get_running_loop()
    begin_s = loop.time()
    try:
        async with asyncio.timeout_at(body_deadline_s(begin_s, 0)) as timer:
            async for piece in request.content.iter_any():
                intake.add(len(piece))
                size += len(piece)
                pieces.append(piece)
                timer.reschedule(body_deadline_s(begin_s, size))
    except TimeoutError as error:
        raise BodyTooSlow from error
    return b"".join(pieces)


class WholeBody:
    """A body that arrived with its head, as small ones do: it needs no timer and no wait."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, intake: Intake) -> bytes:
        """As `ReadBody`."""
        intake.add(len(self._body))
        return self._body


class ArrivingBody:
    """A body of which a part is still to come.

    is_read: whether a route reads it; before that, the client need not send more of it.
    """

    def __init__(self, begin: bytes, length: int, resume: Callable[[], None]) -> None:
        self._pieces = [begin]
        self._arrived = len(begin)
        self._length = length
        self._resume = resume
        self._done = asyncio.Event()  # it is complete or refused
        self._intake: Intake | None = None
        self._refused: BellwetherError | None = None

    @property
    def is_read(self) -> bool:
        """Whether a route reads it."""
        return self._intake is not None

    def add(self, piece: bytes) -> None:
        """Add the next piece."""
        self._arrived += len(piece)
        if self._refused is None:
            self._pieces.append(piece)
            self._count(len(piece))
        if self._arrived == self._length:
            self._done.set()

    def _count(self, size: int) -> None:
        """Count bytes with the intake. Bytes before the route's `read` are counted in `read`."""
        if self._intake is None:
            return
        try:
            self._intake.add(size)
        except BellwetherError as error:
            self._refuse(error)
            self._done.set()

    def _refuse(self, error: BellwetherError) -> None:
        self._refused = error
        self._pieces.clear()

    async def read(self, intake: Intake) -> bytes:
        """As `ReadBody`."""
        self._intake = intake
        self._count(self._arrived)
        self._resume()
        begin_s = now_s = asyncio.get_running_loop().time()
        while not self._done.is_set():
            until_s = body_deadline_s(begin_s, self._arrived)
            if until_s <= now_s:
                self._refuse(BodyTooSlow())
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until_s):
                    await self._done.wait()
            now_s = asyncio.get_running_loop().time()
        if self._refused is not None:
            raise self._refused
        return b"".join(self._pieces)
