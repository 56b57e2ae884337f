"""The shepherd role: the public listener, the internal one, and everything behind them.

Answers only after the log has the events (I1); needs metadata only for what it does not know yet
(I8); stops by refusing new work and finishing what is in flight.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError

from common import limits
from common.errors import BellwetherError, MetadataUnavailable
from common.logs import log_event
from common.metadata import Metadata
from common.process.alarms.board import AlarmBoard
from common.process.announce import Announcement
from common.process.auth import KeyCache
from common.process.draining import close_connections, linger
from common.process.http.descriptors import Part, capacity, open_files
from common.process.http.gate import KEEP_ALIVE_S, Gate, Rules
from common.process.http.room import Room
from common.process.http.serving import inner_of, listen, now_s
from common.process.role import RoleContext
from common.process.telemetry import Telemetry, TelemetryQueue
from common.process.web import (
    Handler,
    add_health_routes,
    error_response,
    require_internal_token,
)
from shepherd.admission import KeyLimits
from shepherd.config import ShepherdConfig
from shepherd.datasets import DatasetCache
from shepherd.delivery.backpressure import Backpressure
from shepherd.delivery.batcher import Batcher
from shepherd.delivery.delivery import Delivery
from shepherd.delivery.prober import Prober
from shepherd.honeycomb.auth_route import AuthRoute
from shepherd.honeycomb.ingest import Ingest, IngestParts, authenticate
from shepherd.honeycomb.split.active import ActiveSplitter
from shepherd.http.cors import ASKED_METHOD, ORIGIN, Cors
from shepherd.http.listener import INTERNAL_ERROR, Listener, request_counter
from shepherd.http.origins import Origins
from shepherd.http.query_proxy import QueryProxy
from shepherd.http.request import Route, from_aiohttp, to_aiohttp
from shepherd.own_events import OwnEvents
from shepherd.placement.placement import PartitionSelector
from shepherd.placement.route import PlacementRoute
from shepherd.request_summary import RequestSummary
from shepherd.shares import Shares

_UPKEEP_INTERVAL_S = 1.0
_PUBLIC_RULES = Rules(patient=(b"/1/events/", b"/1/batch/", b"/1/auth"))
_logger = logging.getLogger(__name__)
# What aiohttp itself complains of are clients' broken requests, quoted: they may hold a key.
_protocol_logger = logging.getLogger("shepherd.protocol")
_protocol_logger.setLevel(logging.CRITICAL)


async def serve(
    context: RoleContext,
    config: ShepherdConfig,
    announce: Callable[[str], None] = lambda url: None,
) -> None:
    """Run the role until `context.stop` is set and everything in flight is answered.

    `announce` is called with the public base URL once it listens and has announced itself.
    """
    partitions = (await context.backends.log.open()).partitions
    backends, clock, folder = context.backends, context.clock, context.folder
    keys = KeyCache(backends.metadata, clock, folder / "keys.json")
    datasets = DatasetCache(
        backends.metadata, clock, folder / "datasets.json", context.datasets_max
    )
    key_limits = KeyLimits(clock, folder / "quotas.json")
    placement = PartitionSelector(
        partitions,
        backends.log.leader,
        context.random,
        clock.monotonic_ns(),
        config.named_partitions,
    )
    delivery = Delivery(backends.log, placement, clock, config.ack_timeout_s)
    probing = Prober(backends.log, placement, delivery, clock)
    batcher = Batcher(delivery, context.random, config.linger_ms)
    in_flight = Shares(config.in_flight_bytes_max)
    most = capacity(
        Part.PUBLIC, open_files(), config.connections_max, config.connections_per_address_max
    )
    room = Room(most, now_s)
    pressure = Backpressure(placement.health, in_flight, clock, config)
    summary = RequestSummary(context.telemetry)
    proxy = QueryProxy(backends.locks, keys, context.random, config.proxied_requests_max)
    own = OwnEvents(config, backends.metadata, datasets, batcher, clock)
    splitter = ActiveSplitter(config.string_bytes_max)
    ingest = Ingest(
        IngestParts(
            splitter,
            config.string_bytes_max,
            keys,
            datasets,
            batcher,
            in_flight,
            Shares(most.all),
            pressure,
            key_limits,
            clock,
            summary,
        )
    )
    readiness = Readiness(keys, backends.metadata)

    cors = Cors(Origins(config.cors_origins))
    public = web.Application(middlewares=[answer_errors])
    for route in Route:
        for pattern in (route.pattern, f"{route.pattern}/"):
            public.router.add_post(pattern, _through_aiohttp(ingest, route))
    if cors.on:
        _tell_pages(public, cors, _wrong_method(keys))
    public.router.add_get("/1/auth", AuthRoute(keys).auth)
    public.router.add_get("/x/alive", _alive)
    public.router.add_get("/1/auth/", AuthRoute(keys).auth)
    for path in (*(route.pattern for route in Route), "/1/auth"):
        for known in (path, f"{path}/"):
            public.router.add_route("*", known, _wrong_method(keys))
    public.router.add_route("*", "/{tail:.*}", proxy.forward)
    internal = web.Application(
        middlewares=[answer_errors, require_internal_token(context.internal_token)]
    )
    add_health_routes(internal, readiness.not_ready, context.stop)
    close_connections(public, context.stop)
    internal.router.add_post("/internal/telemetry", own.receive)
    shown = PlacementRoute(placement, clock, splitter, context.alarms, room)
    internal.router.add_get("/internal/placement", shown.show)

    public_runner, internal_runner = await _runner(public, config), await _runner(internal, config)
    inner = inner_of(public_runner)
    listener = Listener(
        ingest.take, lambda: Gate(inner, _PUBLIC_RULES, now_s), clock, context.stop, cors
    )
    await listen(
        public_runner,
        "public",
        config.host,
        config.port,
        room=room,
        connect=listener.connect,
        tls=_tls(config),
        reuse_port=config.reuse_port and config.port > 0,
    )
    await listen(internal_runner, "internal", context.host, context.port, part=Part.ASIDE)
    public_url = f"{'https' if config.tls_cert else 'http'}://{_address(public_runner)}"
    log_event(_logger, logging.INFO, "listening", public=public_url)
    port = int(internal_runner.addresses[0][1])
    reached = _reached(public_url, context.advertise_host or "127.0.0.1")
    member = msgspec.structs.replace(context.member(port), public_url=reached)
    announcement = Announcement(backends.locks, member)
    await announcement.renew()
    await readiness.look()
    announce(public_url)
    keeping = asyncio.create_task(announcement.keep())
    upkeep = [
        asyncio.create_task(_every_second(proxy.refresh)),
        asyncio.create_task(_every_second(datasets.register_pending)),
        asyncio.create_task(_every_second(datasets.confirm_used)),
        asyncio.create_task(_every_second(readiness.look)),
        asyncio.create_task(_every_second(_alarming(context.alarms, placement, keys, room))),
        asyncio.create_task(probing.keep()),
    ]
    upkeep.append(asyncio.create_task(_every_second(_sweep(listener))))
    tell = _tell(context.telemetry, summary, own)
    upkeep.append(asyncio.create_task(_every_second(tell)))
    stopped = asyncio.create_task(context.stop.wait())
    compiling = asyncio.create_task(_compile(splitter, context, config))
    try:
        await asyncio.wait({stopped, *upkeep}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        keeping.cancel()
        compiling.cancel()
        await asyncio.gather(keeping, compiling, return_exceptions=True)
        await announcement.withdraw()
        if context.stop.is_set():
            await linger(backends.locks, member, config.drain_ms)
        await asyncio.gather(public_runner.cleanup(), listener.end(config.stop_timeout_s))
        ended = [task for task in upkeep if task.done()]
        for task in upkeep:
            task.cancel()
        ingest.close()
        await batcher.close()
        await proxy.close()
        await internal_runner.cleanup()
        for part in (keys, datasets, key_limits):
            await part.close()
    for task in ended:
        task.result()  # upkeep ends only by a fault of ours: let the role fail loudly


async def _compile(splitter: ActiveSplitter, context: RoleContext, config: ShepherdConfig) -> None:
    if config.kernel:
        folder = Path(config.kernel_cache) if config.kernel_cache else context.folder / "kernel"
        await splitter.activate_kernel(folder)


async def _every_second(work: Callable[[], Awaitable[object]]) -> None:
    while True:
        await asyncio.sleep(_UPKEEP_INTERVAL_S)
        await work()


def _alarming(
    board: AlarmBoard, placement: PartitionSelector, keys: KeyCache, room: Room
) -> Callable[[], Awaitable[object]]:
    async def look() -> None:
        board.set("pushes_back", placement.health.pressure or None)
        board.set("metadata_replaced", keys.metadata_replaced)
        board.set("connections_refused", room.trouble())

    return look


def _sweep(listener: Listener) -> Callable[[], Awaitable[object]]:
    async def sweep() -> None:
        listener.sweep()

    return sweep


def _tell(
    queue: Telemetry, summary: RequestSummary, own: OwnEvents
) -> Callable[[], Awaitable[object]]:
    async def tell() -> None:
        summary.flush()
        if isinstance(queue, TelemetryQueue) and (body := queue.take()):
            await own.store(body)

    return tell


class Readiness:
    """Not ready while cold without metadata: a rolling restart stops there (design, section 5)."""

    def __init__(self, keys: KeyCache, metadata: Metadata) -> None:
        self._keys = keys
        self._metadata = metadata
        self._reason: str | None = "it is starting"

    def not_ready(self) -> str | None:
        """Why requests should not come here, or None."""
        return self._reason

    async def look(self) -> None:
        """Ask metadata for a key that cannot exist, unless keys are known already."""
        if self._keys.size:
            self._reason = None
            return
        try:
            await asyncio.to_thread(self._metadata.find_key, "")
        except MetadataUnavailable as error:
            self._reason = f"no key is known yet and metadata does not answer: {error}"
        else:
            self._reason = None


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"source": "bellwether", "alive": "yes"})


def _wrong_method(keys: KeyCache) -> Handler:
    """What a method gets that a path does not know: first the key is judged, as everywhere."""

    async def refuse(request: web.Request) -> web.Response:
        await authenticate(request.headers, keys)
        allowed = "GET, HEAD" if request.path.startswith("/1/auth") else "POST"
        error = {"error": f"method not allowed; use {allowed}"}
        return web.json_response(error, status=405, headers={"Allow": allowed})

    return refuse


def _tell_pages(app: web.Application, cors: Cors, otherwise: Handler) -> None:
    """Have pages told whether they may send events, also by answers that are errors."""
    patterns = {f"{route.pattern}{end}" for route in Route for end in ("", "/")}

    async def preflight(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get(ORIGIN)
        if origin is None or ASKED_METHOD not in request.headers:
            return await otherwise(request)
        return to_aiohttp(cors.preflight(origin))

    async def mark(request: web.Request, response: web.StreamResponse) -> None:
        if _route(request) in patterns:
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
        raise  # the client is gone: nobody to answer
    except (web.RequestPayloadError, PayloadEncodingError):  # broken chunks
        response = web.json_response({"error": "the request's body cannot be read"}, status=400)
        response.force_close()
    except Exception:
        _logger.exception("a request failed")
        response = web.json_response({"error": INTERNAL_ERROR}, status=500)
    request_counter(_route(request), response.status).inc()
    return response


def _route(request: web.Request) -> str:
    """The route's pattern: a label with few values, whatever clients ask for."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def _through_aiohttp(ingest: Ingest, route: Route) -> Handler:
    """Requests for events that the hot door leaves to aiohttp."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return to_aiohttp(await ingest.take(from_aiohttp(request, route)))

    return handle


async def _runner(app: web.Application, config: ShepherdConfig) -> web.AppRunner:
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
        shutdown_timeout=config.stop_timeout_s,
    )
    await runner.setup()
    return runner


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reached(url: str, host: str) -> str:
    """The public URL as others can use it: `host` instead of an address that means all."""
    host = f"[{host}]" if ":" in host else host
    return url.replace("//0.0.0.0:", f"//{host}:").replace("//[::]:", f"//{host}:")


def _tls(config: ShepherdConfig) -> ssl.SSLContext | None:
    if not config.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(config.tls_cert, config.tls_key or None)
    return context
