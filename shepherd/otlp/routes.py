"""OTLP over HTTP: `/v1/traces`, `/v1/logs` and `/v1/metrics` of the public port."""

from collections.abc import Awaitable, Callable

from common.errors import BellwetherError
from common.process.auth import KeyCache
from shepherd.http.body import check_encoding
from shepherd.http.request import (
    CONTENT_ENCODING,
    CONTENT_TYPE,
    IngestRequest,
    IngestResponse,
    IngestRoute,
)
from shepherd.ingest.accept import AcceptParts, Submission
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.ingest import COUNTED_AS, LIMITS, OtlpIngest, OtlpRequest, read_sender
from shepherd.otlp.media import Media, UnsupportedContentType, media_of
from shepherd.otlp.responses import error_response, export_response


class HttpRoutes:
    """The three routes. Responses, errors too, are in the encoding of their requests."""

    def __init__(self, accept: AcceptParts, keys: KeyCache, ingest: OtlpIngest) -> None:
        self._accept = accept
        self._keys = keys
        self._ingest = ingest
        self.routes = tuple(
            IngestRoute(f"/v1/{signal}", LIMITS, self._handler(signal), has_name=False)
            for signal in Signal
        )

    def _handler(self, signal: Signal) -> Callable[[IngestRequest], Awaitable[IngestResponse]]:
        async def take(request: IngestRequest) -> IngestResponse:
            media = media_of(request.headers.get(CONTENT_TYPE, ""))
            try:
                return await self._take(request, signal, media)
            except BellwetherError as error:
                return error_response(error, media)

        return take

    async def _take(
        self, request: IngestRequest, signal: Signal, media: Media | None
    ) -> IngestResponse:
        sender = await read_sender(request.headers, self._keys, signal)
        with Submission(self._accept, sender.key, request, COUNTED_AS) as submission:
            submission.admit()
            if media is None:
                raise UnsupportedContentType
            check_encoding(encoding := request.headers.get(CONTENT_ENCODING, ""))
            body = await submission.receive()
            taken = await self._ingest.take(
                OtlpRequest(signal, media, encoding, body, sender), submission
            )
            return export_response(signal, media, taken.receipt, taken.items_refused, taken.error)
