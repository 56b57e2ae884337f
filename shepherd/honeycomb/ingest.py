"""The vendor's two routes for events: a batch body, and a single event as a body (I1, I9).

They are independent of sockets: `shepherd.http.request` has the requests and responses.
"""

import asyncio
from typing import Final
from urllib.parse import unquote

from common import limits
from common.errors import BadRequest
from common.process.auth import KeyCache
from common.scan.events import Refused
from shepherd.datasets.cache import Resolved
from shepherd.honeycomb.decode import (
    EventHeaders,
    Wire,
    decode_batch,
    decode_batch_quickly,
    decode_event,
    decode_event_quickly,
)
from shepherd.honeycomb.media import media_of
from shepherd.honeycomb.responses import batch_response, receipt_headers
from shepherd.honeycomb.split.interface import Splitter
from shepherd.http.body import check_encoding
from shepherd.http.key_header import authenticate
from shepherd.http.request import (
    CONTENT_ENCODING,
    CONTENT_TYPE,
    IngestRequest,
    IngestResponse,
    IngestRoute,
    ProtocolLimits,
)
from shepherd.ingest.accept import AcceptParts, EventRefused, Submission
from shepherd.ingest.decoded_events import NO_LINES, Decoded, one_line
from shepherd.ingest.events_by_dataset import Run

_EVENT_TIME: Final = "x-honeycomb-event-time"
_SAMPLE_RATE: Final = "x-honeycomb-samplerate"
_BATCH_LIMITS: Final = ProtocolLimits(
    body_bytes_max=limits.BATCH_BODY_BYTES_MAX,
    events_max=limits.BATCH_EVENTS_MAX,
    datasets_max=1,
    work_units_max=limits.BODY_WORK_UNITS_MAX,
)
_EVENT_LIMITS: Final = ProtocolLimits(
    body_bytes_max=limits.EVENT_BODY_BYTES_MAX,
    events_max=1,
    datasets_max=1,
    work_units_max=limits.BODY_WORK_UNITS_MAX,
)


class Ingest:
    """Handles requests of both routes. The path names the dataset of all events of a request."""

    def __init__(
        self,
        accept: AcceptParts,
        keys: KeyCache,
        splitter: Splitter,
        string_max: int,
    ) -> None:
        """string_max: bytes of a string; longer strings are cut."""
        self._accept = accept
        self._keys = keys
        self._splitter = splitter
        self._string_max = string_max
        self.routes = (
            IngestRoute("/1/events", _EVENT_LIMITS, self._take_event),
            IngestRoute("/1/batch", _BATCH_LIMITS, self._take_batch),
        )

    async def _take_batch(self, request: IngestRequest) -> IngestResponse:
        """Respond 200 with the status of each event, in order. Raises BellwetherError for a request
        that is refused as a whole.
        """
        key = await authenticate(request.headers, self._keys)
        name = dataset_name(request.name)
        with Submission(self._accept, key, request, name) as submission:
            dataset, wire = await self._receive(request, submission, name)
            splitter, depth = self._splitter, dataset.target.depth
            events = decode_batch_quickly(splitter, wire, depth)
            if events is None:
                events = await submission.decode(
                    len(wire.body), lambda work: decode_batch(splitter, wire, depth, work)
                )
            outcome = await submission.store((Run(name, dataset, events),))
            if len(events.refused) <= limits.ON_LOOP_REFUSED_MAX:
                return batch_response(outcome, wire.media)
            return await asyncio.to_thread(batch_response, outcome, wire.media)

    async def _take_event(self, request: IngestRequest) -> IngestResponse:
        """Respond 200 without a body. Raises BellwetherError for an event that is refused."""
        key = await authenticate(request.headers, self._keys)
        name = dataset_name(request.name)
        with Submission(self._accept, key, request, name) as submission:
            dataset, wire = await self._receive(request, submission, name)
            depth, string_max = dataset.target.depth, self._string_max
            headers = EventHeaders(
                request.headers.get(_EVENT_TIME, ""), request.headers.get(_SAMPLE_RATE, "")
            )
            event = decode_event_quickly(wire, depth, headers, string_max)
            if event is None:
                event = await submission.decode(
                    len(wire.body),
                    lambda work: decode_event(wire, depth, headers, string_max, work),
                )
            if isinstance(event, Refused):
                await submission.store((Run(name, dataset, Decoded(1, NO_LINES, ((0, event),))),))
                raise EventRefused(event.error)
            mended = ((0, event.mended),) if event.mended else ()
            decoded = Decoded(1, one_line(event), (), mended)
            outcome = await submission.store((Run(name, dataset, decoded),))
            return IngestResponse(200, receipt_headers(outcome))

    async def _receive(
        self, request: IngestRequest, submission: Submission, name: str
    ) -> tuple[Resolved, Wire]:
        """Check and read all that precedes the events: key, headers, limits, dataset, body."""
        submission.admit()
        media = media_of(request.headers.get(CONTENT_TYPE, ""))
        check_encoding(encoding := request.headers.get(CONTENT_ENCODING, ""))
        body = await submission.receive()
        dataset = await submission.resolve(name)
        return dataset, Wire(body, encoding, media, submission.arrival_ns())


def dataset_name(segment: str) -> str:
    """The URL-decoded segment of a path. Raises BadRequest."""
    if "%" not in segment:
        return segment
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("dataset name is not valid UTF-8") from error
