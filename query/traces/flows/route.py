"""`POST /bw/1/flows`: how instances go through steps, and how that differs from others.

It takes a turn like a query (I14) and ends when its client closes the connection.
"""

import asyncio
import threading
from typing import Final

import msgspec
from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import BadRequest
from common.metadata import ApiKey
from common.process.auth import KeyCache
from common.process.fair.queue import FairLimits
from common.process.fair.slots import FairSlots
from query.cancellation import cancellable
from query.http.access import authorize
from query.http.problems import json_body
from query.http.requests import AFTER_HEADER, DatasetRequest, run_while_connected
from query.results.notes.coverage import CoverageRequirement
from query.results.notes.type_notes import notes_on_types
from query.traces.flows.definition import FlowRequest, Population, read_flow_request
from query.traces.flows.document import flow_document
from query.traces.flows.read_table import step_columns
from query.traces.flows.steps import make_steps
from query.traces.relations.spans import RelatedSpans
from query.traces.wanted import SpansWanted, SpanTable

_COMPUTED_MAX: Final = 3  # at once: each holds its steps, some 200 bytes of each event
_WAITING_MAX: Final = 64


class FlowRoute:
    """The handler; it needs the right to query."""

    def __init__(self, keys: KeyCache, spans: RelatedSpans, clock: Clock) -> None:
        self._keys = keys
        self._gathered = spans
        self._clock = clock
        bounds = FairLimits(_COMPUTED_MAX, _WAITING_MAX, 1, limits.KEY_KEPT_FREE)
        self._computing = FairSlots(bounds, "flows")

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_post("/bw/1/flows", self.flows)

    async def flows(self, request: web.Request) -> web.Response:
        """Steps, transitions, overlaps, unfinished instances, and differences."""
        key = await authorize(self._keys, request, "queries")
        body = await json_body(request)
        if not isinstance(body, dict):
            raise BadRequest("the body must be a JSON object: step, instance, filters, a range")
        now_ns = self._clock.now_ns()
        wanted = read_flow_request(body, now_ns)
        after = request.headers.get(AFTER_HEADER)
        required = DatasetRequest(key, "", body, now_ns, after).coverage_required()
        answer = await run_while_connected(request, self._answer(wanted, key, required, now_ns))
        return web.Response(body=answer, content_type="application/json")

    async def _answer(
        self, wanted: FlowRequest, key: ApiKey, required: CoverageRequirement, now_ns: int
    ) -> bytes:
        async with self._computing.hold(key.environment.id, key.id):
            now = await self._gathered.gather(_spans(wanted, wanted.now), key, required)
            against = None
            if wanted.against is not None:
                spans = _spans(wanted, wanted.against)
                against = await self._gathered.gather(spans, key, required)
            cancelled = threading.Event()
            try:
                margin_s = self._gathered.margin_s
                return await asyncio.to_thread(
                    _encode, wanted, now, against, now_ns, margin_s, cancelled
                )
            finally:
                cancelled.set()


def _spans(wanted: FlowRequest, population: Population) -> SpansWanted:
    return SpansWanted(
        datasets=wanted.datasets,
        start_ns=population.start_ns,
        end_ns=population.end_ns,
        filters=population.spec.filters,
        any_filter=population.spec.any_filter,
        fields=wanted.fields,
    )


def _encode(
    wanted: FlowRequest,
    now: SpanTable,
    against: SpanTable | None,
    now_ns: int,
    margin_s: int,
    cancelled: threading.Event,
) -> bytes:
    with cancellable(cancelled):
        steps = make_steps(step_columns(now, wanted))
        other = None if against is None else make_steps(step_columns(against, wanted))
        document, notes = flow_document(wanted, steps, other, now_ns)
    notes = [*now.notes, *notes, *notes_on_types(wanted.now.spec, now.types)]
    if against is not None and wanted.against is not None:
        more = notes_on_types(wanted.against.spec, against.types)
        notes += [note for note in more if note not in notes]
    if not len(steps) and now.rows.num_rows:
        notes.append(
            f"{now.rows.num_rows:,} events meet the conditions, and none has both"
            f" {wanted.instance} and {wanted.step}"
        )
    document |= {"coverage": now.coverage, "notes": notes}
    if wanted.now.related or (wanted.against is not None and wanted.against.related):
        document["margin_s"] = margin_s
    if against is not None:
        document["against"]["coverage"] = against.coverage
    return msgspec.json.encode(document)
