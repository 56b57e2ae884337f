"""The shared state of a listener's connections: the handlers of requests, and time-outs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from aiohttp import web

from common import limits
from common.process.http.fast_path import FastPath

KEEP_ALIVE_S: Final = 75.0  # longer than most clients' and balancers' own: they close first


class AiohttpEnd(Protocol):
    """aiohttp's end of a connection: a protocol of asyncio, and one method more."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def data_received(self, data: bytes) -> None: ...
    def eof_received(self) -> object: ...

    def break_body(self) -> None:
        """Report that the current request's body cannot be read."""


MakeAiohttpEnd = Callable[[Callable[[web.StreamResponse], None]], AiohttpEnd]
"""Makes aiohttp's end of a connection, which calls the argument with each finished response."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths of a listener that are treated differently.

    half_closed: prefixes of paths that are answered though the client has ended its sending side.
    own_encodings: prefixes of paths whose routes decode and check content encodings themselves.
    keyless: paths that need no key: their responses do not show that a client is known.
    """

    half_closed: tuple[bytes, ...] = ()
    own_encodings: tuple[bytes, ...] = ()
    keyless: frozenset[bytes] = frozenset((b"/healthz", b"/readyz", b"/metrics", b"/x/alive"))


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a connection may wait, in seconds.

    head_s: for a whole head, from the connection's begin or the first byte of a later head.
    body_s: for a body that aiohttp reads; routes may have a shorter time-out of their own.
    skip_s: for the rest of a body that was answered before it had come.
    stall_s: for a client that takes no more of a response.
    keep_alive_s: for the next request.
    refused_s: for a refused client that still sends, so that it can read its answer.
    sweep_s: between two looks for connections that are overdue.
    """

    head_s: float = limits.HEAD_READ_TIMEOUT_S
    body_s: float = limits.BODY_READ_TIMEOUT_S
    skip_s: float = 10.0
    stall_s: float = limits.ANSWER_STALL_S
    keep_alive_s: float = KEEP_ALIVE_S
    refused_s: float = 2.0
    sweep_s: float = 1.0


@dataclass(slots=True)
class Service:
    """The handlers of a listener's requests, and their time-outs.

    fast_path: serves the heads that it parses; None: aiohttp serves everything.
    stop: when it is set, every response is the last of its connection.
    draining: set when the listener drains, for the same.
    """

    make_aiohttp_end: MakeAiohttpEnd
    paths: Paths = field(default_factory=Paths)
    timing: Timing = field(default_factory=Timing)
    fast_path: FastPath[Any, Any] | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    draining: bool = False

    @property
    def is_stopping(self) -> bool:
        """Whether every response of the fast path is the last of its connection."""
        return self.draining or self.stop.is_set()


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()
