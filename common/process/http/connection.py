"""One connection: finds requests, and dispatches each to the fast path or to aiohttp.

Heads are parsed strictly, requests are served one at a time, in order, and unread bytes are
bounded. A head that the fast path does not parse goes to aiohttp, and so does every later request
of the connection: two parsers never alternate on one stream. aiohttp gets a request only after the
response to the previous one, so a request after an upgrade needs no special case. Every refusal is
the API's own JSON and closes the connection; none quotes the request.

A client that ends its sending side after a whole request (`nc -N`, some proxies) gets its response
where `Paths.half_closed` names the path. Elsewhere that is a hang-up, which must end a query. TLS
has no half-closed state. A client that hangs up cancels its request: its events may be stored or
not.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from common import limits, metrics
from common.process.http.body_frame import BodyFrame, Chunked, FixedLength
from common.process.http.body_reader import ArrivingBody, ReadBody, WholeBody
from common.process.http.connection_limits import EvictionRank
from common.process.http.fast_path import FastPath
from common.process.http.refusal import Refusal, refusal_response
from common.process.http.request_head import RequestHead, read_request_head
from common.process.http.service import AiohttpEnd, Service, now_s

_HEAD_END = b"\r\n\r\n"
_LINE_END = b"\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")
_NO_REQUEST = re.compile(rb"[^!#$%&'*+.^_`|~0-9A-Za-z\r-]")  # as a request's first byte
_WAITING_BYTES_MAX = 65_536  # of requests after the one that is being answered


class Connection(asyncio.Protocol):
    """A connection of a client. since_s: loop time at which its current wait began."""

    def __init__(self, service: Service, lost: Callable[[], object] = lambda: None) -> None:
        self._service = service
        self._fast_path = service.fast_path  # None once it has not parsed a head
        self._aiohttp: AiohttpEnd | None = None  # from its first request on
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._unread = b""  # after the current request
        self._searched = 0  # bytes of `_unread` that hold no end of a head
        # The current request: from its head on until it is answered and its body has come.
        self._is_open = False
        self._is_answered = False
        self._is_keyless = False
        self._may_half_close = False
        self._head_s = 0.0  # when its head was whole
        self._body: BodyFrame | None = None  # while it is not whole
        self._take_piece: Callable[[bytes], object] = _discard  # of that body
        self._arriving: ArrivingBody | None = None  # that body, on the fast path
        self._task: asyncio.Task[None] | None = None  # answers it, on the fast path
        # The connection.
        self._head_received = False
        self._is_known = False  # has had a response that only known clients get
        self._is_refused = False
        self._is_closed = False
        self._client_ended = False  # the client sends nothing more
        self._reading_paused = False
        self._writable = True
        self._blocked_s = 0.0  # since when the client has read no more of a response
        self.since_s = now_s()

    # --- for the listener ------------------------------------------------------------------------

    def eviction_rank(self) -> EvictionRank | None:
        """The rank for closing the connection; None while a request is being served."""
        if self._is_open and not self._is_answered:
            return None
        if self._is_known:
            return EvictionRank.KNOWN_CLIENT
        return EvictionRank.HEAD_RECEIVED if self._head_received else EvictionRank.NO_REQUEST

    def is_overdue(self, now_s: float) -> bool:
        """Whether the current wait is longer than its time-out."""
        timing = self._service.timing
        waited_s = now_s - self.since_s
        if self._is_refused:
            return waited_s > timing.refused_s
        if not self._writable and now_s - self._blocked_s > timing.stall_s:
            return True
        if self._is_answered:
            return waited_s > timing.skip_s
        if self._is_open:  # bodies of the fast path have a time-out of their own, and are answered
            late_s = now_s - self._head_s - timing.refused_s
            return self._body is not None and self._task is None and late_s > timing.body_s
        if self._unread or not self._head_received:
            return waited_s > timing.head_s
        return waited_s > timing.keep_alive_s

    def close(self) -> None:
        """Close the connection in any state. Bytes that its client has not read are dropped."""
        self._is_closed = True
        if self._transport is None:
            return
        if self._writable:
            self._transport.close()
        else:
            self._transport.abort()

    # --- of asyncio ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._is_closed:  # for a new one, before this one was open
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._unread = b""
        self._lost()
        if self._aiohttp is not None:
            self._aiohttp.connection_lost(exc)
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable = False
        self._blocked_s = now_s()
        if self._aiohttp is not None:
            self._aiohttp.pause_writing()

    def resume_writing(self) -> None:
        self._writable = True
        if self._aiohttp is not None:
            self._aiohttp.resume_writing()
        self._advance()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        if self._body is not None:
            data = self._take_body(self._body, data)
            if not data:
                return
        begins = not self._unread
        self._unread = data if begins else self._unread + data
        if self._is_open:
            if len(self._unread) > _WAITING_BYTES_MAX:
                self._pause_reading()
            return
        self._advance()
        if begins and self._head_received and self._unread and not self._is_open:
            self.since_s = now_s()  # the next head has begun

    def eof_received(self) -> bool | None:
        """True keeps the connection open for the response."""
        if self._aiohttp is not None:
            self._aiohttp.eof_received()
        transport = self._transport
        if transport is None or transport.get_extra_info("sslcontext") or not self._is_open:
            return None
        if self._body is not None or not self._may_half_close:
            return None
        self._client_ended = True
        return True

    # --- requests --------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Begin the next request if its head is there."""
        if self._is_open or self._is_refused or not self._unread or not self._writable:
            return
        if self._transport is None or self._transport.is_closing():
            return
        if self._fast_path is not None:
            if self._advance_fast(self._fast_path):
                return
            self._fast_path = None
            self._resume_reading()
        try:
            head = self._next_head()
        except Refusal as refusal:
            self._refuse(refusal)
        else:
            if head is not None:
                self._delegate(head)

    def _advance_fast(self, fast_path: FastPath[Any, Any]) -> bool:
        """Begin the next request, or wait for more of its head; False: delegate it to aiohttp."""
        unread = self._unread
        end = unread.find(_HEAD_END, 0, fast_path.head_bytes_max)
        if end < 0:
            prefix = fast_path.prefix
            may_be_fast = prefix.startswith(unread[: len(prefix)]) and not _BARE_LF.search(unread)
            return may_be_fast and len(unread) < fast_path.head_bytes_max
        head = fast_path.read_head(unread[: end + len(_LINE_END)])
        if head is None:
            return False
        begin = end + len(_HEAD_END)
        body = unread[begin : begin + head.length]
        self._unread = unread[begin + head.length :]
        self._head_received = self._is_open = self._may_half_close = True
        if len(body) == head.length:
            read = WholeBody(body).read
        else:
            if self._client_ended:
                self.close()  # the rest of the body will never come
                return True
            self._arriving = ArrivingBody(body, head.length, self._resume_reading)
            self._body = FixedLength(head.length - len(body))
            self._take_piece = self._arriving.add
            read = self._arriving.read
        answering = self._answer(fast_path, head, read)
        self._task = asyncio.get_running_loop().create_task(answering)
        return True

    async def _answer(self, fast_path: FastPath[Any, Any], head: Any, read: ReadBody) -> None:
        """Answer a request on the fast path."""
        response = await fast_path.answer(head, read)
        self._task = self._arriving = None
        self._take_piece = _discard
        self._is_answered = True
        self.since_s = now_s()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._is_known = self._is_known or response.status < 400
        last = (self._client_ended and not self._unread) or self._service.is_stopping
        transport.write(fast_path.encode(response, last=last))
        if last:
            transport.close()
        elif self._body is None:
            self._end_request()
        else:
            self._resume_reading()

    def _next_head(self) -> RequestHead | None:
        """The next request's head, None while it is not whole. Raises Refusal."""
        begin = 0
        while self._unread.startswith(_LINE_END, begin):  # some clients end bodies with one
            begin += len(_LINE_END)
        if begin:
            self._unread = self._unread[begin:]
            self._searched = 0
        unread = self._unread
        if not unread:
            return None
        if _NO_REQUEST.match(unread):
            raise Refusal(400, "this is not an HTTP request")
        begin = max(0, self._searched - len(_HEAD_END))
        end = unread.find(_HEAD_END, begin)
        if _BARE_LF.search(unread, begin, end if end >= 0 else len(unread)):
            raise Refusal(400, "lines of the request's head do not end with CR LF")
        if (end if end >= 0 else len(unread)) > limits.HEAD_BYTES_MAX:
            raise Refusal(400, "the request's head is too long")
        if end < 0:
            self._searched = len(unread)
            return None
        self._unread = unread[end + len(_HEAD_END) :]
        self._searched = 0
        return read_request_head(unread[:end], self._service.paths.own_encodings)

    def _delegate(self, head: RequestHead) -> None:
        """Begin a request that aiohttp answers."""
        assert self._transport is not None
        paths = self._service.paths
        self._head_received = self._is_open = True
        self._is_answered = False
        self._is_keyless = head.path in paths.keyless
        self._may_half_close = head.path.startswith(paths.half_closed)
        self._head_s = now_s()
        frame: BodyFrame = Chunked() if head.chunked else FixedLength(head.length)
        self._body = None if frame.done else frame
        if self._aiohttp is None:
            self._aiohttp = self._service.make_aiohttp_end(self._answered_by_aiohttp)
            self._aiohttp.connection_made(self._transport)
        self._take_piece = self._aiohttp.data_received
        self._aiohttp.data_received(head.text)
        if self._body is not None and self._unread:
            unread, self._unread = self._unread, b""
            self._unread = self._take_body(self._body, unread)
        if self._client_ended and (self._body is not None or not self._may_half_close):
            self.close()  # aiohttp closed its end
        if len(self._unread) <= _WAITING_BYTES_MAX:
            self._resume_reading()

    def _answered_by_aiohttp(self, response: web.StreamResponse) -> None:
        if not self._is_open:
            return
        self._is_answered = True
        self.since_s = now_s()
        self._is_known |= response.status < 400 and not self._is_keyless
        if self._body is None:
            asyncio.get_running_loop().call_soon(self._end_request)

    def _take_body(self, body: BodyFrame, data: bytes) -> bytes:
        """Pass on what belongs to the body; returns the rest."""
        try:
            piece, rest = body.take(data)
        except Refusal:
            self._break_body()
            return b""
        if piece:
            self._take_piece(piece)
        if body.done:
            self._body = None
            if self._is_answered:
                asyncio.get_running_loop().call_soon(self._end_request)
        elif self._arriving is not None and not self._arriving.is_read:
            self._pause_reading()  # the route may refuse the request without reading it
        return rest

    def _break_body(self) -> None:
        """Report an unreadable body to the handler. Bytes after it are not parsed as a request."""
        assert self._aiohttp is not None  # the fast path reads no chunks
        self._body = None
        self._is_refused = True
        self.since_s = now_s() + self._service.timing.body_s  # the handler answers first
        self._aiohttp.break_body()

    def _end_request(self) -> None:
        """Go on with the next request when the current one is answered and its body has come."""
        if not self._is_open or not self._is_answered or self._body is not None:
            return
        self._is_open = self._is_answered = False
        self._advance()
        if self._client_ended and not self._is_open and self._transport is not None:
            self._transport.close()  # what came before its end is no whole request
        elif len(self._unread) <= _WAITING_BYTES_MAX:
            self._resume_reading()

    def _refuse(self, refusal: Refusal) -> None:
        """Send the refusal, and close the connection."""
        assert self._transport is not None
        self._is_refused = True
        self.since_s = now_s()
        self._unread = b""
        metrics.requests_total.labels("unreadable", str(refusal.status)).inc()
        self._transport.write(refusal_response(refusal.status, str(refusal)))
        self._resume_reading()
        if self._client_ended or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._transport.write_eof()

    def _pause_reading(self) -> None:
        transport = self._transport
        if not self._reading_paused and transport is not None and not transport.is_closing():
            self._reading_paused = True
            transport.pause_reading()

    def _resume_reading(self) -> None:
        transport = self._transport
        if self._reading_paused and transport is not None and not transport.is_closing():
            self._reading_paused = False
            transport.resume_reading()


def _discard(_: bytes) -> None:
    """Drop the rest of a body whose request is served already."""
