"""The shepherd role: listens, announces itself, runs until it is stopped, and drains.

It acknowledges events only once the log has them (I1), needs metadata only for keys and datasets
that are not cached (I8), and stops by refusing new work and finishing requests in flight.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from aiohttp import web

from common.logs import log_event
from common.process.announce import Announcement
from common.process.draining import close_connections, wait_for_drain
from common.process.http.acceptor import Acceptor
from common.process.http.descriptors import DescriptorShare
from common.process.http.service import Paths, Service, Timing
from common.process.http.serving import aiohttp_ends, listen
from common.process.members import Member
from common.process.role import RoleContext
from shepherd.config import ShepherdConfig
from shepherd.http.application import application_runner, public_application
from shepherd.http.cors import Cors
from shepherd.http.fast_path import EventsFastPath
from shepherd.http.origins import Origins
from shepherd.http.tls import tls_context
from shepherd.ingest.protocol import IngestProtocol, MakeProtocol, ProtocolListener
from shepherd.internal_routes import internal_application
from shepherd.placement.route import PlacementRoute
from shepherd.upkeep import Upkeep, start_upkeep
from shepherd.wiring import PROTOCOLS, Parts, build_parts

_logger = logging.getLogger(__name__)


async def serve(
    context: RoleContext,
    config: ShepherdConfig,
    announce: Callable[[str], None] = lambda url: None,
    timing: Timing | None = None,
    protocols: Sequence[MakeProtocol] = PROTOCOLS,
) -> None:
    """Run the role until `context.stop` is set and everything in flight is answered.

    `announce` is called with the public base URL once it listens and has announced itself.
    timing: of the public port's connections, if it is not the default.
    """
    parts = await build_parts(context, config, protocols)
    ports = await _listen(parts, context, config, timing or Timing())
    public_url = f"{'https' if config.tls_cert else 'http'}://{_address(ports.public)}"
    log_event(_logger, logging.INFO, "listening", public=public_url)
    member = _member(context, ports, public_url)
    announcement = Announcement(context.backends.locks, member)
    await announcement.renew()
    await parts.readiness.refresh()
    announce(public_url)
    upkeep = Upkeep()
    try:
        async with upkeep:
            start_upkeep(upkeep, parts, context, announcement)
            try:
                await upkeep.wait_for_stop(context.stop)
            finally:
                await upkeep.end_optional()
                await announcement.withdraw()
                if context.stop.is_set():
                    await wait_for_drain(context.backends.locks, member, config.drain_ms)
                await ports.drain(config.stop_timeout_s)
    finally:
        await parts.close_ingest()
        await ports.internal.cleanup()
        await parts.close_caches()
    upkeep.raise_failure()


@dataclass(frozen=True, slots=True)
class _Ports:
    """The listeners of the role."""

    public: web.AppRunner
    internal: web.AppRunner
    acceptor: Acceptor
    others: Sequence[ProtocolListener]  # of protocols that own one

    async def drain(self, timeout_s: float) -> None:
        """Close the public ports: refuse new requests, and finish those in flight."""
        drains = [listener.drain(timeout_s) for listener in (self.acceptor, *self.others)]
        await asyncio.gather(self.public.cleanup(), *drains)


async def _listen(
    parts: Parts, context: RoleContext, config: ShepherdConfig, timing: Timing
) -> _Ports:
    """Listen on all ports. Raises OSError if one cannot be had."""
    protocols = parts.protocols
    headers = [name for protocol in protocols for name in protocol.browser_headers]
    cors = Cors(Origins(config.cors_origins), headers)
    routes = [route for protocol in protocols for route in protocol.routes]
    add_others = [protocol.add_routes for protocol in protocols]
    public_app = public_application(routes, add_others, parts.proxy.forward, parts.keys, cors)
    close_connections(public_app, context.stop)
    placement = PlacementRoute(
        parts.selector,
        context.clock,
        [protocol.status for protocol in protocols],
        context.alarms,
        parts.connection_limits,
    )
    internal_app = internal_application(context, parts.readiness, parts.own_events, placement)
    public = await application_runner(public_app, config.stop_timeout_s)
    internal = await application_runner(internal_app, config.stop_timeout_s)
    fast_path = EventsFastPath(routes, context.clock, cors) if config.fast_path else None
    service = Service(
        aiohttp_ends(public), _public_paths(protocols), timing, fast_path, context.stop
    )
    acceptor = await listen(
        public,
        "public",
        config.host,
        config.port,
        connection_limits=parts.connection_limits,
        service=service,
        tls=tls_context(config.tls_cert, config.tls_key),
        reuse_port=config.reuse_port and config.port > 0,
    )
    await listen(
        internal, "internal", context.host, context.port, share=DescriptorShare.BESIDE_PUBLIC
    )
    others = [one for protocol in protocols if (one := await protocol.listen()) is not None]
    return _Ports(public, internal, acceptor, others)


def _public_paths(protocols: Sequence[IngestProtocol]) -> Paths:
    """The protocols' paths, which are served to clients that have closed their sending side."""
    events = tuple(
        (f"{route.path}/" if route.has_name else route.path).encode()
        for protocol in protocols
        for route in protocol.routes
    )
    others = [path.encode() for protocol in protocols for path in protocol.other_paths]
    return Paths(half_closed=(*events, *others), own_encodings=events)


def _member(context: RoleContext, ports: _Ports, public_url: str) -> Member:
    """The announcement of this process."""
    port = int(ports.internal.addresses[0][1])
    reachable = _reachable(public_url, context.advertise_host or "127.0.0.1")
    return msgspec.structs.replace(context.member(port), public_url=reachable)


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reachable(url: str, host: str) -> str:
    """The public URL for other hosts: `host` replaces a wildcard address."""
    host = f"[{host}]" if ":" in host else host
    return url.replace("//0.0.0.0:", f"//{host}:").replace("//[::]:", f"//{host}:")
