"""Builds the parts of an indexer and connects them."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass

from common.log.watch import LogWatch
from common.process.role import RoleContext
from indexer.claims.document_gate import MembersGate
from indexer.claims.held_partitions import HeldPartitions
from indexer.claims.readiness import Readiness
from indexer.config import IndexerConfig
from indexer.damage.peers import OtherIndexers
from indexer.expiry.clocks import Clocks
from indexer.expiry.retention_settings import RetentionSettings
from indexer.fields.listing import FieldFactsListing
from indexer.partition.memory_budget import LiveBudget
from indexer.partition.prefetch import Prefetcher
from indexer.partition.shared import Shared
from indexer.serve.footers import Footers
from indexer.serve.leases import PartitionLeases
from indexer.shred.kernel_wait import KernelWait
from indexer.shred.selected import SelectedShredder
from indexer.tail.registry import TailRegistry
from indexer.upkeep.compaction.compactor import Compactor
from indexer.upkeep.repair.object_repair import ObjectRepair
from indexer.upkeep.repair.object_walk import ObjectWalk
from indexer.upkeep.repair.rebuild import SegmentRebuilder
from indexer.upkeep.repair.twin_segments import TwinSegments
from indexer.upkeep.summaries.held import HeldSummaries
from indexer.upkeep.summaries.worker import SummaryWorker
from query.share.compute.database import DatabaseLimits, Databases
from query.share.serve.route import ShareEndpoint
from segment.parquet.selected import SelectedEncoders
from snapshot.bootstrap.fetch_segments import SegmentFetcher
from snapshot.cache import SegmentCache
from snapshot.documents.epochs import refuse_fewer_partitions
from snapshot.documents.roster import RosterBook


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an indexer that its process runs, serves and closes."""

    shared: Shared
    shredder: SelectedShredder
    held: HeldPartitions
    readiness: Readiness
    repair: ObjectRepair
    object_walk: ObjectWalk
    footers: Footers
    shares: ShareEndpoint
    query_fetches: SegmentFetcher
    document_gate: MembersGate
    compactor: Compactor
    summaries: SummaryWorker
    field_facts: FieldFactsListing

    def close(self) -> None:
        """Close the parts that run threads, after the server has stopped."""
        self.shares.close()
        self.query_fetches.close()
        self.shared.prefetcher.fetching.close()


async def build_parts(
    context: RoleContext,
    config: IndexerConfig,
    shredder: SelectedShredder,
    tails: TailRegistry,
    log_refresh_s: float,
) -> Parts:
    """All parts of the role, not running yet. Raises LogUnavailable, ObjectsUnavailable."""
    objects = context.backends.objects
    identity = await context.backends.log.open()
    watch = LogWatch(context.backends.log, identity, context.clock, log_refresh_s)
    await asyncio.to_thread(refuse_fewer_partitions, objects, watch.partitions)
    cache = await asyncio.to_thread(
        SegmentCache, objects, context.folder / "segments", config.segment_cache_bytes
    )
    context.giving_back.add(shredder.give_back)
    gate = MembersGate(
        context.backends.locks,
        RosterBook(objects),
        context.clock,
        config.formats_wait_s,
        context.instance,
    )
    await asyncio.to_thread(gate.open)
    shared = await _shared(context, config, watch, cache, shredder, tails, gate)
    held = HeldPartitions(shared)

    def expired(number: int) -> frozenset[str]:
        partition = held.partitions.get(number)
        return frozenset() if partition is None else partition.retention.book.expired_objects

    repair = _repair(context, shared, expired)
    footers, query_fetches = Footers(), SegmentFetcher(cache, config.segment_fetches)
    summaries = HeldSummaries()
    facts = FieldFactsListing(held.partitions, summaries, cache, shared.encoders)
    leases = PartitionLeases(
        held.partitions, query_fetches, footers, repair, context.clock, summaries=summaries
    )
    return Parts(
        shared=shared,
        shredder=shredder,
        held=held,
        readiness=Readiness(held),
        repair=repair,
        object_walk=ObjectWalk(
            held.partitions,
            objects,
            repair,
            expired,
            config,
            context.folder / "mending",
            context.clock,
        ),
        footers=footers,
        shares=ShareEndpoint(
            leases,
            await asyncio.to_thread(_databases, context, config),
            shared.encoders,
            running_max=config.shares_running,
            waiting_max=config.shares_waiting,
            env_running_max=config.shares_at_once(os.cpu_count() or 1),
        ),
        query_fetches=query_fetches,
        document_gate=gate,
        compactor=Compactor(held.partitions, shared),
        summaries=SummaryWorker(held.partitions, shared, summaries, learn=facts.learn),
        field_facts=facts,
    )


def _databases(context: RoleContext, config: IndexerConfig) -> Databases:
    """One for each share that runs; they may read the cached segments and nothing else."""
    databases = Databases(
        DatabaseLimits(config.share_memory_mb, config.share_threads),
        config.shares_running,
        context.folder / "segments",
        context.folder / "spill",
    )
    context.giving_back.add(databases.give_back)
    return databases


async def _shared(
    context: RoleContext,
    config: IndexerConfig,
    watch: LogWatch,
    cache: SegmentCache,
    shredder: SelectedShredder,
    tails: TailRegistry,
    gate: MembersGate,
) -> Shared:
    """The parts that all partitions of the process use."""
    fetching = SegmentFetcher(cache, config.segment_fetches)
    clocks = await asyncio.to_thread(
        Clocks,
        context.clock,
        context.folder / "expiry" / "clock.json",
        servers_elsewhere=config.clock_witnesses,
    )
    return Shared(
        context,
        config,
        watch,
        shredder,
        SelectedEncoders(),
        KernelWait(context.clock, config.kernel_wait_ms),
        cache,
        tails,
        LiveBudget(config.live_bytes_max, config.unpublished_bytes_max),
        Prefetcher(fetching, config.segment_fetches, config.segment_cache_bytes, context.clock),
        RetentionSettings(context.backends.metadata, context.clock, config.retention_days),
        clocks,
        peers=OtherIndexers(context.backends.locks, context.instance, context.internal_token),
        document_gate=gate,
    )


def _repair(
    context: RoleContext, shared: Shared, expired: Callable[[int], frozenset[str]]
) -> ObjectRepair:
    """The repair of damaged or missing segment objects."""
    backends = context.backends
    rebuilder = SegmentRebuilder(
        backends.log,
        backends.objects,
        shared.cache,
        shared.shredder,
        shared.encoders,
        context.folder / "repair",
    )

    return ObjectRepair(
        rebuilder,
        backends.objects,
        TwinSegments(backends.locks, context.instance, context.internal_token),
        expired,
        lambda: sorted(context.folder.parent.glob("*/segments")),
        context.folder / "mending",
        context.clock,
    )
