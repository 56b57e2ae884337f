"""The indexer's process: claims, partitions, internal HTTP, and a clean stop (I6, I8)."""

import asyncio
import logging
import os
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from common import limits
from common.log.watch import LogWatch
from common.logs import log_event
from common.metrics import lag_records
from common.process.announce import Announcement
from common.process.http.serving import listen
from common.process.members import Member
from common.process.role import RoleContext
from common.process.web import add_health_routes, require_internal_token
from indexer.claims.claims import Claims
from indexer.config import IndexerConfig
from indexer.damage import peers
from indexer.damage.reappend import RecordsEndpoint
from indexer.damage.recovery import DamageRecovery
from indexer.expiry.clocks import Clocks
from indexer.expiry.reference_clocks import ReferenceClocks
from indexer.kernel_wait import KernelWait
from indexer.metadata_exporter import MetadataExporter
from indexer.partition.maintenance import PartitionMaintenance
from indexer.partition.memory_budget import LiveBudget
from indexer.partition.partition import Partition
from indexer.partition.retention_settings import Retentions
from indexer.partition.shared import Shared
from indexer.prefetch import Prefetcher
from indexer.repair.object_repair import ObjectRepair
from indexer.repair.object_walk import ObjectWalk
from indexer.repair.rebuild import SegmentRebuilder
from indexer.repair.twin_segments import SegmentEndpoint, TwinSegments
from indexer.rerouting.batch_lookup_route import BatchLookupEndpoint
from indexer.rerouting.resolver import Resolver
from indexer.serve.column_listing import ColumnListing
from indexer.serve.column_routes import ColumnEndpoints
from indexer.serve.footers import Footers
from indexer.serve.leases import PartitionLeases
from indexer.serve.routes import Endpoints
from indexer.shred.active import ActiveShredder
from indexer.tail.registry import TailRegistry
from query.share.route import ShareEndpoint
from segment.parquet.active import ActiveEncoders
from snapshot.bootstrap.fetch_segments import Fetching
from snapshot.cache import SegmentCache
from snapshot.documents.epochs import refuse_fewer_partitions

_HTTP_GRACE_S = 1.0
logger = logging.getLogger(__name__)


