"""Pages in browsers that send events: what their browsers are told (CORS, the Fetch standard).

Off unless origins are named. A browser asks before it sends (a preflight, without a key), and gives
the page an answer only if that says that the page's origin may have it: so errors say it too.
Nothing here judges who sends: that is the key's part, and what is no browser does not ask.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from common.errors import NotAllowed
from shepherd.http.origins import ANY, Origins
from shepherd.http.request import IngestResponse, error_to_response

ORIGIN: Final = "origin"
ASKED_METHOD: Final = "access-control-request-method"
_ALLOW: Final = "Access-Control-Allow-Origin"
_MAX_AGE_S: Final = 7_200  # the longest for which Chromium remembers the answer to a preflight
_VARY: Final = {"Vary": "Origin"}  # what lies between must not give an answer to another page
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
    """What is told to pages, of whom those of some origins may send. on: whether any may."""

    def __init__(self, origins: Origins, headers: Sequence[str]) -> None:
        """headers: that the protocols' clients add to what every page may send."""
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
        """Of every answer to a request for events, errors too. origin: of the page, if it is one.

        Empty if all this is off.
        """
        if not self.on:
            return {}
        if self._origins.any:
            return {_ALLOW: ANY, **_EXPOSED}
        if origin is None or origin not in self._origins:
            return _VARY
        return {_ALLOW: origin, **_EXPOSED, **_VARY}

    def preflight(self, origin: str) -> IngestResponse:
        """The answer to a page that asks whether it may send. It has no key yet."""
        told = self.headers(origin)
        if _ALLOW not in told:
            error = NotAllowed(
                "pages of this origin may not send events; shepherd.cors_origins names those"
                " that may"
            )
            return self.marked(error_to_response(error), origin)
        return IngestResponse(204, {**told, **self._preflight})

    def marked(self, answer: IngestResponse, origin: str | None) -> IngestResponse:
        """The answer with what a page has to be told."""
        return IngestResponse(
            answer.status, {**answer.headers, **self.headers(origin)}, answer.body
        )
