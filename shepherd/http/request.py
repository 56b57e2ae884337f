"""What the routes of events read of a request, and what they answer, whoever speaks the HTTP.

The hot door (`shepherd.http`) and aiohttp's application both make these, so there is one set of
rules behind both.
"""

import functools
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec
from aiohttp import web
from prometheus_client import Counter

from common import metrics
from common.errors import BellwetherError
from common.process.auth import KEY_HEADER
from common.process.http.body_reader import ReadBody, read_from_aiohttp

# In lower case: the hot door's headers are a plain dict of lower-case names.
KEY = KEY_HEADER.lower()
OLD_KEY = "x-hny-team"  # old libhoney for JavaScript
CONTENT_TYPE = "content-type"
CONTENT_ENCODING = "content-encoding"
BATCH_ID = "x-bellwether-batch-id"
BATCH_ID_NAME = "X-Bellwether-Batch-Id"  # as it is written about
EVENT_TIME = "x-honeycomb-event-time"
SAMPLE_RATE = "x-honeycomb-samplerate"


INTERNAL_ERROR: Final = "internal error; please report it"
_COUNTERS_MAX = 256  # routes times statuses


class Route(StrEnum):
    """The routes that take events."""

    EVENT = "/1/events"
    BATCH = "/1/batch"

    @property
    def pattern(self) -> str:
        """As the application's router has it: the label of its requests in metrics."""
        return f"{self.value}/{{dataset}}"


class IngestRequest(msgspec.Struct, frozen=True):
    """A request for events. name: the path's last segment as it came; length: None if in chunks.

    read: the body as it came, each piece counted. Raises BodyTooLarge, BodyTooSlow, Unavailable.
    """

    route: Route
    name: str
    headers: Mapping[str, str]  # has the names above
    length: int | None
    read: ReadBody

    def __repr__(self) -> str:
        return (
            f"IngestRequest({self.route}, {self.name!r}, length={self.length})"  # headers hold keys
        )


class IngestResponse(msgspec.Struct, frozen=True):
    """An answer as it is sent. Its length is told by whoever sends it."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@functools.lru_cache(_COUNTERS_MAX)
def request_counter(route: str, status: int) -> Counter:
    """The counter of a route's responses with this status."""
    return metrics.requests_total.labels(route, str(status))


def error_answer(error: BellwetherError) -> IngestResponse:
    """The error as the API's plain JSON body, with `Retry-After` where it has one."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    return IngestResponse(error.status, headers, json.dumps({"error": str(error)}).encode())


def from_aiohttp(request: web.Request, route: Route) -> IngestRequest:
    """A request that came through aiohttp."""
    name = request.raw_path.split("?", 1)[0].removesuffix("/").rsplit("/", 1)[1]
    return IngestRequest(
        route,
        name,
        request.headers,
        request.content_length,
        lambda intake: read_from_aiohttp(request, intake),
    )


def to_aiohttp(answer: IngestResponse) -> web.Response:
    """The answer as aiohttp sends it."""
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body or None)
