"""Requests for events and their responses, independent of sockets and of any protocol.

The fast path (`shepherd.http`) and aiohttp's application both make these values, so one set of
rules holds for both.
"""

import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from aiohttp import web
from prometheus_client import Counter

from common import metrics
from common.errors import BellwetherError
from common.process.http.body_reader import ReadBody, read_from_aiohttp
from common.process.trace_context import TRACE_ID

# In lower case: the fast path's headers are a plain dict of lower-case names.
CONTENT_TYPE = "content-type"
CONTENT_ENCODING = "content-encoding"
BATCH_ID = "x-bellwether-batch-id"
BATCH_ID_NAME = "X-Bellwether-Batch-Id"  # in texts for users
RECEIPT_HEADER = "X-Bellwether-Receipt"

INTERNAL_ERROR: Final = "internal error; please report it"
_COUNTERS_MAX = 256  # routes times statuses


class IngestRequest(msgspec.Struct, frozen=True):
    """A request for events.

    `read` returns the encoded body; its intake counts each piece. It raises BodyTooLarge,
    BodyTooSlow, Unavailable.
    """

    route: "IngestRoute"
    name: str  # the path's last segment, still encoded; empty if the route has none
    headers: Mapping[str, str]  # looked up by lower-case names
    length: int | None  # None: the body comes in chunks
    read: ReadBody

    def __repr__(self) -> str:
        return (  # headers hold keys
            f"IngestRequest({self.route.path}, {self.name!r}, length={self.length})"
        )


class IngestResponse(msgspec.Struct, frozen=True):
    """A response without its length header."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@functools.lru_cache(_COUNTERS_MAX)
def request_counter(route: str, status: int) -> Counter:
    """The counter of a route's responses with this status."""
    return metrics.requests_total.labels(route, str(status))


def error_to_response(error: BellwetherError) -> IngestResponse:
    """The error as the API's plain JSON body, with `Retry-After` where it has one."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    return IngestResponse(error.status, headers, json.dumps({"error": str(error)}).encode())


def naming_trace(response: IngestResponse, trace_id: str) -> IngestResponse:
    """The response with the id of its trace."""
    headers = {**response.headers, TRACE_ID: trace_id}
    return IngestResponse(response.status, headers, response.body)


class ProtocolLimits(msgspec.Struct, frozen=True):
    """What one request of a route may hold."""

    body_bytes_max: int  # of the body without its content encoding
    events_max: int
    datasets_max: int
    work_units_max: int  # of `common.scan.work_budget`, to decode the body


class IngestRoute(msgspec.Struct, frozen=True):
    """A path to which a protocol's clients POST events."""

    path: str  # without a slash at its end
    limits: ProtocolLimits
    take: Callable[[IngestRequest], Awaitable[IngestResponse]]
    has_name: bool = True  # whether one more segment follows: a dataset's name
    error_response: Callable[[BellwetherError], IngestResponse] = error_to_response
    is_read_elsewhere: bool = False  # whether a GET of the path is for a query role

    @property
    def pattern(self) -> str:
        """The pattern in the application's router: the label of its requests in metrics."""
        return f"{self.path}/{{dataset}}" if self.has_name else self.path


def from_aiohttp(request: web.Request, route: IngestRoute) -> IngestRequest:
    """A request that came through aiohttp."""
    name = ""
    if route.has_name:
        name = request.raw_path.split("?", 1)[0].removesuffix("/").rsplit("/", 1)[1]
    return IngestRequest(
        route,
        name,
        request.headers,
        request.content_length,
        lambda intake: read_from_aiohttp(request, intake),
    )


def to_aiohttp(response: IngestResponse) -> web.Response:
    """The response as aiohttp sends it."""
    return web.Response(
        status=response.status, headers=response.headers, body=response.body or None
    )
