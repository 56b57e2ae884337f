"""The public aiohttp application: every request that the fast path does not serve.

Routes for events come first, then the protocols' other routes, then the proxy to a query role.
"""

import logging
from collections.abc import Callable, Sequence

from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError

from common import limits
from common.errors import BellwetherError
from common.process.auth import KeyCache
from common.process.http.service import KEEP_ALIVE_S
from common.process.trace_context import current_trace_id, trace_requests
from common.process.web import Handler, error_response
from shepherd.http.cors import ORIGIN, REQUEST_METHOD, Cors
from shepherd.http.key_header import authenticate
from shepherd.http.request import (
    INTERNAL_ERROR,
    IngestRoute,
    from_aiohttp,
    naming_trace,
    request_counter,
    to_aiohttp,
)

AddRoutes = Callable[[web.Application], None]

_logger = logging.getLogger(__name__)
# aiohttp's own messages quote malformed requests, which may contain a key.
_protocol_logger = logging.getLogger("shepherd.ingest.protocol")
_protocol_logger.setLevel(logging.CRITICAL)


def public_application(
    routes: Sequence[IngestRoute],
    add_others: Sequence[AddRoutes],
    forward: Handler,
    keys: KeyCache,
    cors: Cors,
) -> web.Application:
    """The application of the public port.

    routes: for events.
    add_others: each adds a protocol's other routes.
    forward: answers every other path.
    """
    app = web.Application(middlewares=[answer_errors])
    trace_requests(app)
    refuse = wrong_method(keys, "POST")
    for route in routes:
        for path in with_slash(route.pattern):
            app.router.add_post(path, _take_from_aiohttp(route))
            if route.is_read_elsewhere:
                app.router.add_get(path, forward)
    if cors.on:
        _add_cors(app, routes, cors, refuse)
    app.router.add_get("/x/alive", _alive)
    for route in routes:
        for path in with_slash(route.pattern):
            app.router.add_route("*", path, refuse)
    for add in add_others:
        add(app)
    app.router.add_route("*", "/{tail:.*}", forward)
    return app


def with_slash(path: str) -> tuple[str, str]:
    """The path without and with a slash at its end: clients write both."""
    return path, f"{path}/"


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"source": "bellwether", "alive": "yes"})


def _take_from_aiohttp(route: IngestRoute) -> Handler:
    """The handler of requests for events that the fast path delegates to aiohttp."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            response = await route.take(from_aiohttp(request, route))
        except BellwetherError as error:
            response = route.error_response(error)
        return to_aiohttp(naming_trace(response, current_trace_id()))

    return handle


def wrong_method(keys: KeyCache, allowed: str) -> Handler:
    """405 for a method that a path does not have; the key is checked first, as everywhere."""

    async def refuse(request: web.Request) -> web.Response:
        await authenticate(request.headers, keys)
        error = {"error": f"method not allowed; use {allowed}"}
        return web.json_response(error, status=405, headers={"Allow": allowed})

    return refuse


def _add_cors(
    app: web.Application, routes: Sequence[IngestRoute], cors: Cors, refuse: Handler
) -> None:
    """Answer preflights, and add the headers of CORS to every response, errors too."""
    patterns = {path for route in routes for path in with_slash(route.pattern)}

    async def preflight(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get(ORIGIN)
        if origin is None or REQUEST_METHOD not in request.headers:
            return await refuse(request)
        return to_aiohttp(cors.preflight(origin))

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        if _route_label(request) in patterns:
            response.headers.update(cors.headers(request.headers.get(ORIGIN)))

    for pattern in patterns:
        app.router.add_route("OPTIONS", pattern, preflight)
    app.on_response_prepare.append(add_headers)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors as the API's JSON bodies; every response counted. The role's outermost loop."""
    try:
        response = await handler(request)
    except BellwetherError as error:
        response = error_response(error)
    except web.HTTPException as error:  # aiohttp's own 404 and 405
        response = web.json_response({"error": error.reason}, status=error.status)
    except ConnectionError:
        raise  # the client has disconnected
    except (web.RequestPayloadError, PayloadEncodingError):  # malformed chunks
        response = web.json_response({"error": "the request's body cannot be read"}, status=400)
        response.force_close()
    except Exception:
        _logger.exception("a request failed")
        response = web.json_response({"error": INTERNAL_ERROR}, status=500)
    request_counter(_route_label(request), response.status).inc()
    return response


def _route_label(request: web.Request) -> str:
    """The route's pattern: a label with few values for any paths that clients request."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


async def application_runner(app: web.Application, stop_timeout_s: float) -> web.AppRunner:
    """The application, ready to serve connections."""
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_protocol_logger,
        auto_decompress=False,  # bodies are decompressed within our own limits
        handler_cancellation=True,
        keepalive_timeout=KEEP_ALIVE_S,
        max_line_size=limits.HEADER_LINE_BYTES_MAX,
        max_field_size=limits.HEADER_LINE_BYTES_MAX,
        shutdown_timeout=stop_timeout_s,
    )
    await runner.setup()
    return runner
