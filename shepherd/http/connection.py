"""One public connection: requests for events are taken at once, anything else is aiohttp's.

A connection that sends one request that `shepherd.http.request_head` does not read belongs to
aiohttp from
then on, with every byte that is not yet answered: two readers never take turns on one stream.
Requests are answered in their order, one at a time; what comes meanwhile waits, within bounds.

A client that ends its sending side after a whole request (`nc -N`, some proxies) still gets its
answer. A client that hangs up lets go of what it asked for: its events may be stored or not.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol, cast

from common.errors import BellwetherError
from common.process.http.gate import BARE_LF, Gate
from common.process.http.room import Standing
from shepherd.http.body import BodyTooSlow, Intake, body_deadline_s
from shepherd.http.request import IngestRequest, IngestResponse
from shepherd.http.request_head import HEAD_BYTES_MAX, HOT_START, Head, read_head

_HEAD_END = b"\r\n\r\n"
_WAITING_BYTES_MAX = 65_536  # of requests behind the one that is being answered


class Service(Protocol):
    """What a connection needs of its listener."""

    @property
    def stopping(self) -> bool:
        """Whether every answer is the last of its connection."""

    def now_s(self) -> float:
        """The loop's time."""

    def aiohttp(self) -> Gate:
        """A new connection of the application."""

    async def answer(self, request: IngestRequest) -> IngestResponse:
        """The answer to a request; never raises but for a cancellation."""

    def encode(self, answer: IngestResponse, *, last: bool) -> bytes:
        """The answer as it is sent."""

    def closed(self, connection: "Connection") -> None:
        """The connection is no more."""


class Connection(asyncio.Protocol):
    """since_s: when it began to wait for what it waits for; spoke: a whole head has come."""

    def __init__(self, service: Service, lost: Callable[[], object] = lambda: None) -> None:
        self._service = service
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._aiohttp: Gate | None = None
        self._task: asyncio.Task[None] | None = None
        self._unread = b""  # behind the current request
        self._known = False  # has had an answer that only a known key gets
        self._body: _Body | None = None  # of the current request while it is not whole
        self._skip = 0  # bytes of an answered request that are still to come
        self._ended = False
        self._writable = True
        self._is_closed = False
        self._paused = False
        self._since_s = service.now_s()
        self.spoke = False

    @property
    def since_s(self) -> float:
        """When it began to wait for what it waits for."""
        return self._since_s if self._aiohttp is None else self._aiohttp.since_s

    def standing(self) -> Standing | None:
        """What closing it would cost; None while a request is being answered."""
        if self._aiohttp is not None:
            standing = self._aiohttp.standing()
            return standing if standing is None else max(standing, self._standing())
        return None if self.busy else self._standing()

    def _standing(self) -> Standing:
        if self._known:
            return Standing.KNOWN
        return Standing.HEARD if self.spoke else Standing.SILENT

    def overdue(self, now_s: float) -> bool:
        """Whether aiohttp's side waits for too long; the listener looks after this side."""
        return self._aiohttp is not None and self._aiohttp.overdue(now_s)

    @property
    def busy(self) -> bool:
        """Whether a request is being answered here."""
        return self._task is not None

    @property
    def handed_over(self) -> bool:
        """Whether aiohttp has it now, with time-outs of its own."""
        return self._aiohttp is not None

    @property
    def skipping(self) -> bool:
        """Whether it only waits for the end of a body that nobody reads."""
        return self._skip > 0

    def close(self) -> None:
        """Close it, whatever it is doing. What its client does not read is dropped."""
        self._is_closed = True
        if self._transport is None:
            return
        if self._writable:
            self._transport.close()
        else:
            self._transport.abort()

    # --- of asyncio ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._is_closed:  # to make room, before it was told that it is open
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._aiohttp is not None:
            self._aiohttp.data_received(data)
            return
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if self._body is not None:
            data = self._body.add(data)
            if self._body.missing and not self._body.wanted:
                self._pause()  # nobody may read it yet, or ever
        if data:
            self._unread = self._unread + data if self._unread else data
        if self._task is None:
            self._advance()
        elif len(self._unread) > _WAITING_BYTES_MAX:
            self._pause()

    def eof_received(self) -> bool | None:
        """True keeps the connection open for an answer. TLS has no half-closed state."""
        if self._aiohttp is not None:
            return self._aiohttp.eof_received()
        if not self.busy or (self._body is not None and self._body.missing):
            return None
        if self._transport is None or self._transport.get_extra_info("sslcontext"):
            return None
        self._ended = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.closed(self)
        self._lost()
        self._transport = None
        if self._aiohttp is not None:
            self._aiohttp.connection_lost(exc)
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable = False
        if self._aiohttp is not None:
            self._aiohttp.pause_writing()

    def resume_writing(self) -> None:
        self._writable = True
        if self._aiohttp is not None:
            self._aiohttp.resume_writing()
        elif self._task is None:
            self._advance()

    # --- requests -----------------------------------------------------------------------------

    def _advance(self) -> None:
        """Begin the next request if its head is there."""
        unread = self._unread
        if not unread or self._skip or not self._writable or self._transport is None:
            return
        if self._transport.is_closing():
            return
        end = unread.find(_HEAD_END, 0, HEAD_BYTES_MAX)
        if end < 0:
            start = unread[: len(HOT_START)]
            plain = HOT_START.startswith(start) and not BARE_LF.search(unread)
            if len(unread) >= HEAD_BYTES_MAX or not plain:
                self._hand_over()
            return
        head = read_head(unread[: end + 2])
        if head is None:
            self._hand_over()
            return
        self.spoke = True
        begin = end + len(_HEAD_END)
        stop = begin + head.length
        self._unread = unread[stop:]
        if self._ended and len(unread) < stop:
            self._transport.close()  # the rest of it will never come
            return
        self._begin(head, unread[begin:stop])

    def _begin(self, head: Head, body: bytes) -> None:
        if len(body) == head.length:
            read = _Whole(body).read
        else:
            self._body = _Body(body, head.length - len(body), self._resume)
            read = self._body.read
        request = IngestRequest(head.route, head.segment, head.headers, head.length, read)
        self._task = asyncio.get_running_loop().create_task(self._answer(request))

    async def _answer(self, request: IngestRequest) -> None:
        answer = await self._service.answer(request)
        body, self._body = self._body, None
        self._task = None
        self._since_s = self._service.now_s()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if body is not None:
            self._skip = body.missing
        self._known = self._known or answer.status < 400
        last = (self._ended and not self._unread) or self._service.stopping
        transport.write(self._service.encode(answer, last=last))
        if last:
            transport.close()
            return
        self._advance()
        if self._ended and not self.busy and self._aiohttp is None:
            transport.close()  # what came before its end is no whole request
        elif len(self._unread) <= _WAITING_BYTES_MAX:
            self._resume()

    def _hand_over(self) -> None:
        """Give the connection to aiohttp, and what came of it."""
        assert self._transport is not None
        self._aiohttp = self._service.aiohttp()
        self._aiohttp.connection_made(self._transport)
        if not self._writable:
            self._aiohttp.pause_writing()
        unread, self._unread = self._unread, b""
        self._resume()
        self._aiohttp.data_received(unread)
        if self._ended:
            self._aiohttp.ended()

    def _pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()


