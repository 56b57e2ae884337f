"""Headers for pages in browsers that send events (CORS, the Fetch standard).

Off unless origins are named. A browser sends a preflight first, without a key, and shows the page
only responses whose headers allow the page's origin: so errors have these headers too. Nothing
here authenticates: the key does, and clients that are no browsers send no preflight.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from common.errors import NotAllowed
from shepherd.http.origins import ANY, Origins
from shepherd.http.request import IngestResponse, error_to_response

ORIGIN: Final = "origin"
REQUEST_METHOD: Final = "access-control-request-method"
_ALLOW: Final = "Access-Control-Allow-Origin"
_MAX_AGE_S: Final = 7_200  # the longest for which Chromium remembers the answer to a preflight
_VARY: Final = {"Vary": "Origin"}  # a cache must not give the response to another page
# What tracing adds to each `fetch`, and what every page may send, before and after what a
# protocol's clients add.
_HEADERS_BEFORE: Final = ("Content-Type", "Content-Encoding")
_HEADERS_AFTER: Final = (
    "X-Bellwether-Batch-Id",
    "User-Agent",
    "traceparent",
    "tracestate",
    "baggage",
)
_EXPOSED: Final = {"Access-Control-Expose-Headers": "X-Bellwether-Receipt, Retry-After"}


class Cors:
    """The headers for pages of the origins that may send events.

    on: whether any may.
    """

    def __init__(self, origins: Origins, headers: Sequence[str]) -> None:
        """headers: those that the protocols' clients add to what every page may send."""
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
        """Those of every response to a request for events, errors too; none if CORS is off.

        origin: of the page, None if the client is no page.
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
