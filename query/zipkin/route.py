"""Zipkin's read API over all traces of an environment, whatever protocol they came by (ADR 0054).

Each request takes a turn like a query (I14), ends when its client closes the connection, and needs
a key that may query. The routes are there below `/zipkin` too, where Zipkin's page looks for them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import NotFound, Unprocessable
from common.metadata import ApiKey
from common.process.auth import KeyCache
from common.process.fair.queue import FairLimits
from common.process.fair.slots import FairSlots
from query.faults import SpecError
from query.http.access import authorize
from query.http.environment import NoDatasetYet
from query.http.requests import AFTER_HEADER, DatasetRequest, run_while_connected
from query.plan.parts.conditions import Filter
from query.plan.parts.spans import DEFAULT_NAMES, SpansPer
from query.results.notes.coverage import CoverageRequirement
from query.traces.exchange import SpanExchange
from query.traces.relations.search import TraceSearch, TracesWanted
from query.traces.wanted import SpansWanted, SpanTable
from query.zipkin import dependencies, spans
from query.zipkin.answer import ZipkinAnswer
from query.zipkin.conditions import REMOTE, of_service, read_conditions, read_service
from query.zipkin.request import (
    TimeRange,
    read_limit,
    read_time_range,
    read_trace_id,
    read_trace_ids,
)
from query.zipkin.windows import newest_windows

_PREFIXES: Final = ("", "/zipkin")
_AT_ONCE_MAX: Final = 4  # answers that are made at once: some 100 MB each at worst
_WAITING_MAX: Final = 64
_CONFIG: Final = {
    "environment": "",
    "queryLimit": 10,
    "defaultLookback": 900_000,  # ms
    "searchEnabled": True,
    "dependency": {"enabled": True},
}
Answer = Callable[["ZipkinRequest"], Awaitable[ZipkinAnswer]]


class ZipkinRequest:
    """An authorized request, and what its answer has to cover."""

    def __init__(self, request: web.Request, key: ApiKey, now_ns: int) -> None:
        self.given = request.query
        self.key = key
        self.now_ns = now_ns
        self.path = request.match_info
        after = request.headers.get(AFTER_HEADER)
        begun = DatasetRequest(key, "", dict(request.query), now_ns, after)
        self.required: CoverageRequirement = begun.coverage_required()


class ZipkinRoutes:
    """The handlers."""

    def __init__(
        self, keys: KeyCache, exchange: SpanExchange, search: TraceSearch, clock: Clock
    ) -> None:
        self._keys = keys
        self._exchange = exchange
        self._search = search
        self._clock = clock
        at_once = FairLimits(_AT_ONCE_MAX, _WAITING_MAX, 1, limits.KEY_KEPT_FREE)
        self._slots = FairSlots(at_once, "requests for traces")

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        routes: dict[str, Answer] = {
            "/api/v2/services": self._services,
            "/api/v2/spans": self._span_names,
            "/api/v2/remoteServices": self._remote_services,
            "/api/v2/traces": self._traces,
            "/api/v2/trace/{trace_id}": self._trace,
            "/api/v2/traceMany": self._trace_many,
            "/api/v2/dependencies": self._dependencies,
            "/api/v2/autocompleteKeys": _nothing,
            "/api/v2/autocompleteValues": _nothing,
        }
        for prefix in _PREFIXES:
            for path, answer in routes.items():
                app.router.add_get(prefix + path, self._handler(answer))
        app.router.add_get("/zipkin/config.json", self._handler(_config))
        app.router.add_get("/health", self._handler(_health))

    def _handler(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            key = await authorize(self._keys, request, "queries")
            begun = ZipkinRequest(request, key, self._clock.now_ns())
            return await run_while_connected(request, self._answer(begun, answer))

        return handle

    async def _answer(self, request: ZipkinRequest, answer: Answer) -> web.Response:
        async with self._slots.hold(request.key.environment.id, request.key.id):
            try:
                found = await answer(request)
            except NoDatasetYet:  # Grafana asks for the services of a server to see if it is one
                found = ZipkinAnswer([])
            return await asyncio.to_thread(found.response)

    async def _services(self, request: ZipkinRequest) -> ZipkinAnswer:
        table = await self._of_services((), (), request)
        return _names(table, table.rows.column("service").to_pylist())

    async def _span_names(self, request: ZipkinRequest) -> ZipkinAnswer:
        return await self._names_of_service(DEFAULT_NAMES.name[0], request)

    async def _remote_services(self, request: ZipkinRequest) -> ZipkinAnswer:
        return await self._names_of_service(REMOTE, request)

    async def _names_of_service(self, field: str, request: ZipkinRequest) -> ZipkinAnswer:
        """The values of a field that the spans of the named service have."""
        service = read_service(request.given)
        if not service:
            raise SpecError("serviceName", "missing", "name a service")
        table = await self._of_services(of_service(service), (field,), request)
        texts = (msgspec.json.decode(text) for text in table.field(field).to_pylist() if text)
        return _names(table, [text for text in texts if isinstance(text, str)])

    async def _of_services(
        self, filters: tuple[Filter, ...], fields: tuple[str, ...], request: ZipkinRequest
    ) -> SpanTable:
        range_ = read_time_range(request.given, request.now_ns)
        wanted = SpansWanted(
            start_ns=range_.start_ns,
            end_ns=range_.end_ns,
            filters=filters,
            fields=fields,
            per=SpansPer.SERVICE,
            limit=limits.ZIPKIN_NAMES_MAX,
        )
        return await self._exchange.gather(wanted, request.key, request.required)

    async def _traces(self, request: ZipkinRequest) -> ZipkinAnswer:
        conditions, limit = read_conditions(request.given), read_limit(request.given)
        range_ = read_time_range(request.given, request.now_ns)
        ids: dict[str, None] = {}  # the newest first
        complete = True
        notes: list[str] = []
        for start_ns, end_ns in newest_windows(range_):
            wanted = TracesWanted(conditions, start_ns, end_ns, limit=limit)
            try:
                found = await self._search.find(wanted, request.key, request.required)
            except Unprocessable:  # more spans than can be gathered
                if not ids:
                    raise
                notes.append("older traces were not looked for: there are too many spans")
                break
            complete = complete and bool(found.coverage["complete"])
            ids.update(dict.fromkeys(found.rows.column("trace_id").to_pylist()))
            if len(ids) >= limit:
                break
        if not ids:
            return ZipkinAnswer([], complete, notes)
        newest = tuple(ids)[:limit]
        made, table, more = await self._spans_of(newest, request)
        traces = [spans for trace_id in newest if (spans := made.by_id.get(trace_id))]
        return ZipkinAnswer(traces, complete and table.complete, [*notes, *more])

    async def _trace(self, request: ZipkinRequest) -> ZipkinAnswer:
        trace_id = read_trace_id(request.path["trace_id"])
        found, table, notes = await self._spans_of((trace_id,), request)
        traces = [one for one in found.by_id.values() if one]
        if not traces and table.complete:
            raise NotFound(f"no span has the trace id {trace_id}")
        every = [span for trace in traces for span in trace]
        return ZipkinAnswer(every, table.complete, notes)

    async def _trace_many(self, request: ZipkinRequest) -> ZipkinAnswer:
        ids = read_trace_ids(request.given)
        found, table, notes = await self._spans_of(ids, request)
        traces = [one for one in found.by_id.values() if one]
        return ZipkinAnswer(traces, table.complete, notes)

    async def _spans_of(
        self, trace_ids: tuple[str, ...], request: ZipkinRequest
    ) -> tuple[spans.ZipkinTraces, SpanTable, list[str]]:
        """The spans of traces, and notes on them. Raises as `SpanExchange.gather` does."""
        wanted = SpansWanted(
            trace_ids=trace_ids,
            fields=spans.FIELDS,
            with_data=True,
            limit=limits.ZIPKIN_SPANS_MAX,
        )
        table = await self._exchange.gather(wanted, request.key, request.required)
        found = await asyncio.to_thread(spans.zipkin_traces, table)
        notes = list(table.notes)
        if table.rows.num_rows == limits.ZIPKIN_SPANS_MAX:
            notes.append(f"only the first {limits.ZIPKIN_SPANS_MAX} events are here")
        if found.left_out:
            notes.append(f"{found.left_out} events belong to no span that is here: left out")
        return found, table, notes

    async def _dependencies(self, request: ZipkinRequest) -> ZipkinAnswer:
        range_ = read_time_range(request.given, request.now_ns, required=True)
        found: list[dependencies.CallSpan] = []
        complete = True
        notes: list[str] = []
        for start_ns, end_ns in newest_windows(range_):
            wanted = SpansWanted(
                start_ns=start_ns,
                end_ns=end_ns,
                fields=dependencies.FIELDS,
                limit=limits.ZIPKIN_CALLS_MAX,
            )
            try:
                table = await self._exchange.gather(wanted, request.key, request.required)
            except Unprocessable:  # more spans than can be gathered: those that there are suffice
                if not found:
                    raise
                notes.append(_enough(range_, end_ns, len(found)))
                break
            found += await asyncio.to_thread(dependencies.call_spans, table)
            complete = complete and table.complete
            if len(found) >= limits.ZIPKIN_CALLS_MAX:
                notes.append(_enough(range_, start_ns, len(found)))
                break
        pairs = await asyncio.to_thread(dependencies.dependencies, found)
        return ZipkinAnswer(pairs, complete, notes)


def _names(table: SpanTable, texts: list[str]) -> ZipkinAnswer:
    """Names, each once, in their order."""
    notes = list(table.notes)
    if table.rows.num_rows == limits.ZIPKIN_NAMES_MAX:
        notes.append(f"only the first {limits.ZIPKIN_NAMES_MAX} names are here")
    return ZipkinAnswer(sorted(set(texts)), table.complete, notes)


def _enough(range_: TimeRange, start_ns: int, spans_read: int) -> str:
    seconds = (range_.end_ns - start_ns) // 10**9
    return f"of {spans_read} spans of the last {seconds} s of the range: that is enough"


async def _nothing(request: ZipkinRequest) -> ZipkinAnswer:
    """Tags are not listed for completion."""
    return ZipkinAnswer([])


async def _config(request: ZipkinRequest) -> ZipkinAnswer:
    return ZipkinAnswer(_CONFIG)


async def _health(request: ZipkinRequest) -> ZipkinAnswer:
    state: dict[str, Any] = {"status": "UP"}
    return ZipkinAnswer({**state, "zipkin": state})