class Indexer:
    """The partitions that this process holds, and the tasks that run them."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.partitions: dict[int, Partition] = {}
        self._tasks: dict[int, list[asyncio.Task[None]]] = {}

    async def gain(self, number: int) -> None:
        """Begin to index a partition, unless that has begun."""
        if number in self._tasks:
            return
        partition = Partition(number, self.shared)
        self.partitions[number] = partition
        self._tasks[number] = [
            asyncio.create_task(partition.run()),
            asyncio.create_task(PartitionMaintenance(partition).run()),
            asyncio.create_task(Resolver(partition).run()),
            asyncio.create_task(DamageRecovery(partition).run()),
        ]

    async def lose(self, number: int) -> None:
        """Stop indexing a partition that another process goes on with."""
        await self._end(number)
        self.shared.context.alarms.forget(number)  # they are for its next holder to raise

    async def _end(self, number: int) -> None:
        self.partitions.pop(number, None)
        tasks = self._tasks.pop(number, [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(KeyError):
            lag_records.remove(str(number))  # a lag that nobody measures any more is none

    async def close(self) -> None:
        """Stop indexing all of them."""
        for number in list(self._tasks):
            await self._end(number)

    def follow(self, log_id: str) -> None:
        """Have partitions that are still in another log than this one resumed: in a new epoch."""
        for partition in self.partitions.values():
            if partition.view is not None and partition.view.epoch.log != log_id:
                partition.ask_resync(f"the log is {log_id} now, not {partition.view.epoch.log}")

    def not_ready(self, number: int) -> str | None:
        """Why this indexer is not caught up with the partition."""
        partition = self.partitions.get(number)
        if partition is None:
            return f"partition {number} is not claimed"
        if partition.view is None:
            return f"partition {number} is being resumed"
        if partition.stopped_reason is not None:
            return f"partition {number} {partition.stopped_reason}"
        if partition.lag > self.shared.config.ready_lag_records:
            return f"partition {number} lags by {partition.lag} records"
        if partition.view.live.end_offset < partition.catch_up_to:
            return f"partition {number} is catching up with the log"
        return None


class Readiness:
    """An indexer is ready when it has caught up with all that it should hold."""

    def __init__(self, indexer: Indexer) -> None:
        self._indexer = indexer
        self.claims: Claims | None = None  # from when it listens

    def not_ready(self) -> str | None:
        """Why queries should not come here yet, or None."""
        if self._indexer.shared.watch.rejected:
            return self._indexer.shared.watch.rejected
        should_hold = None if self.claims is None else self.claims.should_hold()
        if should_hold is None:
            return "it is not known yet which partitions to hold: the locks have not answered"
        reasons = (self._indexer.not_ready(number) for number in should_hold)
        return next((reason for reason in reasons if reason is not None), None)

    def describe(self) -> dict[str, object]:
        """The claims, for the status."""
        return {} if self.claims is None else self.claims.describe()


async def serve(context: RoleContext, config: IndexerConfig) -> None:
    """Run the indexer until `context.stop` is set and what is in flight is finished."""
    watch = LogWatch(context.backends.log, await context.backends.log.open(), context.clock)
    await asyncio.to_thread(refuse_fewer_partitions, context.backends.objects, watch.partitions)
    objects, log = context.backends.objects, context.backends.log
    cache = await asyncio.to_thread(
        SegmentCache, objects, context.folder / "segments", config.segment_cache_bytes
    )
    shredder, encoders = ActiveShredder(), ActiveEncoders()
    context.giving_back.add(shredder.give_back)
    kernel_wait = KernelWait(context.clock, config.kernel_wait_ms)
    tails = TailRegistry()
    budget = LiveBudget(config.live_bytes_max, config.unpublished_bytes_max)
    rebuilder = SegmentRebuilder(log, objects, cache, shredder, encoders, context.folder / "repair")
    fetching = Fetching(cache, config.segment_fetches)
    prefetch_threads = Fetching(cache, config.segment_fetches)
    prefetcher = Prefetcher(
        prefetch_threads, config.segment_fetches, config.segment_cache_bytes, context.clock
    )
    retentions = Retentions(context.backends.metadata, context.clock, config.retention_days)
    clocks = await asyncio.to_thread(
        Clocks,
        context.clock,
        context.folder / "expiry" / "clock.json",
        servers_elsewhere=config.clock_witnesses,
    )
    indexer = Indexer(
        Shared(
            context,
            config,
            watch,
            shredder,
            encoders,
            kernel_wait,
            cache,
            tails,
            budget,
            prefetcher,
            retentions,
            clocks,
            peers=peers.OtherIndexers(
                context.backends.locks, context.instance, context.internal_token
            ),
        )
    )
    repair = ObjectRepair(
        rebuilder,
        objects,
        TwinSegments(context.backends.locks, context.instance, context.internal_token),
        lambda number: _expired_objects(indexer.partitions.get(number)),
        lambda: sorted(context.folder.parent.glob("*/segments")),
        context.folder / "mending",
        context.clock,
    )
    object_walk = ObjectWalk(
        indexer.partitions, objects, repair, config, context.folder / "mending", context.clock
    )
    footers = Footers()
    views = PartitionLeases(indexer.partitions, fetching, footers, repair, context.clock)
    shares = ShareEndpoint(
        views,
        memory_mb=config.share_memory_mb,
        threads=config.share_threads,
        running_max=config.shares_running,
        waiting_max=config.shares_waiting,
        env_running_max=config.shares_at_once(os.cpu_count() or 1),
    )
    app = web.Application(
        middlewares=[require_internal_token(context.internal_token)],
        client_max_size=limits.INTERNAL_BODY_BYTES_MAX,
    )
    readiness = Readiness(indexer)
    add_health_routes(app, readiness.not_ready, context.stop)
    endpoints = Endpoints(
        indexer.partitions,
        tails,
        log,
        context.clock,
        shredder,
        encoders,
        prefetcher,
        readiness.describe,
        context.alarms,
        repair.describe,
    )
    endpoints.add_routes(app)
    listing = ColumnListing(indexer.partitions, footers, cache)
    ColumnEndpoints(listing).add_routes(app)
    app.router.add_post("/internal/share", shares.handle)
    app.router.add_get("/internal/segment/{hash}", SegmentEndpoint(cache).handle)
    app.router.add_post(peers.PATH, RecordsEndpoint(indexer.partitions, log, context.clock).handle)
    app.router.add_post("/internal/held", BatchLookupEndpoint(indexer.partitions).handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_HTTP_GRACE_S)
    await runner.setup()
    compiling = asyncio.create_task(_compile(shredder, encoders, kernel_wait, context, config))
    try:
        await listen(runner, "internal", context.host, context.port)
        port = runner.addresses[0][1]
        beside = [repair.run(), object_walk.run()]
        await _index(context, config, indexer, beside, readiness, context.member(port))
    finally:
        compiling.cancel()
        await asyncio.gather(compiling, return_exceptions=True)
        await runner.cleanup()
        shares.close()
        fetching.close()
        prefetch_threads.close()


def _expired_objects(partition: Partition | None) -> frozenset[str]:
    return frozenset() if partition is None else partition.retention.given_up


async def _compile(
    shredder: ActiveShredder,
    encoders: ActiveEncoders,
    kernel_wait: KernelWait,
    context: RoleContext,
    config: IndexerConfig,
) -> None:
    """Have compiled code serve: first all that is in the cache, then what has to be compiled."""
    if not config.kernel:
        return
    folder = Path(config.kernel_cache) if config.kernel_cache else context.folder / "kernel"
    seeds = (context.random.getrandbits(63), context.random.getrandbits(63))
    kernel_wait.expect()
    try:
        shredder_was = await shredder.load_cached(folder, seeds)
        encoders_were = await encoders.load_cached(folder)
    finally:
        kernel_wait.settle()
    if not shredder_was:
        await shredder.activate_kernel(folder, seeds)
    if not encoders_were:
        await encoders.activate_kernel(folder)


async def _index(
    context: RoleContext,
    config: IndexerConfig,
    indexer: Indexer,
    tasks: Sequence[Coroutine[None, None, None]],
    readiness: Readiness,
    member: Member,
) -> None:
    locks = context.backends.locks
    announcement = Announcement(locks, member)
    watch = indexer.shared.watch
    claims = Claims(
        locks,
        member,
        watch.partitions,
        copies=config.copies,
        take_over_ms=config.take_over_ms,
        look_ms=config.claim_retry_ms,
        clock=context.clock,
        caught_up=lambda number: indexer.not_ready(number) is None,
    )
    readiness.claims = claims
    beside = [
        *(asyncio.create_task(task) for task in tasks),
        asyncio.create_task(indexer.shared.prefetcher.run()),
        asyncio.create_task(MetadataExporter(context).run()),
        asyncio.create_task(watch.run()),
        asyncio.create_task(
            ReferenceClocks(context.backends, context.clock, context.random).run(
                indexer.shared.clocks
            )
        ),
    ]
    log_event(logger, logging.INFO, "indexer listens", url=member.url, partitions=watch.partitions)
    try:
        while not context.stop.is_set():
            await announcement.renew()
            claims.partitions = watch.partitions
            await claims.refresh(indexer.gain, indexer.lose)
            context.alarms.set("copies_missing", claims.missing_copies())
            indexer.follow(watch.epoch)
            await _wait(context.stop, config.claim_retry_ms / 1000)
        if claims.others_are_ready():
            await claims.release_all()
            await asyncio.sleep(config.drain_ms / 1000)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await indexer.close()
        await claims.release_all()
        await announcement.withdraw()


async def _wait(stop: asyncio.Event, timeout_s: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), timeout_s)
    except TimeoutError:
        return
