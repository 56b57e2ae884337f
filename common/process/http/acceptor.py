"""Accepts connections: within the limits, a few at a time, and without spinning at the limit.

asyncio's own server accepts hundreds before one can be refused, and stops for a second when
descriptors run out. Here each connection is checked before it costs more than its descriptor.
Handshakes of TLS count from their first byte, have a time-out, and are closed like connections
that never sent a request.
"""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from typing import Any, Final, cast

from aiohttp import web

from common import limits, metrics
from common.logs import log_event
from common.process.http.connection import Connection
from common.process.http.connection_limits import ConnectionLimits, EvictionRank, address_group
from common.process.http.refusal import refusal_response
from common.process.http.service import Service
from common.tasks import run_every

_BACKLOG: Final = 1_024
# Then the loop does its other work. The limits may be exceeded by as many.
_ACCEPTS_AT_ONCE: Final = 16
_NO_DESCRIPTORS: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
# Without descriptors nothing is accepted for this time; the kernel queues connections meanwhile.
_PAUSE_S: Final = 0.1
_DRAIN_POLL_S: Final = 0.02  # between checks whether the last responses are sent
_LOG_EVERY_S: Final = 10.0  # at most one line about the same error
_RETRY_AFTER_S: Final = 1
_logger = logging.getLogger(__name__)


class Acceptor:
    """The listening sockets of one listener and its connections."""

    def __init__(
        self,
        name: str,
        sockets: tuple[socket.socket, ...],
        connection_limits: ConnectionLimits,
        service: Service,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._name = name
        self.sockets = sockets
        self._limits = connection_limits
        self._service = service
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._opening: set[_Opening] = set()
        self._logged_s: dict[str, float] = {}
        self._closing_overdue: asyncio.Task[None] | None = None
        self._is_closed = False

    def start(self) -> None:
        """Listen."""
        for listening in self.sockets:
            listening.listen(_BACKLOG)
            self._loop.add_reader(listening, self._accept, listening)
        closing = run_every(self._service.timing.sweep_s, self._close_overdue)
        self._closing_overdue = self._loop.create_task(closing)

    def close(self) -> None:
        """Stop accepting. Connections stay open, except those that have sent no request."""
        if self._is_closed:
            return
        self._is_closed = True
        for listening in self.sockets:
            self._loop.remove_reader(listening)
            listening.close()
        if self._closing_overdue is not None:
            self._closing_overdue.cancel()
        for opening in list(self._opening):
            opening.close()
        # A request that has just come is begun before.
        self._loop.call_soon(self._limits.close_without_request)

    async def drain(self, timeout_s: float) -> None:
        """Close idle connections, wait for requests that are being answered, then close the rest.

        Call it when no new connection comes any more.
        """
        await asyncio.sleep(0)  # a request that has just come is begun before
        self._service.draining = True
        until_s = self._loop.time() + timeout_s
        while self._limits.is_busy() and self._loop.time() < until_s:
            self._limits.close_idle()
            await asyncio.sleep(_DRAIN_POLL_S)
        self._limits.close_all()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPTS_AT_ONCE):
            try:
                connection, address = listening.accept()
            except OSError as error:
                if error.errno in _NO_DESCRIPTORS:
                    self._pause(listening, error)
                return  # also: no connection waits, or it is gone again
            try:
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._admit(connection, address_group(str(address[0])))
            except OSError:
                connection.close()

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        """Pause accepting until descriptors are free; idle connections are closed."""
        metrics.connections_refused_total.labels(self._name, "descriptors").inc()
        self._limits.count_refusal("descriptors")
        self._limits.close_unknown(_ACCEPTS_AT_ONCE)
        why = errno.errorcode.get(error.errno or 0, "unknown")
        self._log_trouble("no descriptor is left for a connection", why)
        self._loop.remove_reader(listening)
        self._loop.call_later(_PAUSE_S, self._accept_again, listening)

    def _accept_again(self, listening: socket.socket) -> None:
        if not self._is_closed:
            self._loop.add_reader(listening, self._accept, listening)

    def _admit(self, connection: socket.socket, address: str) -> None:
        if why := self._limits.refusal_reason(address):
            metrics.connections_refused_total.labels(self._name, why).inc()
            self._log_trouble("a connection was refused: too many are open", why)
            if self._tls is None:
                with contextlib.suppress(OSError):
                    text = "too many connections are open; try again in a moment"
                    connection.send(refusal_response(503, text, _RETRY_AFTER_S))
            connection.close()
            return
        opening = _Opening(self._loop.time())
        self._limits.add(opening, address)
        self._update_metrics()
        self._opening.add(opening)
        opening.task = self._loop.create_task(self._open(opening, connection))
        opening.task.add_done_callback(lambda _: self._opening.discard(opening))

    async def _open(self, opening: "_Opening", connection: socket.socket) -> None:
        made: list[Connection] = []

        def make() -> Connection:
            protocol = Connection(self._service, lambda: self._remove(protocol))
            made.append(protocol)
            self._limits.replace(opening, protocol)
            return protocol

        options: dict[str, Any] = {}
        if self._tls is not None:
            options = {
                "ssl": self._tls,
                "ssl_handshake_timeout": limits.TLS_HANDSHAKE_TIMEOUT_S,
                "ssl_shutdown_timeout": limits.TLS_SHUTDOWN_TIMEOUT_S,
            }
        try:
            await self._loop.connect_accepted_socket(make, connection, **options)
        except (OSError, TimeoutError):  # ssl.SSLError is an OSError: the client's fault
            connection.close()
            self._remove(*made)
        except asyncio.CancelledError:
            connection.close()
            self._remove(*made)
            raise
        finally:
            self._limits.remove(opening)

    def _remove(self, *connections: Connection) -> None:
        for connection in connections:
            self._limits.remove(connection)
        self._update_metrics()

    def _close_overdue(self) -> None:
        self._limits.close_overdue()
        self._update_metrics()

    def _update_metrics(self) -> None:
        metrics.connections_open.labels(self._name).set(len(self._limits))

    def _log_trouble(self, message: str, why: str) -> None:
        now_s = self._loop.time()
        if now_s - self._logged_s.get(why, -_LOG_EVERY_S) < _LOG_EVERY_S:
            return
        self._logged_s[why] = now_s
        open_now, most = len(self._limits), self._limits.capacity.all
        log_event(
            _logger, logging.ERROR, message, listener=self._name, why=why, open=open_now, max=most
        )


