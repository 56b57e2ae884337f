"""Bellwether's own wide events, for its own `bellwether` dataset (bounded, never recursive).

Roles put events into a TelemetryQueue. A shepherd writes its own to the log directly, without a
request; every other role runs a TelemetrySender, which posts them to a shepherd's internal
address. Events that do not fit or cannot be sent are dropped and counted: telemetry never waits.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

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
    from collections.abc import Mapping

    from aiohttp import ClientSession

    from common.metadata import Environment, Team

Value = str | int | float | bool | None
_SEND_INTERVAL_S = 1.0
_SEND_TIMEOUT_S = 5.0
_logger = logging.getLogger(__name__)


class Owner(NamedTuple):
    """Whose dataset `bellwether` has an event: ids, names and slugs of team and environment."""

    team: str
    team_name: str
    team_slug: str
    environment: str
    environment_name: str
    environment_slug: str

    @classmethod
    def of(cls, team: "Team", environment: "Environment") -> Self:
        """The owner of an environment's events."""
        return cls(
            team.id, team.name, team.slug, environment.id, environment.name, environment.slug
        )

    @classmethod
    def read(cls, given: "Mapping[str, str]") -> Self:
        """As `_asdict` has it in the query string. Raises KeyError."""
        return cls(*(given[name] for name in cls._fields))


class Telemetry(Protocol):
    """Takes the events of a role about itself."""

    def emit(self, name: str, **fields: str | int | float | bool | None) -> None:
        """Queue one event; never waits, never raises. A full queue drops and counts the event."""

    def emit_for(self, owner: Owner, name: str, **fields: str | int | float | bool | None) -> None:
        """The same for an event that only the owner may read, such as what was asked."""


class NoTelemetry:
    """Telemetry that is turned off."""

    def emit(self, name: str, **fields: str | int | float | bool | None) -> None:
        return None

    def emit_for(self, owner: Owner, name: str, **fields: str | int | float | bool | None) -> None:
        return None


class TelemetryQueue:
    """Events that wait to be stored; each has `name` and the fields given for the process."""

    def __init__(self, clock: Clock, **fields: Value) -> None:
        self._clock = clock
        self._fields = fields
        self._events: deque[dict[str, object]] = deque()
        self._owned: OrderedDict[Owner, deque[dict[str, object]]] = OrderedDict()
        self._waiting = 0

    def emit(self, name: str, **fields: Value) -> None:
        self._put(self._events, name, fields)

    def emit_for(self, owner: Owner, name: str, **fields: Value) -> None:
        self._put(self._owned.setdefault(owner, deque()), name, fields)

    def _put(self, events: deque[dict[str, object]], name: str, fields: dict[str, Value]) -> None:
        if self._waiting >= limits.TELEMETRY_QUEUE_EVENTS_MAX:
            metrics.telemetry_dropped_total.inc()
            return
        data = {"name": name, **self._fields, **fields}
        trace_id = current_trace_id()
        if trace_id:
            data["trace.trace_id"] = trace_id
        events.append({"time": self._clock.now_ns(), "data": data})
        self._waiting += 1

    def take(self) -> bytes:
        """A batch body of the waiting events, as `/1/batch` and `/internal/telemetry` read it, or
        b"".
        """
        return self._batch(self._events)

    def take_owned(self) -> tuple[Owner, bytes] | None:
        """The same of the owner that waits longest; None if nothing waits."""
        while self._owned:
            owner, events = self._owned.popitem(last=False)
            if body := self._batch(events):
                if events:
                    self._owned[owner] = events  # the others first
                return owner, body
        return None

    def _batch(self, events: deque[dict[str, object]]) -> bytes:
        """The first events, as many as one body may have."""
        parts, size = list[bytes](), 0
        while events and len(parts) < limits.TELEMETRY_BATCH_EVENTS_MAX:
            try:
                event = orjson.dumps(events[0])
            except TypeError:  # a text that is not UTF-8: it must not stop all others
                events.popleft()
                self._waiting -= 1
                metrics.telemetry_dropped_total.inc()
                continue
            size += len(event) + 1
            if parts and size >= limits.TELEMETRY_BODY_BYTES_MAX:
                break
            parts.append(event)
            events.popleft()
        self._waiting -= len(parts)
        return b"[" + b",".join(parts) + b"]" if parts else b""


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
        for _ in range(limits.TELEMETRY_OWNERS_MAX):
            owned = self._queue.take_owned()
            if owned is None:
                break
            if not await self._send(http, owned[1], owned[0]):
                metrics.telemetry_dropped_total.inc()

    async def _send(self, http: "ClientSession", body: bytes, owner: Owner | None = None) -> bool:
        from aiohttp import ClientError

        try:
            members = await asyncio.to_thread(list_members, self._locks, "shepherd")
            for member in members:
                # a path of its own: a shepherd that does not know owners must not take it
                path = "/internal/telemetry" if owner is None else "/internal/telemetry/owned"
                async with http.post(
                    member.url + path,
                    data=body,
                    params=None if owner is None else owner._asdict(),
                ) as reply:
                    return reply.status == 200
        except (ClientError, TimeoutError, Unavailable) as error:
            log_event(_logger, logging.DEBUG, "telemetry was not sent", why=type(error).__name__)
        return False
