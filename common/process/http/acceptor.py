"""Accepts connections: within the room, a few at a time, and never spinning when none can be.

asyncio's own accepts hundreds before anybody can say no, and stops for a second when
descriptors
run out. Here each is judged before it costs more than its descriptor. Handshakes of TLS count from
their first byte, have a time-out, and are closed like silent connections.
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
from common.process.http.refusal import refusal_response
from common.process.http.room import Room, Standing, address_group
from common.process.http.service import Service

_BACKLOG: Final = 1_024
_ACCEPTS_AT_ONCE: Final = 16  # then the loop's other work; it is also the overshoot of the room
_NO_DESCRIPTORS: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_PAUSE_S: Final = 0.1  # without descriptors nothing is accepted for so long; the kernel queues
_LOOK_S: Final = 0.02  # between two looks whether the last responses are sent
_SAID_S: Final = 10.0  # between two lines of the log about the same trouble
_RETRY_AFTER_S: Final = 1
_logger = logging.getLogger(__name__)


class Acceptor:
    """The listening sockets of one listener and its connections."""

    def __init__(
        self,
        name: str,
        sockets: tuple[socket.socket, ...],
        room: Room,
        service: Service,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._name = name
        self.sockets = sockets
        self.room = room
        self._service = service
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._opening: set[_Opening] = set()
        self._said_s: dict[str, float] = {}
        self._sweeping: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Listen."""
        for listening in self.sockets:
            listening.listen(_BACKLOG)
            self._loop.add_reader(listening, self._accept, listening)
        self._sweeping = self._loop.create_task(self._sweep())

    def close(self) -> None:
        """Accept no more. Connections stay, but not those that have asked nothing."""
        if self._closed:
            return
        self._closed = True
        for listening in self.sockets:
            self._loop.remove_reader(listening)
            listening.close()
        if self._sweeping is not None:
            self._sweeping.cancel()
        for opening in list(self._opening):
            opening.close()
        self._loop.call_soon(self.room.close_silent)  # what has just come is begun before

    async def drain(self, timeout_s: float) -> None:
        """Close idle connections, wait for requests that are being answered, then close the rest.

        Call it when no new connection comes any more.
        """
        await asyncio.sleep(0)  # what has just come is begun before idle connections are closed
        self._service.draining = True
        until_s = self._loop.time() + timeout_s
        while self.room.is_busy() and self._loop.time() < until_s:
            self.room.close_idle()
            await asyncio.sleep(_LOOK_S)
        self.room.close_all()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPTS_AT_ONCE):
            try:
                connection, address = listening.accept()
            except OSError as error:
                if error.errno in _NO_DESCRIPTORS:
                    self._pause(listening, error)
                return  # also: nothing waits, or it is gone again
            try:
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._take(connection, address_group(str(address[0])))
            except OSError:
                connection.close()

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        """Wait for descriptors; idle connections give back theirs."""
        metrics.connections_refused_total.labels(self._name, "descriptors").inc()
        self.room.refuse("descriptors")
        self.room.close_unknown(_ACCEPTS_AT_ONCE)
        why = errno.errorcode.get(error.errno or 0, "unknown")
        self._say("no descriptor is left for a connection", why)
        self._loop.remove_reader(listening)
        self._loop.call_later(_PAUSE_S, self._go_on, listening)

    def _go_on(self, listening: socket.socket) -> None:
        if not self._closed:
            self._loop.add_reader(listening, self._accept, listening)

    def _take(self, connection: socket.socket, address: str) -> None:
        if why := self.room.refuses(address):
            metrics.connections_refused_total.labels(self._name, why).inc()
            self._say("a connection was refused: too many are open", why)
            if self._tls is None:
                with contextlib.suppress(OSError):
                    text = "too many connections are open; try again in a moment"
                    connection.send(refusal_response(503, text, _RETRY_AFTER_S))
            connection.close()
            return
        opening = _Opening(self._loop.time())
        self.room.enter(opening, address)
        metrics.connections_open.labels(self._name).set(len(self.room))
        self._opening.add(opening)
        opening.task = self._loop.create_task(self._open(opening, connection))
        opening.task.add_done_callback(lambda _: self._opening.discard(opening))

    async def _open(self, opening: "_Opening", connection: socket.socket) -> None:
        made: list[Connection] = []

        def make() -> Connection:
            protocol = Connection(self._service, lambda: self._leave(protocol))
            made.append(protocol)
            self.room.replace(opening, protocol)
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
            self._leave(*made)
        except asyncio.CancelledError:
            connection.close()
            self._leave(*made)
            raise
        finally:
            self.room.leave(opening)

    def _leave(self, *connections: Connection) -> None:
        for connection in connections:
            self.room.leave(connection)
        metrics.connections_open.labels(self._name).set(len(self.room))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._service.timing.sweep_s)
            self.room.sweep()
            metrics.connections_open.labels(self._name).set(len(self.room))

    def _say(self, message: str, why: str) -> None:
        now_s = self._loop.time()
        if now_s - self._said_s.get(why, -_SAID_S) < _SAID_S:
            return
        self._said_s[why] = now_s
        open_now, most = len(self.room), self.room.capacity.all
        log_event(
            _logger, logging.ERROR, message, listener=self._name, why=why, open=open_now, max=most
        )


class _Opening:
    """A connection before its protocol: during a handshake of TLS."""

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self.task: asyncio.Task[None] | None = None

    def standing(self) -> Standing | None:
        """As `Guest.standing`."""
        return Standing.SILENT

    def overdue(self, now_s: float) -> bool:
        """The handshake has a time-out of its own."""
        return False

    def close(self) -> None:
        """As `Guest.close`."""
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
    """Lets aiohttp's runner close the acceptor, and tell its addresses."""

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
