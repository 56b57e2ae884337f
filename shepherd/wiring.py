"""Builds the parts of a shepherd and connects them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from common.process.auth import KeyCache
from common.process.http.connection_limits import ConnectionLimits
from common.process.http.descriptors import DescriptorShare, capacity, open_files
from common.process.http.service import now_s
from common.process.role import RoleContext
from common.process.sessions import Sessions
from shepherd.admission.decode_pool import DecodePool
from shepherd.admission.key_limits import KeyLimits
from shepherd.admission.shares import Shares
from shepherd.config import ShepherdConfig
from shepherd.datasets.cache import DatasetCache
from shepherd.delivery.appends import Appends
from shepherd.delivery.backpressure import Backpressure
from shepherd.delivery.batcher import Batcher
from shepherd.delivery.delivery import Delivery
from shepherd.delivery.prober import Prober
from shepherd.honeycomb.protocol import HoneycombProtocol
from shepherd.http.query_proxy import QueryProxy
from shepherd.ingest.accept import AcceptParts
from shepherd.ingest.protocol import IngestProtocol, MakeProtocol, ProtocolParts
from shepherd.internal_routes import Readiness
from shepherd.otlp.protocol import OtlpProtocol
from shepherd.own_events import OwnEvents
from shepherd.placement.selector import PartitionSelector
from shepherd.request_summary import RequestSummary
from shepherd.zipkin.protocol import ZipkinProtocol

PROTOCOLS: Final[Sequence[MakeProtocol]] = (HoneycombProtocol, OtlpProtocol, ZipkinProtocol)
"""The ingest protocols of the shepherd."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a shepherd."""

    keys: KeyCache
    datasets: DatasetCache
    key_limits: KeyLimits
    selector: PartitionSelector
    prober: Prober
    batcher: Batcher
    connection_limits: ConnectionLimits
    decode_pool: DecodePool
    summary: RequestSummary
    protocols: Sequence[IngestProtocol]
    proxy: QueryProxy
    own_events: OwnEvents
    readiness: Readiness

    async def close_ingest(self) -> None:
        """Close the parts that serve requests. Call it when no request is in flight."""
        self.decode_pool.close()
        await self.batcher.close()
        await self.proxy.close()

    async def close_caches(self) -> None:
        """Close the caches on the role's disk."""
        for part in (self.keys, self.datasets, self.key_limits):
            await part.close()


async def build_parts(
    context: RoleContext, config: ShepherdConfig, protocols: Sequence[MakeProtocol]
) -> Parts:
    """All parts of the role; nothing runs yet. Raises LogUnavailable."""
    partitions = (await context.backends.log.open()).partitions
    backends, clock, folder = context.backends, context.clock, context.folder
    keys = KeyCache(backends.metadata, clock, folder / "keys.json")
    datasets = DatasetCache(
        backends.metadata, clock, folder / "datasets.json", context.datasets_max
    )
    key_limits = KeyLimits(clock, folder / "quotas.json")
    selector = PartitionSelector(
        partitions,
        backends.log.leader,
        context.random,
        clock.monotonic_ns(),
        config.named_partitions,
    )
    appends = Appends(backends.log, selector.health, clock)
    delivery = Delivery(appends, selector, clock, config.ack_timeout_s)
    batcher = Batcher(delivery, context.random, config.linger_ms)
    in_flight = Shares(config.in_flight_bytes_max)
    connection_capacity = capacity(
        DescriptorShare.PUBLIC,
        open_files(),
        config.connections_max,
        config.connections_per_address_max,
    )
    summary = RequestSummary(context.telemetry)
    decode_pool = DecodePool()
    accept = AcceptParts(
        datasets=datasets,
        batcher=batcher,
        in_flight=in_flight,
        requests=Shares(connection_capacity.all),
        backpressure=Backpressure(selector.health, in_flight, clock, config),
        key_limits=key_limits,
        clock=clock,
        summary=summary,
        decode_pool=decode_pool,
    )
    protocol_parts = ProtocolParts(
        accept, keys, backends.metadata, clock, config, folder, context.random
    )
    return Parts(
        keys=keys,
        datasets=datasets,
        key_limits=key_limits,
        selector=selector,
        prober=Prober(backends.log, selector, appends, clock),
        batcher=batcher,
        connection_limits=ConnectionLimits(connection_capacity, now_s),
        decode_pool=decode_pool,
        summary=summary,
        protocols=[make(protocol_parts) for make in protocols],
        proxy=QueryProxy(
            backends.locks,
            keys,
            Sessions(backends.metadata, clock),
            context.random,
            config.proxied_requests_max,
        ),
        own_events=OwnEvents(config, backends.metadata, datasets, batcher, clock),
        readiness=Readiness(keys, backends.metadata),
    )
