"""The indexer role: listens, indexes the partitions that it claims, and stops cleanly (I6, I8)."""

import asyncio
import logging
from pathlib import Path

from aiohttp import web

from common.log.watch import REFRESH_S
from common.logs import log_event
from common.process.announce import Announcement
from common.process.http.serving import listen
from common.process.members import Member
from common.process.role import RoleContext
from common.tasks import run_every, run_together, running
from indexer.claims.claims import Claims
from indexer.config import IndexerConfig
from indexer.expiry.reference_clocks import ReferenceClocks
from indexer.serve.application import internal_application
from indexer.shred.selected import SelectedShredder
from indexer.tail.registry import TailRegistry
from indexer.tail.tail import TAIL_LIMITS, TailLimits
from indexer.upkeep.metadata_exporter import MetadataExporter
from indexer.wiring import Parts, build_parts

_HTTP_GRACE_S = 1.0
logger = logging.getLogger(__name__)


async def serve(
    context: RoleContext,
    config: IndexerConfig,
    shredder: SelectedShredder | None = None,
    tail_limits: TailLimits = TAIL_LIMITS,
    log_refresh_s: float = REFRESH_S,
) -> None:
    """Run the indexer until `context.stop` is set and requests in flight are finished.

    log_refresh_s: between two requests for the log's identity.
    """
    shredder, tails = shredder or SelectedShredder(), TailRegistry(tail_limits)
    parts = await build_parts(context, config, shredder, tails, log_refresh_s)
    app = internal_application(parts, context)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_HTTP_GRACE_S)
    await runner.setup()
    try:
        async with running(run_together(_load_kernels(parts, context, config))):
            await listen(runner, "internal", context.host, context.port)
            await _index(parts, context, config, context.member(runner.addresses[0][1]))
    finally:
        await runner.cleanup()
        parts.close()


async def _index(parts: Parts, context: RoleContext, config: IndexerConfig, member: Member) -> None:
    """Hold partitions until the role is stopped, then hand them over."""
    held, watch = parts.held, parts.shared.watch
    announcement = Announcement(context.backends.locks, member)
    claims = _claims(parts, context, config, member)
    parts.readiness.claims = claims

    async def refresh() -> None:
        await announcement.renew()
        claims.partitions = watch.partitions
        await claims.refresh(held.gain, held.lose)
        context.alarms.set("copies_missing", claims.missing_copies())
        held.resync_after_log_change(watch.epoch)

    log_event(logger, logging.INFO, "indexer listens", url=member.url, partitions=watch.partitions)
    try:
        async with running(_upkeep(parts, context)):
            every_s = config.claim_retry_ms / 1000
            await run_every(every_s, refresh, at_once=True, stop=context.stop)
            if claims.others_are_ready():
                await claims.release_all()
                await asyncio.sleep(config.drain_ms / 1000)
    finally:
        await held.close()
        await claims.release_all()
        await announcement.withdraw()


def _claims(parts: Parts, context: RoleContext, config: IndexerConfig, member: Member) -> Claims:
    return Claims(
        context.backends.locks,
        member,
        parts.shared.watch.partitions,
        copies=config.copies,
        take_over_ms=config.take_over_ms,
        refresh_ms=config.claim_retry_ms,
        clock=context.clock,
        caught_up=lambda number: parts.held.not_ready(number) is None,
    )


async def _upkeep(parts: Parts, context: RoleContext) -> None:
    """Run the background tasks for all partitions, until cancelled."""
    reference_clocks = ReferenceClocks(context.backends, context.clock, context.random)
    await run_together(
        parts.document_gate.run(),
        parts.repair.run(),
        parts.object_walk.run(),
        parts.compactor.run(),
        parts.summaries.run(),
        parts.shared.prefetcher.run(),
        MetadataExporter(context).run(),
        parts.shared.watch.run(),
        reference_clocks.run(parts.shared.clocks),
    )


async def _load_kernels(parts: Parts, context: RoleContext, config: IndexerConfig) -> None:
    """Select compiled code: first all that is in the cache, then all that must be compiled."""
    if not config.kernel:
        return
    folder = Path(config.kernel_cache) if config.kernel_cache else context.folder / "kernel"
    seeds = (context.random.getrandbits(63), context.random.getrandbits(63))
    shredder, encoders, kernel_wait = (
        parts.shredder,
        parts.shared.encoders,
        parts.shared.kernel_wait,
    )
    kernel_wait.expect()
    try:
        shredder_was_cached = await shredder.load_cached(folder, seeds)
        encoders_were_cached = await encoders.load_cached(folder)
    finally:
        kernel_wait.end()
    if not shredder_was_cached:
        await shredder.use_compiled(folder, seeds)
    if not encoders_were_cached:
        await encoders.use_compiled(folder)
