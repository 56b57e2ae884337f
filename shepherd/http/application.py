"""The public aiohttp application: what the fast path does not answer, and everything else.

Routes of events first, then `/1/auth`, then what goes on to a query role.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError

from common import limits
from common.errors import BellwetherError
from common.process.auth import KeyCache
from common.process.http.service import KEEP_ALIVE_S
from common.process.web import Handler, error_response
from shepherd.http.authentication import authenticate
from shepherd.http.cors import ASKED_METHOD, ORIGIN, Cors
from shepherd.http.request import (
    INTERNAL_ERROR,
    IngestRequest,
    IngestResponse,
    Route,
    from_aiohttp,
    request_counter,
    to_aiohttp,
)

Take = Callable[[IngestRequest], Awaitable[IngestResponse]]
"""Stores a request's events. Raises BellwetherError for a request that is refused as a whole."""

_AUTH_PATH: Final = "/1/auth"
_logger = logging.getLogger(__name__)
# aiohttp's own messages about clients' broken requests quote them: they may hold a key.
_protocol_logger = logging.getLogger("shepherd.protocol")
_protocol_logger.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class PublicHandlers:
    """What answers the public routes.

    take: requests for events.
    auth: `GET /1/auth`.
    forward: every other path.
    """

    take: Take
    auth: Handler
    forward: Handler


def public_application(handlers: PublicHandlers, keys: KeyCache, cors: Cors) -> web.Application:
    """The application of the public port."""
    app = web.Application(middlewares=[answer_errors])
    wrong_method = _wrong_method(keys)
    for route in Route:
        for path in _with_slash(route.pattern):
            app.router.add_post(path, _take_from_aiohttp(handlers.take, route))
    if cors.on:
        _add_cors(app, cors, wrong_method)
    app.router.add_get("/x/alive", _alive)
    for path in _with_slash(_AUTH_PATH):
        app.router.add_get(path, handlers.auth)
    for known in (*(route.pattern for route in Route), _AUTH_PATH):
        for path in _with_slash(known):
            app.router.add_route("*", path, wrong_method)
    app.router.add_route("*", "/{tail:.*}", handlers.forward)
    return app


def _with_slash(path: str) -> tuple[str, str]:
    return path, f"{path}/"


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"source": "bellwether", "alive": "yes"})


def _take_from_aiohttp(take: Take, route: Route) -> Handler:
    """Requests for events that the fast path leaves to aiohttp."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return to_aiohttp(await take(from_aiohttp(request, route)))

    return handle


def _wrong_method(keys: KeyCache) -> Handler:
    """405 for a method that a path does not have; the key is checked first, as everywhere."""

    async def refuse(request: web.Request) -> web.Response:
        await authenticate(request.headers, keys)
        allowed = "GET, HEAD" if request.path.startswith(_AUTH_PATH) else "POST"
        error = {"error": f"method not allowed; use {allowed}"}
        return web.json_response(error, status=405, headers={"Allow": allowed})

    return refuse


def _add_cors(app: web.Application, cors: Cors, wrong_method: Handler) -> None:
    """Answer preflights, and add the headers of CORS to every answer, errors too."""
    patterns = {path for route in Route for path in _with_slash(route.pattern)}

    async def preflight(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get(ORIGIN)
        if origin is None or ASKED_METHOD not in request.headers:
            return await wrong_method(request)
        return to_aiohttp(cors.preflight(origin))

    async def mark(request: web.Request, response: web.StreamResponse) -> None:
        if _route_label(request) in patterns:
            response.headers.update(cors.headers(request.headers.get(ORIGIN)))

    for pattern in patterns:
        app.router.add_route("OPTIONS", pattern, preflight)
    app.on_response_prepare.append(mark)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors as the API's JSON bodies; every answer counted. The role's outermost loop."""
    try:
        response = await handler(request)
    except BellwetherError as error:
        response = error_response(error)
    except web.HTTPException as error:  # aiohttp's own 404 and 405
        response = web.json_response({"error": error.reason}, status=error.status)
    except ConnectionError:
        raise  # the client is gone: there is nothing to answer
    except (web.RequestPayloadError, PayloadEncodingError):  # broken chunks
        response = web.json_response({"error": "the request's body cannot be read"}, status=400)
        response.force_close()
    except Exception:
        _logger.exception("a request failed")
        response = web.json_response({"error": INTERNAL_ERROR}, status=500)
    request_counter(_route_label(request), response.status).inc()
    return response


def _route_label(request: web.Request) -> str:
    """The route's pattern: a label with few values, whatever clients ask for."""
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
