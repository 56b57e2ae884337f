"""The fast path of the public port: serves requests for events without aiohttp."""

import logging
from collections.abc import Sequence

from common.clock import Clock
from common.errors import BellwetherError
from common.process.http.body_reader import ReadBody
from common.process.trace_context import begin_trace
from shepherd.http.cors import ORIGIN, Cors
from shepherd.http.request import (
    INTERNAL_ERROR,
    IngestRequest,
    IngestResponse,
    IngestRoute,
    naming_trace,
    request_counter,
)
from shepherd.http.request_head import HEAD_BYTES_MAX, EventsHead, HeadReader
from shepherd.http.response_bytes import ResponseWriter

_logger = logging.getLogger(__name__)


class EventsFastPath:
    """As `common.process.http.fast_path.FastPath`."""

    head_bytes_max = HEAD_BYTES_MAX

    def __init__(self, routes: Sequence[IngestRoute], clock: Clock, cors: Cors) -> None:
        heads = HeadReader(routes)
        self.prefix = heads.prefix
        self._read_head = heads.read
        self._cors = cors
        self._writer = ResponseWriter(clock)

    def read_head(self, raw: bytes) -> EventsHead | None:
        """As `FastPath.read_head`."""
        return self._read_head(raw)

    async def answer(self, head: EventsHead, read: ReadBody) -> IngestResponse:
        """As `FastPath.answer`. The role's outermost loop: every response is counted."""
        trace_id = begin_trace(head.headers)
        request = IngestRequest(head.route, head.segment, head.headers, head.length, read)
        try:
            response = await head.route.take(request)
        except BellwetherError as error:
            response = head.route.error_response(error)
        except Exception:
            _logger.exception("a request failed")
            response = head.route.error_response(BellwetherError(INTERNAL_ERROR))
        request_counter(head.route.pattern, response.status).inc()
        if self._cors.on:
            response = self._cors.with_headers(response, head.headers.get(ORIGIN))
        return naming_trace(response, trace_id)

    def encode(self, response: IngestResponse, *, last: bool) -> bytes:
        """As `FastPath.encode`."""
        return self._writer.encode(response, last=last)
