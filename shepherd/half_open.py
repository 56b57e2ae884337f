"""A client of aiohttp's that ends its sending side after a request of events gets its answer.

aiohttp takes the end of a client's stream for a hang-up, closes the connection and cancels what
it was answering. `nc -N` and some proxies only say that nothing more will come. What goes to a
query role keeps the old rule: there a hang-up must end the query. TLS has no half-closed state.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from aiohttp import web

from common.web import Handler, Middleware

_PATIENT = ("/1/events/", "/1/batch/", "/1/auth")
_HEAD_GRACE_S = 1.0  # a request head that is whole has reached its handler long before


class Connections:
    """The open connections of one listener. `spoke` is told of each whole request head."""

    def __init__(self, spoke: Callable[[object], None] = lambda _: None) -> None:
        self._spoke = spoke
        self._by_protocol: dict[object, _Connection] = {}

    def wrap(self, protocol: asyncio.Protocol) -> asyncio.Protocol:
        """The protocol of a new connection, which passes everything on but the client's end."""
        connection = _Connection(protocol, lambda: self._by_protocol.pop(protocol, None))
        self._by_protocol[protocol] = connection
        return connection

    def middleware(self) -> Middleware:
        """Tells connections which request is being answered; the outermost one."""

        @web.middleware
        async def answer_half_open(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._spoke(request.protocol)
            connection = self._by_protocol.get(request.protocol)
            if connection is None:
                return await handler(request)
            connection.begin(request)
            try:
                response = await handler(request)
            finally:
                connection.end()
            if connection.ended:
                response.force_close()
            return response

        return answer_half_open


class ProtocolSite(web.TCPSite):
    """A listener whose connections are made by `connect`, not by aiohttp's server."""

    __slots__ = ("connect",)

    connect: Callable[[], asyncio.Protocol]

    async def start(self) -> None:
        """Listen."""
        await web.BaseSite.start(self)
        self._server = await asyncio.get_running_loop().create_server(
            self.connect,
            self._host,
            self._port,
            ssl=self._ssl_context,
            backlog=self._backlog,
            reuse_port=self._reuse_port,
        )


class _Connection(asyncio.Protocol):
    """ended: the client sends nothing more."""

    def __init__(self, inner: asyncio.Protocol, forget: Callable[[], object]) -> None:
        self._inner = inner
        self._forget = forget
        self._transport: asyncio.Transport | None = None
        self._request: web.Request | None = None
        self._unanswered = False
        self.ended = False

    def begin(self, request: web.Request) -> None:
        """A request has reached its handler."""
        self._request = request
        if self.ended and not _is_patient(request):
            self._close()

    def end(self) -> None:
        """Its handler is done."""
        self._request = None
        self._unanswered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def data_received(self, data: bytes) -> None:
        self._unanswered = True
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """True keeps the connection open for the answer."""
        self._inner.eof_received()
        encrypted = self._transport is None or self._transport.get_extra_info("sslcontext")
        if encrypted or not self._unanswered:
            return None
        if self._request is not None and not _is_patient(self._request):
            return None
        self.ended = True
        asyncio.get_running_loop().call_later(_HEAD_GRACE_S, self._close_if_idle)
        return True

    def _close_if_idle(self) -> None:
        if self._request is None:
            self._close()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _is_patient(request: web.Request) -> bool:
    """Whether the request is whole and its answer is wanted though nothing more will come."""
    return request.path.startswith(_PATIENT) and request.content.is_eof()
