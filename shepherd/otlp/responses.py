"""Responses of OTLP/HTTP, in the request's encoding: Export*ServiceResponse, google.rpc.Status."""

from collections.abc import Mapping
from typing import Final

import orjson

from common.errors import BellwetherError
from shepherd.http.body import BodyTooLarge
from shepherd.http.request import RECEIPT_HEADER, IngestResponse
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.media import Media, UnsupportedContentType
from shepherd.otlp.message_writer import bytes_field, number_field, rpc_status, text_field
from shepherd.otlp.repeatable import repeatable

_REJECTED: Final = {
    Signal.TRACES: "rejectedSpans",
    Signal.LOGS: "rejectedLogRecords",
    Signal.METRICS: "rejectedDataPoints",
}
# Codes of gRPC by status, as Google's mapping has them; others are UNKNOWN.
_CODES: Final[Mapping[int, int]] = {
    400: 3,  # INVALID_ARGUMENT
    401: 16,  # UNAUTHENTICATED
    403: 7,  # PERMISSION_DENIED
    404: 5,  # NOT_FOUND
    413: 3,
    415: 3,
    429: 8,  # RESOURCE_EXHAUSTED
    503: 14,  # UNAVAILABLE
}
_UNKNOWN: Final = 2
_TOO_LARGE: Final = 413


def export_response(
    signal: Signal, media: Media, receipt: str, rejected: int, error: str
) -> IngestResponse:
    """200: what was refused for good, if anything, and why."""
    headers = {"Content-Type": media.value}
    if receipt:
        headers[RECEIPT_HEADER] = receipt
    return IngestResponse(200, headers, export_body(signal, media, rejected, error))


def export_body(signal: Signal, media: Media, rejected: int, error: str) -> bytes:
    """An Export*ServiceResponse; without `partial_success` if nothing was refused."""
    if media is Media.JSON:
        partial: dict[str, object] = {}
        if rejected:
            counted = {_REJECTED[signal]: str(rejected), "errorMessage": error}
            partial = {"partialSuccess": counted}
        return orjson.dumps(partial)
    if not rejected:
        return b""
    return bytes_field(1, number_field(1, rejected) + text_field(2, error))


def error_response(error: BellwetherError, media: Media | None) -> IngestResponse:
    """A request that is refused as a whole, as a google.rpc.Status.

    media: None if the request's is not known.
    """
    error = repeatable(error)
    status = _TOO_LARGE if isinstance(error, BodyTooLarge) else error.status
    headers: dict[str, str] = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    text = str(error)
    code = _CODES.get(status, _UNKNOWN)
    if isinstance(error, UnsupportedContentType):
        headers["Content-Type"] = "text/plain; charset=utf-8"
        return IngestResponse(status, headers, text.encode())
    if media is None or media is Media.JSON:
        headers["Content-Type"] = Media.JSON.value
        return IngestResponse(status, headers, orjson.dumps({"code": code, "message": text}))
    headers["Content-Type"] = media.value
    return IngestResponse(status, headers, rpc_status(code, text))