class _Opening:
    """A connection that has no protocol yet: during a handshake of TLS."""

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self.task: asyncio.Task[None] | None = None

    def eviction_rank(self) -> EvictionRank | None:
        """As `LimitedConnection.eviction_rank`."""
        return EvictionRank.NO_REQUEST

    def is_overdue(self, now_s: float) -> bool:
        """The handshake has a time-out of its own."""
        return False

    def close(self) -> None:
        """As `LimitedConnection.close`."""
        if self.task is not None:
            self.task.cancel()


async def bind(host: str, port: int, *, reuse_port: bool = False) -> tuple[socket.socket, ...]:
    """Sockets bound to every address of the host. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            listening = socket.socket(family, kind, protocol)
            sockets.append(listening)
            listening.setblocking(False)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if reuse_port:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind(address)
    except OSError:
        for listening in sockets:
            listening.close()
        raise
    return tuple(sockets)


class AcceptingSite(web.BaseSite):
    """Lets aiohttp's runner close the acceptor, and show its addresses."""

    __slots__ = ("acceptor",)

    def __init__(self, runner: web.AppRunner, acceptor: Acceptor) -> None:
        super().__init__(runner)
        self.acceptor = acceptor

    @property
    def name(self) -> str:
        """The first address."""
        host, port = self.acceptor.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Listen."""
        await super().start()
        self.acceptor.start()
        self._server = cast(asyncio.AbstractServer, self.acceptor)  # as much of one as is used
