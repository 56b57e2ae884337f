"""A harness for the indexer's tests: real embedded backends in a temporary folder."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from common import limits
from common.clock import Clock, SystemClock
from common.locks.files import FileLocks
from common.log import Appended, Log
from common.log.embedded.log import EmbeddedLog
from common.log.watch import LogWatch
from common.metadata.sqlite import SqliteMetadata
from common.model.names import dataset_id
from common.model.record import Record
from common.model.record_value import encode_event_line, events_record
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from common.process.role import Backends, RoleContext
from common.process.telemetry import NoTelemetry
from common.process.versions import FIRST_DOCUMENTS, DocumentGate
from indexer.config import IndexerConfig
from indexer.damage.publish_gate import NoPeers, Peers
from indexer.damage.recovery import DamageRecovery
from indexer.damage.scrubber import Scrubber
from indexer.expiry.clocks import Clocks
from indexer.expiry.retention_settings import RetentionSettings
from indexer.partition.memory_budget import LiveBudget
from indexer.partition.partition import Partition
from indexer.partition.prefetch import Prefetcher
from indexer.partition.shared import Shared
from indexer.seal.partition_reader import is_published
from indexer.seal.timing import TIMING, Timing
from indexer.shred import Shredder
from indexer.shred.kernel_wait import KernelWait
from indexer.shred.reference import ReferenceShredder
from indexer.state.cut_rules import CUT_RULES, CutRules
from indexer.tail.registry import TailRegistry
from indexer.upkeep.repair.object_repair import ObjectRepair
from indexer.upkeep.repair.rebuild import SegmentRebuilder
from indexer.upkeep.repair.twin_segments import TwinSegments
from segment.parquet.selected import SelectedEncoders
from snapshot.bootstrap.fetch_segments import SegmentFetcher
from snapshot.cache import SegmentCache
from tests.waiting import PATIENCE_S

DATASET = dataset_id("t", "e", "web")
QUICK = IndexerConfig(
    publish_delay_ms=1, poll_wait_ms=20, claim_retry_ms=20, take_over_ms=40, damage_wait_s=0.05
)
TIME_NS = 1_700_000_000 * 10**9


def record(
    numbers: list[int],
    *,
    batch: int | None = None,
    dataset: str = DATASET,
    unless: tuple[int, ...] = (),
) -> Record:
    """An events record whose events hold these numbers in the field `n`."""
    lines = [encode_event_line(TIME_NS + n, 1, b'{"n":%d}' % n) for n in numbers]
    name = numbers[0] if batch is None else batch
    return events_record(
        team="t",
        env="e",
        dataset=dataset,
        batch=name.to_bytes(16, "big"),
        depth=0,
        via="test",
        lines=lines,
        unless=unless,
    )


async def append(log: Log, *numbers: list[int], partition: int = 0) -> list[Appended]:
    """Append one record per list of numbers."""
    return [await log.append(partition, record(some)) for some in numbers]


@asynccontextmanager
async def open_context(
    folder: Path,
    zone: str = "a",
    partitions: int = 1,
    wrap: Callable[[ObjectStore], ObjectStore] = lambda objects: objects,
    clock: Clock | None = None,
) -> AsyncIterator[RoleContext]:
    """A role's context over the data in `folder`, as a new process would have it."""
    clock = clock or SystemClock()
    for name in ("log", "objects", "locks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    own = folder / "roles" / f"indexer-{zone}"
    own.mkdir(parents=True, exist_ok=True)
    log = EmbeddedLog(folder / "log", partitions, clock)
    await log.open()
    locks = FileLocks(folder / "locks")
    metadata = SqliteMetadata(folder / "metadata.db")
    metadata.open()
    context = RoleContext(
        role="indexer",
        instance=f"indexer-{zone}",
        zone=zone,
        host="127.0.0.1",
        port=0,
        folder=own,
        backends=Backends(
            log=log,
            objects=wrap(DirectoryObjects(folder / "objects")),
            metadata=metadata,
            locks=locks,
        ),
        clock=clock,
        random=random.Random(7),
        telemetry=NoTelemetry(),
        stop=asyncio.Event(),
        internal_token="token",
    )
    try:
        yield context
    finally:
        await log.close()
        metadata.close()
        locks.close()


@asynccontextmanager
async def running(
    context: RoleContext,
    number: int = 0,
    config: IndexerConfig = QUICK,
    budget: LiveBudget | None = None,
    shredder: Shredder | None = None,
    kernel_wait: KernelWait | None = None,
    clocks: Clocks | None = None,
    peers: Peers | None = None,
    prefetch_retry_s: float = 1.0,
    cut_rules: CutRules = CUT_RULES,
    timing: Timing = TIMING,
    document_gate: DocumentGate = FIRST_DOCUMENTS,
) -> AsyncIterator[Partition]:
    """A partition that is being indexed; dropped without a goodbye at the end."""
    identity = await context.backends.log.open()
    cache = SegmentCache(
        context.backends.objects, context.folder / "segments", config.segment_cache_bytes
    )
    budget = budget or LiveBudget(config.live_bytes_max, config.unpublished_bytes_max)
    fetching = SegmentFetcher(cache, config.segment_fetches)
    prefetcher = Prefetcher(
        fetching,
        config.segment_fetches,
        config.segment_cache_bytes,
        context.clock,
        retry_first_s=prefetch_retry_s,
    )
    shredder = shredder or ReferenceShredder()
    retentions = RetentionSettings(context.backends.metadata, context.clock, config.retention_days)
    watch = LogWatch(context.backends.log, identity, context.clock)
    shared = Shared(
        context,
        config,
        watch,
        shredder,
        SelectedEncoders(),
        kernel_wait or KernelWait(context.clock, config.kernel_wait_ms),
        cache,
        TailRegistry(),
        budget,
        prefetcher,
        retentions,
        clocks or Clocks(context.clock, context.folder / "expiry" / "clock.json"),
        peers=peers or NoPeers(),
        cut_rules=cut_rules,
        timing=timing,
        document_gate=document_gate,
    )
    partition = Partition(number, shared)
    tasks = [asyncio.create_task(partition.run()), asyncio.create_task(prefetcher.run())]
    try:
        yield partition
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        fetching.close()


def repair_of(partition: Partition, folders: Sequence[Path] = ()) -> ObjectRepair:
    """What mends the objects of a partition. folders: caches to take whole copies from."""
    shared = partition.shared
    backends, scratch = shared.context.backends, shared.context.folder / "mending"
    rebuilder = SegmentRebuilder(
        backends.log, backends.objects, shared.cache, shared.shredder, shared.encoders, scratch
    )
    return ObjectRepair(
        rebuilder,
        backends.objects,
        TwinSegments(backends.locks, shared.context.instance, shared.context.internal_token),
        lambda _: partition.retention.book.expired_objects,
        lambda: folders,
        scratch,
        shared.context.clock,
    )


def recovery_of(
    partition: Partition, read_again_max: int = limits.DAMAGE_READ_AGAIN_MAX
) -> DamageRecovery:
    """What recovers the damaged records of a partition."""
    context, config = partition.shared.context, partition.shared.config
    return DamageRecovery(
        partition, context.backends.log, context.clock, config.scrub_s, read_again_max
    )


def scrubber_of(partition: Partition) -> Scrubber:
    """What reads again what no segment of a partition covers yet."""
    context, config = partition.shared.context, partition.shared.config
    return Scrubber(partition, context.backends.log, context.clock, config.scrub_s)


async def until(partition: Partition, condition: Callable[[Partition], bool]) -> None:
    """Wait until the partition fulfils the condition."""
    async with asyncio.timeout(PATIENCE_S):
        while partition.view is None or not condition(partition):
            with suppress(TimeoutError):
                await asyncio.wait_for(partition.views.changed(), 0.2)


def reached(offset: int) -> Callable[[Partition], bool]:
    """Everything before `offset` is indexed."""
    return lambda p: p.view is not None and p.view.live.end_offset >= offset


def published(offset: int) -> Callable[[Partition], bool]:
    """Everything before `offset` is indexed and its cuts are published."""
    return lambda p: is_published(p, offset)
