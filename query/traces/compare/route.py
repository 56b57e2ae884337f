"""`POST /bw/1/traces/compare`: what differs between two traces, or from the typical of many.

It takes a turn like a query (I14) and ends when its client closes the connection.
"""

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import NotFound, Unavailable, Unprocessable
from common.metadata import ApiKey
from common.process.fair.queue import FairLimits
from common.process.fair.slots import FairSlots
from query.cancellation import cancellable
from query.http.requests import DatasetRequestReader, run_while_connected
from query.results.notes.coverage import CoverageRequirement, why_incomplete
from query.traces.compare.differences import compare
from query.traces.compare.document import compare_document
from query.traces.compare.read_table import spans_wanted, traces_of
from query.traces.compare.reference import reference_of
from query.traces.compare.request import CompareRequest, read_compare_request
from query.traces.compare.span import Spans
from query.traces.exchange import SpanExchange
from query.traces.one.ids import folded
from query.traces.relations.search import TraceSearch, TracesWanted
from query.traces.wanted import SpanTable

_COMPARED_AT_ONCE: Final = 3
_WAITING_MAX: Final = 64
_IDS_AT_ONCE: Final = 5  # traces that one exchange brings with all their fields


@dataclass(slots=True)
class _Gathered:
    """Traces by their folded ids, and what the answer covers."""

    traces: dict[str, Spans] = field(default_factory=dict)
    coverage: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def covered(self, coverage: dict[str, Any]) -> None:
        """The coverage of one more exchange: one that is incomplete makes the answer so."""
        if not self.coverage or not coverage["complete"]:
            self.coverage = coverage

    def check_complete(self) -> None:
        """Raise Unavailable if what was not found may be in what could not be asked."""
        if not self.coverage["complete"]:
            raise Unavailable(why_incomplete(self.coverage))


class CompareRoute:
    """The handler; it needs the right to query."""

    def __init__(
        self,
        requests: DatasetRequestReader,
        exchange: SpanExchange,
        search: TraceSearch,
        clock: Clock,
    ) -> None:
        self._requests = requests
        self._exchange = exchange
        self._search = search
        self._clock = clock
        bounds = FairLimits(_COMPARED_AT_ONCE, _WAITING_MAX, 1, limits.KEY_KEPT_FREE)
        self._computing = FairSlots(bounds, "comparisons")

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_post("/bw/1/traces/compare", self.compare)

    async def compare(self, request: web.Request) -> web.Response:
        """The differences of a trace, the most telling first."""
        begun = await self._requests.without_dataset(request, "trace, with, against")
        wanted = read_compare_request(begun.body, begun.now_ns)
        work = self._answer(wanted, begun.key, begun.coverage_required())
        answer = await run_while_connected(request, work)
        return web.Response(body=answer, content_type="application/json")

    async def _answer(
        self, wanted: CompareRequest, key: ApiKey, required: CoverageRequirement
    ) -> bytes:
        async with self._computing.hold(key.environment.id, key.id):
            found = _Gathered()
            trace = await self._one(wanted.trace, found, key, required)
            if wanted.against is not None:
                others = await self._many(wanted.against, trace, found, key, required)
            elif wanted.other is not None:
                others = [await self._one(wanted.other, found, key, required)]
            cancelled = threading.Event()
            try:
                return await asyncio.to_thread(_encode, wanted, trace, others, found, cancelled)
            finally:
                cancelled.set()

    async def _one(
        self, trace_id: str, found: _Gathered, key: ApiKey, required: CoverageRequirement
    ) -> Spans:
        """A trace by its id. Raises NotFound, Unprocessable; Unavailable if it may be missing."""
        await self._gather((trace_id,), found, key, required)
        trace = found.traces.get(folded(trace_id))
        if trace is None:
            found.check_complete()
            raise NotFound(f"no span has the trace id {trace_id}")
        return trace

    async def _many(
        self,
        wanted: TracesWanted,
        trace: Spans,
        found: _Gathered,
        key: ApiKey,
        required: CoverageRequirement,
    ) -> list[Spans]:
        """The traces that meet the conditions, without the compared one. Raises Unprocessable."""
        searched = await self._search.find(wanted, key, required)
        found.covered(searched.coverage)
        found.notes += searched.notes
        ids = [one for one in searched.rows.column("trace_id").to_pylist()
               if folded(one) != folded(trace.trace_id)][: limits.COMPARED_TRACES_MAX]  # fmt: skip
        if not ids:
            found.check_complete()
            raise Unprocessable(
                "no other trace meets the conditions of `against`: widen its time range"
            )
        others: list[Spans] = []
        for begin in range(0, len(ids), _IDS_AT_ONCE):
            some = tuple(ids[begin : begin + _IDS_AT_ONCE])
            await self._gather(some, found, key, required)
            others += [found.traces[folded(one)] for one in some if folded(one) in found.traces]
            if sum(len(one.spans) for one in others) > limits.COMPARED_SPANS_MAX:
                found.notes.append(f"the first {len(others)} of {len(ids)} traces are compared")
                break
        return others

    async def _gather(
        self,
        trace_ids: tuple[str, ...],
        found: _Gathered,
        key: ApiKey,
        required: CoverageRequirement,
    ) -> None:
        try:
            table = await self._exchange.gather(
                spans_wanted(trace_ids, with_data=True), key, required
            )
        except Unprocessable:  # perhaps for the bytes of their fields
            table = await self._exchange.gather(
                spans_wanted(trace_ids, with_data=False), key, required
            )
            found.notes.append("traces are so large that their fields are not compared")
        if table.rows.num_rows > limits.COMPARED_SPANS_MAX:
            most = limits.COMPARED_SPANS_MAX
            raise Unprocessable(f"a trace has more than {most:,} events: too many to compare")
        found.covered(table.coverage)
        found.notes += [note for note in table.notes if note not in found.notes]
        found.traces |= await asyncio.to_thread(_read, table, self._clock.now_ns())


def _read(table: SpanTable, now_ns: int) -> dict[str, Spans]:
    return dict(traces_of(table, now_ns))


def _encode(
    wanted: CompareRequest,
    trace: Spans,
    others: list[Spans],
    found: _Gathered,
    cancelled: threading.Event,
) -> bytes:
    with cancellable(cancelled):
        reference = reference_of(others)
        differences = compare(reference, trace)
        document = compare_document(reference, trace, differences, wanted.limit)
    return msgspec.json.encode({**document, "coverage": found.coverage, "notes": found.notes})
