"""The internal application of a shepherd: health, telemetry of other roles, placement."""

import asyncio

from aiohttp import web

from common.errors import MetadataUnavailable
from common.metadata import Metadata
from common.process.auth import KeyCache
from common.process.role import RoleContext
from common.process.trace_context import trace_requests
from common.process.web import add_health_routes, require_internal_token
from shepherd.http.application import answer_errors
from shepherd.own_events import OwnEvents
from shepherd.placement.route import PlacementRoute


class Readiness:
    """Readiness of the role. A shepherd without cached keys is not ready while metadata is
    unavailable: a rolling restart stops there (design, section 5).
    """

    def __init__(self, keys: KeyCache, metadata: Metadata) -> None:
        self._keys = keys
        self._metadata = metadata
        self._reason: str | None = "it is starting"

    def not_ready(self) -> str | None:
        """The reason why the role is not ready; None when it is."""
        return self._reason

    async def refresh(self) -> None:
        """Check metadata by looking up a key that cannot exist, unless keys are cached already."""
        if self._keys.size:
            self._reason = None
            return
        try:
            await asyncio.to_thread(self._metadata.find_key, "")
        except MetadataUnavailable as error:
            self._reason = f"no key is known yet and metadata does not answer: {error}"
        else:
            self._reason = None


def internal_application(
    context: RoleContext, readiness: Readiness, own_events: OwnEvents, placement: PlacementRoute
) -> web.Application:
    """The application of the internal port; `/internal/` needs the internal token."""
    app = web.Application(
        middlewares=[answer_errors, require_internal_token(context.internal_token)]
    )
    trace_requests(app)
    add_health_routes(app, readiness.not_ready, context.stop)
    app.router.add_post("/internal/telemetry", own_events.receive)
    app.router.add_post("/internal/telemetry/owned", own_events.receive_owned)
    app.router.add_get("/internal/placement", placement.show)
    return app
