"""One connection in front of aiohttp: strict heads, one request at a time, time-outs, its end.

aiohttp gets a request only when the one before it is answered, so what waits is bounded, and what
comes behind an upgrade is a request like any other. Every refusal is the API's own JSON and closes
the connection; none quotes what came.

A client that ends its sending side after a whole request (`nc -N`, some proxies) gets its answer
where `Rules.patient` says so. Elsewhere that is a hang-up, which must end a query. TLS has no
half-closed state.
"""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from aiohttp import web
from aiohttp.http import SERVER_SOFTWARE

from common import limits, metrics
from common.process.http.body_frame import BodyFrame, Chunked, FixedLength
from common.process.http.request_head import Refusal, RequestHead, read_request_head
from common.process.http.room import Standing

KEEP_ALIVE_S: Final = 75.0  # longer than most clients' and balancers' own: they close first
_HEAD_END = b"\r\n\r\n"
BARE_LF = re.compile(rb"(?<!\r)\n")
_NO_REQUEST = re.compile(rb"[^!#$%&'*+.^_`|~0-9A-Za-z\r-]")  # as a request's first byte
_WAITING_BYTES_MAX = 65_536  # of requests behind the one that is being answered
_LINGER_S = 2.0  # a refused client may still send; it has so long to read its answer
_REASONS: Final = {
    400: "Bad Request",
    415: "Unsupported Media Type",
    417: "Expectation Failed",
    501: "Not Implemented",
    505: "HTTP Version Not Supported",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """patient: beginnings of paths whose answer is wanted though nothing more will come.
    keyless: paths that anybody may ask: their answers say nothing good about the client.
    """

    patient: tuple[bytes, ...] = ()
    keyless: frozenset[bytes] = frozenset((b"/healthz", b"/readyz", b"/metrics", b"/x/alive"))


class Inner(Protocol):
    """aiohttp's end of a connection: a protocol of asyncio that can be told one thing more."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def data_received(self, data: bytes) -> None: ...
    def eof_received(self) -> object: ...

    def break_body(self) -> None:
        """The body of the request that is being answered cannot be read."""


class Gate(asyncio.Protocol):
    """since_s: when it began to wait for what it waits for."""

    def __init__(
        self,
        inner: Callable[[Callable[[web.StreamResponse], None]], Inner],
        rules: Rules,
        now_s: Callable[[], float],
        lost: Callable[[], object] = lambda: None,
    ) -> None:
        self._make_inner = inner
        self._inner: Inner | None = None  # made for the first whole request
        self._rules = rules
        self._now_s = now_s
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()
        self._searched = 0  # bytes of `_unread` that hold no end of a head
        self._head: RequestHead | None = None  # of the request that is being answered
        self._body: BodyFrame | None = None  # of that request, while it is not whole
        self._is_answered = False
        self._refused = False
        self._ended = False  # the client sends nothing more
        self._paused = False
        self._writable = True
        self._blocked_s = 0.0  # since when the client takes no more of an answer
        self._head_s = 0.0  # when the head of the current request was whole
        self._is_closed = False
        self._known = False  # has had an answer that only known clients get
        self._heads = 0
        self.since_s = now_s()

    # --- what the listener asks ------------------------------------------------------------------

    def standing(self) -> Standing | None:
        """What closing it would cost; None while a request is being answered."""
        if self._head is not None and not self._is_answered:
            return None
        if self._known:
            return Standing.KNOWN
        return Standing.HEARD if self._heads else Standing.SILENT

    def overdue(self, now_s: float) -> bool:
        """Whether it has waited for too long."""
        waited_s = now_s - self.since_s
        if self._refused:
            return waited_s > _LINGER_S
        if not self._writable and now_s - self._blocked_s > limits.ANSWER_STALL_S:
            return True
        if self._head is not None:  # routes may have a shorter time-out of their own
            body_s = now_s - self._head_s - _LINGER_S
            return self._body is not None and body_s > limits.BODY_READ_TIMEOUT_S
        if self._unread or not self._heads:
            return waited_s > limits.HEAD_READ_TIMEOUT_S
        return waited_s > KEEP_ALIVE_S

    def close(self) -> None:
        """Close it, whatever it is doing. What its client does not read is dropped."""
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
        if self._is_closed:  # to make room, before it was told that it is open
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._unread.clear()
        self._lost()
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._writable = False
        self._blocked_s = self._now_s()
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._writable = True
        if self._inner is not None:
            self._inner.resume_writing()
        self._advance()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._body is not None:
            data = self._take(data)
        if data:
            if self._head is None and not self._unread:
                self.since_s = self._now_s()
            self._unread += data
        if self._head is None:
            self._advance()
        elif len(self._unread) > _WAITING_BYTES_MAX:
            self._pause()

    def eof_received(self) -> bool | None:
        """True keeps the connection open for the answer."""
        if self._inner is not None:
            self._inner.eof_received()
        transport = self._transport
        if transport is None or transport.get_extra_info("sslcontext") or self._head is None:
            return None
        if self._body is not None or not self._is_patient(self._head):
            return None
        self._ended = True
        return True

    def _is_patient(self, head: RequestHead) -> bool:
        return head.path.startswith(self._rules.patient)

    def ended(self) -> None:
        """The client's end had come before the connection was given to this gate."""
        if self.eof_received() is None and not self._refused:
            self.close()

    # --- requests --------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Pass on the next request if its head is there."""
        if self._head is not None or self._refused or not self._writable:
            return
        if self._transport is None or self._transport.is_closing():
            return
        while self._unread.startswith(b"\r\n"):  # some clients end bodies with one
            del self._unread[:2]
            self._searched = 0
        try:
            head = self._next_head()
        except Refusal as refusal:
            self._refuse(refusal)
            return
        if head is None:
            return
        self._heads += 1
        self._head = head
        self._head_s = self._now_s()
        self._is_answered = False
        frame: BodyFrame = Chunked() if head.chunked else FixedLength(head.length)
        self._body = None if frame.done else frame
        if self._inner is None:
            self._inner = self._make_inner(self._answered)
            self._inner.connection_made(self._transport)
        self._inner.data_received(head.text)
        if self._body is not None and self._unread:
            rest = bytes(self._unread)
            self._unread.clear()
            self._unread += self._take(rest)
        if self._ended and (self._body is not None or not self._is_patient(head)):
            self.close()  # it hung up on this one
        if len(self._unread) <= _WAITING_BYTES_MAX:
            self._resume()

    def _next_head(self) -> RequestHead | None:
        unread = self._unread
        if not unread:
            return None
        if _NO_REQUEST.match(unread):
            raise Refusal(400, "this is not an HTTP request")
        begin = max(0, self._searched - len(_HEAD_END))
        end = unread.find(_HEAD_END, begin)
        if BARE_LF.search(unread, begin, end if end >= 0 else len(unread)):
            raise Refusal(400, "lines of the request's head do not end with CR LF")
        if (end if end >= 0 else len(unread)) > limits.HEAD_BYTES_MAX:
            raise Refusal(400, "the request's head is too long")
        if end < 0:
            self._searched = len(unread)
            return None
        raw = bytes(unread[:end])
        del unread[: end + len(_HEAD_END)]
        self._searched = 0
        return read_request_head(raw)

    def _take(self, data: bytes) -> bytes:
        """Pass on what belongs to the body; returns the rest."""
        assert self._body is not None
        assert self._inner is not None
        try:
            piece, rest = self._body.take(data)
        except Refusal:
            self._break_body()
            return b""
        if piece:
            self._inner.data_received(piece)
        if self._body.done:
            self._body = None
            if self._is_answered:
                asyncio.get_running_loop().call_soon(self._next)
        return rest

    def _break_body(self) -> None:
        """Let the handler meet a body that cannot be read; nothing after it is a request."""
        assert self._inner is not None
        self._body = None
        self._refused = True
        self.since_s = self._now_s() + limits.BODY_READ_TIMEOUT_S  # the handler answers first
        self._inner.break_body()

    def _answered(self, response: web.StreamResponse) -> None:
        """aiohttp has written an answer."""
        if self._head is None:
            return
        self._is_answered = True
        self.since_s = self._now_s()
        self._known |= response.status < 400 and self._head.path not in self._rules.keyless
        if self._body is None:
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        if self._head is None or not self._is_answered or self._body is not None:
            return
        self._head = None
        self._advance()
        if self._head is None and self._ended:
            self.close()
        elif len(self._unread) <= _WAITING_BYTES_MAX:
            self._resume()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer a request that is not passed on, and end."""
        assert self._transport is not None
        self._refused = True
        self.since_s = self._now_s()
        self._unread.clear()
        metrics.requests_total.labels("unreadable", str(refusal.status)).inc()
        self._transport.write(refusal_answer(refusal.status, str(refusal)))
        self._resume()
        if self._ended or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._transport.write_eof()

    def _pause(self) -> None:
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()


def refusal_answer(status: int, text: str, **headers: Any) -> bytes:
    """The API's JSON error as the last answer of a connection."""
    body = json.dumps({"error": text}).encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Service Unavailable')}\r\n"
        f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        f"Server: {SERVER_SOFTWARE}\r\nConnection: close\r\n"
    )
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"{head}{more}\r\n".encode() + body
