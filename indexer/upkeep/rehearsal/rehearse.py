"""Rebuilds a partition from object store and log in a fresh folder, and compares it (I3, I5).

Nothing is claimed, announced, appended or put: the log and the store refuse writes, so cuts that
the replay reaches wait until the pair has published them and are then compared as a twin's are.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import msgspec

from common import limits
from common.errors import BadRequest, DamagedObject, ObjectMissing
from common.log.watch import LogWatch
from common.process.members import Member
from common.process.role import RoleContext
from common.tasks import running
from indexer.config import IndexerConfig
from indexer.expiry.clocks import Clocks
from indexer.expiry.retention_settings import RetentionSettings
from indexer.partition.memory_budget import LiveBudget
from indexer.partition.partition import Partition
from indexer.partition.prefetch import Prefetcher
from indexer.partition.replay import Replay
from indexer.partition.shared import Shared
from indexer.shred import Shredder
from indexer.shred.kernel_wait import KernelWait
from indexer.state.view import PartitionView
from indexer.tail.registry import TailRegistry
from indexer.upkeep.rehearsal.content import (
    ContentRequest,
    PartitionContent,
    content_of,
    differences,
)
from indexer.upkeep.rehearsal.pair import NotComparable, Pairs
from indexer.upkeep.rehearsal.read_only import ReadOnlyLog, ReadOnlyObjects
from segment.parquet.selected import SelectedEncoders
from snapshot.bootstrap.fetch_segments import SegmentFetcher
from snapshot.cache import SegmentCache
from snapshot.threads import to_store_thread

SAME: Final = "same"
DIFFERENT: Final = "different"
NOT_COMPARED: Final = "not compared"
NOT_FINISHED: Final = "not finished"
_LOOK_S = 0.1  # between two looks at the progress
_AGAIN_S = 5.0  # between two comparisons, while an indexer has not applied the newest retention
_COMPARISONS_MAX = 20


class RehearsalReport(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one rehearsal.

    verdict: SAME, DIFFERENT, NOT_COMPARED (an indexer gave no content) or NOT_FINISHED.
    reasons: of any verdict but the first.
    compared_with: instances of the partition's indexers.
    first_offset, end_offset: records that were replayed; content is compared up to the end.
    segments, segment_bytes: fetched and checked. unfetched: segments that did not fit on the disk.
    resume_s: until the documents were read. ready_s: until the log was replayed as well.
    fetch_s: until the segments were here, which runs beside the replay. total_s: with comparing.
    """

    partition: int
    verdict: str
    reasons: tuple[str, ...] = ()
    compared_with: tuple[str, ...] = ()
    first_offset: int = 0
    end_offset: int = 0
    events: int = 0
    record_bytes: int = 0
    segments: int = 0
    segment_bytes: int = 0
    unfetched: int = 0
    compared_rows: int = 0
    shredder: str = ""
    resume_s: float = 0.0
    ready_s: float = 0.0
    fetch_s: float = 0.0
    total_s: float = 0.0


class _Stopped(Exception):
    """The rehearsal cannot go on."""


