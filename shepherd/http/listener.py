"""The open connections of the public port: how requests are answered, time-outs, the end.

Nothing here waits for a single connection: one look a second closes those that are overdue, so
no request needs a timer of its own.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from prometheus_client import Counter

from common import limits, metrics
from common.clock import Clock
from common.errors import BellwetherError
from common.process.http.gate import KEEP_ALIVE_S, Gate
from shepherd.http.connection import Connection
from shepherd.http.cors import ORIGIN, Cors
from shepherd.http.request import IngestRequest, IngestResponse, error_answer
from shepherd.http.response_bytes import AnswerWriter

_SKIP_S = 10.0  # for the rest of a body that was refused before it had come
_LOOK_S = 0.02  # between two looks whether the last answers are sent
_COUNTERS_KEPT = 256  # routes times statuses
INTERNAL_ERROR: Final = "internal error; please report it"
_logger = logging.getLogger(__name__)


@functools.lru_cache(_COUNTERS_KEPT)
def request_counter(route: str, status: int) -> Counter:
    """The counter of a route's answers with this status."""
    return metrics.requests_total.labels(route, str(status))


class Listener:
    """Makes the connections of a port, and knows them. Use it from one event loop."""

    def __init__(
        self,
        take: Callable[[IngestRequest], Awaitable[IngestResponse]],
        aiohttp: Callable[[], Gate],
        clock: Clock,
        stop: asyncio.Event,
        cors: Cors,
    ) -> None:
        self._take = take
        self._cors = cors
        self._aiohttp = aiohttp
        self._stop = stop
        self._writer = AnswerWriter(clock)
        self._clock = clock
        self._connections: set[Connection] = set()
        self._ending = False

    def connect(self, lost: Callable[[], object] = lambda: None) -> asyncio.Protocol:
        """The protocol of a new connection. `lost` is called at its end."""
        connection = Connection(self, lost)
        self._connections.add(connection)
        return connection

    def sweep(self) -> int:
        """Close what has been waited for too long; returns how many. Called every second."""
        now_s = self.now_s()
        late = [one for one in self._connections if now_s - one.since_s > _patience_s(one)]
        for connection in late:
            connection.close()
        return len(late)

    async def end(self, timeout_s: float) -> None:
        """Close what is idle, wait for requests that are being answered, then close the rest.

        Call it when no new connection comes any more.
        """
        await asyncio.sleep(0)  # what has just come is begun before idle connections are closed
        self._ending = True
        until_s = self.now_s() + timeout_s
        while self._own(busy=True) and self.now_s() < until_s:
            for connection in self._own(busy=False):
                connection.close()
            await asyncio.sleep(_LOOK_S)
        for connection in self._own(busy=False) + self._own(busy=True):
            connection.close()

    def _own(self, *, busy: bool) -> list[Connection]:
        """Those that aiohttp does not have."""
        return [one for one in self._connections if not one.handed_over and one.busy == busy]

    # --- what connections need ----------------------------------------------------------------

    @property
    def stopping(self) -> bool:
        """As `Service.stopping`."""
        return self._ending or self._stop.is_set()

    def now_s(self) -> float:
        """As `Service.now_s`."""
        return self._clock.monotonic_ns() / 1e9

    def aiohttp(self) -> Gate:
        """As `Service.aiohttp`."""
        return self._aiohttp()

    async def answer(self, request: IngestRequest) -> IngestResponse:
        """As `Service.answer`. The role's outermost loop: every answer is counted."""
        try:
            answer = await self._take(request)
        except BellwetherError as error:
            answer = error_answer(error)
        except Exception:
            _logger.exception("a request failed")
            answer = error_answer(BellwetherError(INTERNAL_ERROR))
        request_counter(request.route.pattern, answer.status).inc()
        return self._cors.marked(answer, request.headers.get(ORIGIN)) if self._cors.on else answer

    def encode(self, answer: IngestResponse, *, last: bool) -> bytes:
        """As `Service.encode`."""
        return self._writer.encode(answer, last=last)

    def closed(self, connection: Connection) -> None:
        """As `Service.closed`."""
        self._connections.discard(connection)


def _patience_s(connection: Connection) -> float:
    """How long a connection may wait for what it waits for."""
    if connection.busy or connection.handed_over:
        return float("inf")  # bodies and appends have time-outs of their own, and so has aiohttp
    if connection.skipping:
        return _SKIP_S
    return KEEP_ALIVE_S if connection.spoke else limits.HEAD_READ_TIMEOUT_S