class _Whole:
    """A body that came with its head, as small ones do: no timer, no wait."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, intake: Intake) -> bytes:
        """As `IngestRequest.read`."""
        intake.add(len(self._body))
        return self._body


class _Body:
    """A body of which something is missing."""

    def __init__(self, begin: bytes, missing: int, resume: Callable[[], None]) -> None:
        self._pieces = [begin]
        self._arrived = len(begin)
        self._resume = resume
        self._done = asyncio.Event()  # it is whole, or there is no room for it
        self._intake: Intake | None = None
        self._refused: BellwetherError | None = None
        self.missing = missing

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for it: the rest may come."""
        return self._intake is not None

    def add(self, data: bytes) -> bytes:
        """Take what belongs to the body; returns the rest."""
        piece, rest = data[: self.missing], data[self.missing :]
        if not piece:
            return rest
        self.missing -= len(piece)
        self._arrived += len(piece)
        if self._refused is None:
            self._pieces.append(piece)
            self._count(len(piece))
        if not self.missing:
            self._done.set()
        return rest

    def _count(self, size: int) -> None:
        """What has come before anybody wants it is counted when somebody does."""
        if self._intake is None:
            return
        try:
            self._intake.add(size)
        except BellwetherError as error:
            self._refused = error
            self._pieces.clear()
            self._done.set()

    async def read(self, intake: Intake) -> bytes:
        """As `IngestRequest.read`."""
        self._intake = intake
        self._count(self._arrived)
        self._resume()
        begin_s = now_s = asyncio.get_running_loop().time()
        while not self._done.is_set():
            until_s = body_deadline_s(begin_s, self._arrived)
            if until_s <= now_s:
                self._refused = BodyTooSlow()
                self._pieces.clear()
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until_s):
                    await self._done.wait()
            now_s = asyncio.get_running_loop().time()
        if self._refused is not None:
            raise self._refused
        return b"".join(self._pieces)