class Rehearsal:
    """One rehearsal.

    context: with the installation's backends, a name of its own and a fresh folder.
    """

    def __init__(
        self,
        context: RoleContext,
        config: IndexerConfig,
        shredder: Shredder,
        encoders: SelectedEncoders,
        number: int,
        pairs: Pairs,
        time_s_max: float = limits.REHEARSAL_S_MAX,
    ) -> None:
        self._objects = ReadOnlyObjects(context.backends.objects)
        backends = replace(
            context.backends, objects=self._objects, log=ReadOnlyLog(context.backends.log)
        )
        self._context = replace(context, backends=backends)
        self._config = config
        self._shredder = shredder
        self._encoders = encoders
        self._number = number
        self._pairs = pairs
        self._began_ns = context.clock.monotonic_ns()
        self._deadline_ns = self._began_ns + int(time_s_max * 1e9)
        self._figures: dict[str, float] = {}

    async def run(self, holders: Sequence[Member]) -> RehearsalReport:
        """Rebuild the partition and compare it with what these indexers have.

        Raises LogUnavailable, ObjectsUnavailable.
        """
        async with self._indexing() as partition:
            try:
                end = (await self._context.backends.log.bounds(self._number)).end
                await self._rebuild(partition, end)
                verdict, reasons, rows = await self._compare(partition, end, holders)
            except _Stopped as error:
                verdict, reasons, rows, end = NOT_FINISHED, (str(error),), 0, 0
            return self._report(partition, verdict, reasons, rows, end, holders)

    @asynccontextmanager
    async def _indexing(self) -> AsyncIterator[Partition]:
        """The partition, indexed beside the block."""
        context, config = self._context, self._config
        identity = await context.backends.log.open()
        room = shutil.disk_usage(context.folder).free // 2  # never the last of the disk
        cache_bytes = min(config.segment_cache_bytes, room)
        cache = SegmentCache(context.backends.objects, context.folder / "segments", cache_bytes)
        fetching = SegmentFetcher(cache, config.segment_fetches)
        shared = Shared(
            context,
            config,
            LogWatch(context.backends.log, identity, context.clock),
            self._shredder,
            self._encoders,
            KernelWait(context.clock, 0),
            cache,
            TailRegistry(),
            LiveBudget(config.live_bytes_max, min(config.unpublished_bytes_max, room)),
            Prefetcher(fetching, config.segment_fetches, cache_bytes, context.clock),
            RetentionSettings(context.backends.metadata, context.clock, config.retention_days),
            Clocks(context.clock, context.folder / "clock.json"),
        )
        partition = Partition(self._number, shared)
        try:
            async with running(partition.run(), shared.prefetcher.run()):
                yield partition
        finally:
            fetching.close()

    # --- rebuilding -----------------------------------------------------------------------------
    async def _rebuild(self, partition: Partition, end: int) -> None:
        """Wait until the partition is resumed, has reached `end`, and its segments are here."""
        prefetcher = partition.shared.prefetcher
        while not self._has_reached(partition, end) or not prefetcher.done:
            if "epochs" in self._objects.refused:
                raise _Stopped("a new indexer would open an epoch here: see `bellwether verify`")
            if partition.stopped_reason is not None:
                raise _Stopped(f"indexing stops: {partition.stopped_reason}")
            if self._context.clock.monotonic_ns() > self._deadline_ns:
                at = 0 if partition.view is None else partition.view.live.end_offset
                raise _Stopped(
                    f"after {self._elapsed_s():,.0f} s offset {at} of {end} is reached and "
                    f"{prefetcher.left_bytes:,} bytes of segments are left to fetch"
                )
            if partition.replay is not None:
                self._figures.setdefault("resume_s", self._elapsed_s())
                if self._has_reached(partition, end):
                    self._figures.setdefault("ready_s", self._elapsed_s())
                if prefetcher.done:
                    self._figures.setdefault("fetch_s", self._elapsed_s())
            await asyncio.sleep(_LOOK_S)
        for name in ("resume_s", "ready_s", "fetch_s"):
            self._figures.setdefault(name, self._elapsed_s())
        if prefetcher.failed:
            raise _Stopped(
                f"{prefetcher.failed} segments are damaged or missing: see `bellwether verify`"
            )

    def _has_reached(self, partition: Partition, end: int) -> bool:
        view = partition.view
        return partition.replay is not None and view is not None and view.live.end_offset >= end

    # --- comparing ------------------------------------------------------------------------------
    async def _compare(
        self, partition: Partition, end: int, holders: Sequence[Member]
    ) -> tuple[str, tuple[str, ...], int]:
        """(verdict, reasons, rows compared). Again where retention documents came meanwhile."""
        request = self._request(partition, end)
        for attempt in range(_COMPARISONS_MAX):
            if attempt:
                await asyncio.sleep(_AGAIN_S)
            try:
                ours = await self._own_content(partition, request)
                theirs = [await self._pairs.content(member, request) for member in holders]
            except (NotComparable, BadRequest, DamagedObject, ObjectMissing) as error:
                return NOT_COMPARED, (str(error),), 0
            reasons = tuple(
                f"{member.instance} has other {text}"
                for member, content in zip(holders, theirs, strict=True)
                for text in differences(content, ours)
            )
            rows = sum(one.rows for one in (*ours.published.values(), *ours.recent.values()))
            if not reasons:
                return SAME, (), rows
            if {one.retention for one in theirs} == {ours.retention}:
                return DIFFERENT, reasons, rows
        return NOT_COMPARED, ("the indexers have applied other retention documents",), 0

    def _request(self, partition: Partition, end: int) -> ContentRequest:
        view, first = _begun(partition)
        return ContentRequest(
            partition=self._number,
            log=view.epoch.log,
            epoch_number=view.epoch.number,
            first=min(first, end),
            end=end,
            wait_ms=int(limits.REHEARSAL_ASK_S * 1000) // 2,
        )

    async def _own_content(self, partition: Partition, request: ContentRequest) -> PartitionContent:
        book = partition.retention.book
        await to_store_thread(book.refresh)
        partition.retention.apply()
        view, _ = _begun(partition)
        return await asyncio.to_thread(
            content_of, view, request, partition.retention.applied, partition.shared.cache
        )

    # --- the report -----------------------------------------------------------------------------
    def _elapsed_s(self) -> float:
        return (self._context.clock.monotonic_ns() - self._began_ns) / 1e9

    def _report(
        self,
        partition: Partition,
        verdict: str,
        reasons: tuple[str, ...],
        rows: int,
        end: int,
        holders: Sequence[Member],
    ) -> RehearsalReport:
        replay, prefetcher = partition.replay, partition.shared.prefetcher
        return RehearsalReport(
            partition=self._number,
            verdict=verdict,
            reasons=reasons,
            compared_with=tuple(one.instance for one in holders),
            first_offset=0 if replay is None else replay.first_offset,
            end_offset=end,
            events=0 if replay is None else replay.events,
            record_bytes=0 if replay is None else replay.bytes,
            segments=prefetcher.fetched,
            segment_bytes=prefetcher.fetched_bytes,
            unfetched=prefetcher.on_demand,
            compared_rows=rows,
            shredder=self._shredder.name,
            total_s=self._elapsed_s(),
            **self._figures,
        )


def _begun(partition: Partition) -> tuple[PartitionView, int]:
    """The view, and the offset that the replay began with."""
    replay: Replay | None = partition.replay
    if partition.view is None or replay is None:
        raise _Stopped("the partition was lost while it was compared: it is being resumed")
    return partition.view, replay.first_offset
