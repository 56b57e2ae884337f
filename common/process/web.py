"""HTTP parts that every role shares: health, metrics, the internal token, error bodies."""

import asyncio
import hmac
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from common.errors import BellwetherError
from common.metrics import REGISTRY
from common.process.draining import STOPPING, add_stop_route, close_connections

__all__ = [
    "INTERNAL_TOKEN_HEADER",
    "Handler",
    "Middleware",
    "add_health_routes",
    "error_response",
    "has_hung_up",
    "require_internal_token",
]
INTERNAL_TOKEN_HEADER = "X-Bellwether-Internal-Token"


def error_response(error: BellwetherError) -> web.Response:
    """The error as the API's plain JSON body, with `Retry-After` where it has one."""
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return web.json_response({"error": str(error)}, status=error.status, headers=headers)


def has_hung_up(request: web.Request) -> bool:
    """Whether the client has closed the connection."""
    return request.transport is None or request.transport.is_closing()


def add_health_routes(
    app: web.Application, not_ready: Callable[[], str | None], stop: asyncio.Event | None = None
) -> None:
    """Serve /healthz, /readyz (503 with the reason that `not_ready` gives) and /metrics.

    A role that is stopping is not ready, and closes its connections.
    """

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        reason = STOPPING if stop is not None and stop.is_set() else not_ready()
        if reason is None:
            return web.json_response({"status": "ready"})
        return web.json_response({"status": "not ready", "reason": reason}, status=503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    if stop is not None:
        close_connections(app, stop)
        add_stop_route(app, stop)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


def require_internal_token(token: str) -> Middleware:
    """A middleware that refuses `/internal/` paths without the token (constant-time compare)."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/internal/"):
            given = request.headers.get(INTERNAL_TOKEN_HEADER, "")
            if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()):
                return web.json_response({"error": "internal token required"}, status=401)
        return await handler(request)

    return check
