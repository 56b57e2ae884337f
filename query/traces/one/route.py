"""`GET /bw/1/traces/{trace_id}`: one trace as a tree, from all datasets of the environment and all
time, page by page, each with its coverage (I7).

It takes a turn like a query (I14) and ends when its client closes the connection.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import NotFound, Unprocessable
from common.metadata import ApiKey
from common.process.auth import KeyCache
from common.process.fair.queue import FairLimits
from common.process.fair.slots import FairSlots
from query.http.access import authorize
from query.http.environment import NoDatasetYet
from query.http.requests import AFTER_HEADER, DatasetRequest, run_while_connected
from query.results.notes.coverage import CoverageRequirement
from query.traces.exchange import SpanExchange
from query.traces.one.event import TraceEvent
from query.traces.one.links import (
    LINKS_MAX,
    linked_wanted,
    linking_wanted,
    links_document,
    links_from,
    links_to,
)
from query.traces.one.page import encode_page
from query.traces.one.read_table import events_of, fields_read
from query.traces.one.request import TraceRequest, read_trace_request
from query.traces.wanted import SpansWanted, SpanTable

EVENTS_MAX: Final = 250_000  # of one trace: some 300 MB while its tree is built
_TREES_MAX: Final = (
    3  # trees that are built at once: one, one of another key, of another environment
)
_WAITING_MAX: Final = 64
_NO_MESSAGES: Final = (
    "the trace is too large to be read with the texts of its log lines: they are left out"
)
_NOTHING: Final = "no event of this trace is in what could be asked; others may have it"


class TraceRoute:
    """The handler; it needs the right to query."""

    def __init__(self, keys: KeyCache, exchange: SpanExchange, clock: Clock) -> None:
        self._keys = keys
        self._exchange = exchange
        self._clock = clock
        building = FairLimits(_TREES_MAX, _WAITING_MAX, 1, limits.KEY_KEPT_FREE)
        self._building = FairSlots(building, "traces")

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_get("/bw/1/traces/{trace_id}", self.trace)

    async def trace(self, request: web.Request) -> web.Response:
        """A page of a trace."""
        key = await authorize(self._keys, request, "queries")
        now_ns = self._clock.now_ns()
        wanted = read_trace_request(request.match_info["trace_id"], request.query, now_ns)
        after = request.headers.get(AFTER_HEADER)
        begun = DatasetRequest(key, "", dict(request.query), now_ns, after)
        work = self._page(wanted, key, begun.coverage_required())
        encoded = await run_while_connected(request, work)
        return web.Response(body=encoded, content_type="application/json")

    async def _page(
        self, wanted: TraceRequest, key: ApiKey, required: CoverageRequirement
    ) -> bytes:
        async with self._building.hold(key.environment.id, key.id):
            try:
                table, notes = await self._gather(wanted, key, required)
            except NoDatasetYet as error:
                raise NotFound(f"no event has the trace id {wanted.trace_id}: {error}") from error
            if not table.rows.num_rows:
                if table.complete:
                    raise NotFound(f"no event has the trace id {wanted.trace_id}")
                notes.append(_NOTHING)
            events = await asyncio.to_thread(_events, table, wanted)
            more: dict[str, object] = {"coverage": table.coverage}
            if wanted.links and wanted.cursor is None:
                more["links"] = await self._links(wanted, events, key, notes)
            more["notes"] = [*table.notes, *notes]
            return await asyncio.to_thread(encode_page, wanted, events, more)

    async def _links(
        self, wanted: TraceRequest, events: Sequence[TraceEvent], key: ApiKey, notes: list[str]
    ) -> dict[str, object]:
        """Links in both directions. Adds to the notes what is missing."""
        linking = await self._exchange.gather(linking_wanted(wanted.trace_id), key)
        directions = {"from": links_from(events), "to": links_to(linking)}
        for direction, links in directions.items():
            if len(links) > LINKS_MAX:
                notes.append(
                    f"of more than {LINKS_MAX} links {direction} the trace the first are shown"
                )
                del links[LINKS_MAX:]
        question = linked_wanted([*directions["from"], *directions["to"]])
        linked = None if question is None else await self._exchange.gather(question, key)
        if not linking.complete or not (linked is None or linked.complete):
            notes.append("links may be missing: not everything could be asked for them")
        return {direction: links_document(links, linked) for direction, links in directions.items()}

    async def _gather(
        self, wanted: TraceRequest, key: ApiKey, required: CoverageRequirement
    ) -> tuple[SpanTable, list[str]]:
        """(all events of the trace, notes on them). Raises as `SpanExchange.gather` does."""
        notes: list[str] = []
        gather = partial(self._exchange.gather, key=key, required=required)
        try:
            table = await gather(_spans_wanted(wanted, with_messages=True))
        except Unprocessable:  # perhaps for its bytes
            table = await gather(_spans_wanted(wanted, with_messages=False))
            notes.append(_NO_MESSAGES)
        if table.rows.num_rows > EVENTS_MAX:
            raise Unprocessable(f"the trace has more than {EVENTS_MAX:,} events: too many to show")
        return table, notes


def _spans_wanted(wanted: TraceRequest, *, with_messages: bool) -> SpansWanted:
    return SpansWanted(
        trace_ids=(wanted.trace_id,),
        fields=fields_read(wanted.fields, with_messages=with_messages),
        limit=EVENTS_MAX + 1,
    )


def _events(table: SpanTable, wanted: TraceRequest) -> list[TraceEvent]:
    return list(events_of(table, wanted.fields))
