"""Zipkin's routes for spans, independent of sockets (I1, I9).

Zipkin has no answer for a part of a request: it is 202 as soon as something is stored, and what was
refused is counted and named in the dataset `bellwether`. If nothing could be stored, it is 400.
"""

from functools import partial
from typing import Final

from common import limits
from common.errors import BellwetherError
from common.process.auth import KeyCache, is_classic
from common.scan.work_budget import TooMuchWork, Work
from shepherd.datasets.cache import Resolved
from shepherd.http.body import check_encoding
from shepherd.http.key_header import authenticate, key_text
from shepherd.http.request import (
    CONTENT_ENCODING,
    CONTENT_TYPE,
    RECEIPT_HEADER,
    IngestRequest,
    IngestResponse,
    IngestRoute,
    ProtocolLimits,
)
from shepherd.ingest.accept import AcceptParts, EventRefused, Submission
from shepherd.ingest.decoded_events import NO_LINES, Decoded, stored_events
from shepherd.ingest.events_by_dataset import Outcome, Run
from shepherd.zipkin.decode import DatasetEvents, DecodedSpans, Wire, decode
from shepherd.zipkin.media import FormOf, form_of_v1, form_of_v2

_DATASET: Final = "x-honeycomb-dataset"
_COUNTED_AS: Final = "(zipkin)"
_REFUSED: Final = "X-Bellwether-Refused"
_LIMITS: Final = ProtocolLimits(  # those of OTLP: a Collector sends the same batches in both forms
    body_bytes_max=limits.OTLP_BODY_BYTES_MAX,
    events_max=limits.OTLP_EVENTS_MAX,
    datasets_max=limits.OTLP_DATASETS_MAX,
    work_units_max=limits.OTLP_WORK_UNITS_MAX,
)


class ZipkinIngest:
    """Handles requests of all routes. Each span's service is its dataset."""

    def __init__(self, accept: AcceptParts, keys: KeyCache, string_max: int) -> None:
        """string_max: bytes of a string; longer strings are cut."""
        self._accept = accept
        self._keys = keys
        self._string_max = string_max
        take_v2, take_v1 = partial(self._take, form_of_v2), partial(self._take, form_of_v1)
        self.routes = (
            # GET names the spans of a service: `query.zipkin`
            IngestRoute("/api/v2/spans", _LIMITS, take_v2, has_name=False, is_read_elsewhere=True),
            IngestRoute("/api/v1/spans", _LIMITS, take_v1, has_name=False),
        )

    async def _take(self, form_of: FormOf, request: IngestRequest) -> IngestResponse:
        """202 without a body. Raises BellwetherError for a request of which nothing is stored."""
        key = await authenticate(request.headers, self._keys)
        with Submission(self._accept, key, request, _COUNTED_AS) as submission:
            submission.status = 202
            submission.admit()
            form = form_of(request.headers.get(CONTENT_TYPE, ""))
            check_encoding(encoding := request.headers.get(CONTENT_ENCODING, ""))
            body = await submission.receive()
            dataset = ""
            if is_classic(key_text(request.headers)):
                dataset = request.headers.get(_DATASET, "").strip()
            arrival_ns, environment = submission.arrival_ns(), key.environment.id
            wire = Wire(form, body, encoding, environment, arrival_ns, dataset, self._string_max)
            found = _decode_quickly(wire)
            if found is None:
                found = await submission.decode(len(body), lambda work: decode(wire, work))
            if not found.groups:
                return IngestResponse(202, {})  # how clients ask whether they may send
            datasets = await submission.resolve_all([group.dataset for group in found.groups])
            runs = [_run(group, datasets[group.dataset]) for group in found.groups]
            submission.arrival_ns()
            return _response(await submission.store(runs, named=found.batch_id, whole=True))


def _decode_quickly(wire: Wire) -> DecodedSpans | None:
    """As `decode`, if it blocks the event loop for at most some milliseconds; else None."""
    if wire.encoding or len(wire.body) > limits.OFF_LOOP_BODY_BYTES:
        return None
    try:
        return decode(wire, Work(limits.ON_LOOP_WORK_UNITS_MAX))
    except TooMuchWork:
        return None


def _run(group: DatasetEvents, dataset: Resolved | BellwetherError) -> Run:
    events = group.events
    if not isinstance(dataset, Resolved):
        events = Decoded(events.events, NO_LINES)
    return Run(group.dataset, dataset, events, group.indexes)


def _response(outcome: Outcome) -> IngestResponse:
    """The response to a request of which something is stored. Raises EventRefused otherwise."""
    events = stored = 0
    why = ""
    for one in outcome.runs:
        events += one.run.events.events
        stored += stored_events(one.stored)
        for _, refused in one.run.events.refused[:1]:
            why = why or refused.error
        for part in one.stored:
            if isinstance(part.outcome, BellwetherError):
                why = why or str(part.outcome)
    if not stored:
        raise EventRefused(f"nothing of the request could be stored: {why}")
    headers = {RECEIPT_HEADER: outcome.receipt}
    if stored < events:
        headers[_REFUSED] = str(events - stored)
    return IngestResponse(202, headers)
