"""Headers for pages in browsers that send events (CORS, the Fetch standard).

Off unless the settings name origins. A browser sends a preflight first, without a key, and shows
the page only responses whose headers allow the page's origin: so errors have these headers too.
CORS does not authenticate: the key does, and clients other than browsers send no preflight.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from common.errors import NotAllowed
from shepherd.http.origins import ANY, Origins
from shepherd.http.request import IngestResponse, error_to_response

ORIGIN: Final = "origin"
REQUEST_METHOD: Final = "access-control-request-method"
_ALLOW: Final = "Access-Control-Allow-Origin"
_MAX_AGE_S: Final = 7_200  # the longest time for which Chromium caches a preflight
_VARY: Final = {"Vary": "Origin"}  # a cache must not give the response to another page
# Headers that tracing adds to each `fetch`, and headers that every page may send, listed before and
# after those of a protocol's clients.
_HEADERS_BEFORE: Final = ("Content-Type", "Content-Encoding")
_HEADERS_AFTER: Final = (
    "X-Bellwether-Batch-Id",
    "User-Agent",
    "traceparent",
    "tracestate",
    "baggage",
)
_EXPOSED: Final = {"Access-Control-Expose-Headers": "X-Bellwether-Receipt, Retry-After, X-Trace-Id"}


class Cors:
    """The headers for pages of the origins that may send events.

    on: whether any origin is allowed.
    """

    def __init__(self, origins: Origins, headers: Sequence[str]) -> None:
        """headers: request headers of the protocols' clients, besides those of every page."""
        self._origins = origins
        self._preflight = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": ", ".join(
                (*_HEADERS_BEFORE, *headers, *_HEADERS_AFTER)
            ),
            "Access-Control-Max-Age": str(_MAX_AGE_S),
        }
        self.on = bool(origins)

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """The headers of every response to a request for events, errors too; empty if CORS is off.

        origin: of the page; None if the client is not a browser.
        """
        if not self.on:
            return {}
        if self._origins.any:
            return {_ALLOW: ANY, **_EXPOSED}
        if origin is None or origin not in self._origins:
            return _VARY
        return {_ALLOW: origin, **_EXPOSED, **_VARY}

    def preflight(self, origin: str) -> IngestResponse:
        """The response to a preflight, which carries no key."""
        headers = self.headers(origin)
        if _ALLOW not in headers:
            error = NotAllowed(
                "pages of this origin may not send events; shepherd.cors_origins names those"
                " that may"
            )
            return self.with_headers(error_to_response(error), origin)
        return IngestResponse(204, {**headers, **self._preflight})

    def with_headers(self, response: IngestResponse, origin: str | None) -> IngestResponse:
        """The response with the headers that a page's browser needs."""
        return IngestResponse(
            response.status, {**response.headers, **self.headers(origin)}, response.body
        )
