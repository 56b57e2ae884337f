"""Bellwether's own wide events, for its own `bellwether` dataset (bounded, never recursive).

Roles put events into a TelemetryQueue. A shepherd writes its own to the log directly, without a
request; every other role runs a TelemetrySender, which posts them to a shepherd's internal
address. Events that do not fit or cannot be sent are dropped and counted: telemetry never waits.
"""

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Protocol

import orjson

from common import limits, metrics
from common.clock import Clock
from common.errors import Unavailable
from common.locks import Locks
from common.logs import log_event
from common.process.members import list_members
from common.process.trace_context import current_trace_id
from common.tasks import run_every

if TYPE_CHECKING:
    from aiohttp import ClientSession

Value = str | int | float | bool | None
_SEND_INTERVAL_S = 1.0
_SEND_TIMEOUT_S = 5.0
_logger = logging.getLogger(__name__)


class Telemetry(Protocol):
    """Takes the events of a role about itself."""

    def emit(self, name: str, **fields: str | int | float | bool | None) -> None:
        """Queue one event; never waits, never raises. A full queue drops and counts the event."""


class NoTelemetry:
    """Telemetry that is turned off."""

    def emit(self, name: str, **fields: str | int | float | bool | None) -> None:
        return None


class TelemetryQueue:
    """Events that wait to be stored; each has `name` and the fields given for the process."""

    def __init__(self, clock: Clock, **fields: Value) -> None:
        self._clock = clock
        self._fields = fields
        self._events: deque[dict[str, object]] = deque()

    def emit(self, name: str, **fields: Value) -> None:
        if len(self._events) >= limits.TELEMETRY_QUEUE_EVENTS_MAX:
            metrics.telemetry_dropped_total.inc()
            return
        data = {"name": name, **self._fields, **fields}
        trace_id = current_trace_id()
        if trace_id:
            data["trace.trace_id"] = trace_id
        self._events.append({"time": self._clock.now_ns(), "data": data})

    def take(self) -> bytes:
        """A batch body of the waiting events, as `/1/batch` and `/internal/telemetry` read it, or
        b"".
        """
        count = min(len(self._events), limits.TELEMETRY_BATCH_EVENTS_MAX)
        if not count:
            return b""
        return orjson.dumps([self._events.popleft() for _ in range(count)])


class TelemetrySender:
    """Posts a queue's events to a shepherd, once a second. For roles that are not shepherds."""

    def __init__(self, queue: TelemetryQueue, locks: Locks, internal_token: str) -> None:
        self._queue = queue
        self._locks = locks
        self._token = internal_token

    async def run(self) -> None:
        """Send until cancelled."""
        from aiohttp import ClientSession, ClientTimeout  # not for a supervisor, which sends none

        timeout = ClientTimeout(total=_SEND_TIMEOUT_S)
        async with ClientSession(timeout=timeout, headers=self._headers()) as http:
            await run_every(_SEND_INTERVAL_S, lambda: self._send_some(http))

    async def send_waiting(self) -> bool:
        """Send what waits, once: for a command that ends. Returns whether it was taken."""
        from aiohttp import ClientSession, ClientTimeout

        async with ClientSession(
            timeout=ClientTimeout(total=_SEND_TIMEOUT_S), headers=self._headers()
        ) as http:
            body = self._queue.take()
            return not body or await self._send(http, body)

    def _headers(self) -> dict[str, str]:
        from common.process.web import INTERNAL_TOKEN_HEADER

        return {INTERNAL_TOKEN_HEADER: self._token, "Content-Type": "application/json"}

    async def _send_some(self, http: "ClientSession") -> None:
        body = self._queue.take()
        if body and not await self._send(http, body):
            metrics.telemetry_dropped_total.inc()

    async def _send(self, http: "ClientSession", body: bytes) -> bool:
        from aiohttp import ClientError

        try:
            members = await asyncio.to_thread(list_members, self._locks, "shepherd")
            for member in members:
                async with http.post(f"{member.url}/internal/telemetry", data=body) as reply:
                    return reply.status == 200
        except (ClientError, TimeoutError, Unavailable) as error:
            log_event(_logger, logging.DEBUG, "telemetry was not sent", why=type(error).__name__)
        return False
