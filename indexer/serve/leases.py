"""Leased views of partitions, from which shares (parts of queries) are computed (I7).

A lease waits for a position, pins and checks the files that the view names, and returns one
consistent view. The view lists what cannot be served, so that no row is left out silently.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from common import limits
from common.clock import Clock
from common.error_text import describe_error
from common.errors import DamagedObject, LogUnavailable, ObjectMissing, ObjectsUnavailable
from common.logs import log_event
from common.metrics import segments_skipped_total
from indexer.expiry.expired_early import expired_early
from indexer.partition.partition import Partition
from indexer.serve.ends import has_longer, reaching
from indexer.serve.fair_fetches import FairFetches
from indexer.serve.footers import ColumnsOf, Footer, Footers
from indexer.state.view import PartitionView
from indexer.upkeep.repair.object_repair import ObjectRepair
from indexer.upkeep.summaries.held import HeldSummaries
from query.share.pruning.summary_facts import summary_may_match
from query.share.pruning.trace_filters import TraceFilters
from query.share.view.damaged import DamagedRecords
from query.share.view.rerouted import UndecidedBatch
from query.share.view.view import (
    DatasetView,
    OffsetRanges,
    PartitionNotHeld,
    SegmentView,
    ViewRequest,
)
from segment.summary.summary import NoSummary
from snapshot.bootstrap.fetch_segments import Failure, SegmentFetcher
from snapshot.damage.damage import concerns, may_be_of_any_dataset
from snapshot.documents.locations import SegmentLocation
from snapshot.documents.manifest import Damaged, SegmentEntry
from snapshot.objects_of import ServedSegment

logger = logging.getLogger(__name__)


class _Opened(NamedTuple):
    """Segments that are open or skipped, and those that cannot be served. missing: those that have
    to be fetched first; the others are empty then.
    """

    segments: list[SegmentView]
    unserved: list[SegmentEntry]
    missing: list[SegmentLocation]


class PartitionLeases:
    """The partitions of this indexer, as `query.share.view.view.PartitionViews` needs them."""

    def __init__(
        self,
        partitions: dict[int, Partition],
        fetching: SegmentFetcher,
        footers: Footers,
        repair: ObjectRepair,
        clock: Clock,
        log_end_wait_s: float = limits.LOG_END_WAIT_S,
        summaries: HeldSummaries | None = None,
    ) -> None:
        """log_end_wait_s: the least time that a lease waits for the log's end to be read.

        summaries: by which segments are skipped that have no row for a question.
        """
        self._summaries = HeldSummaries() if summaries is None else summaries
        self._filters = TraceFilters()
        self._log_end_wait_s = log_end_wait_s
        self._partitions = partitions
        self._fetching = fetching
        self._fetches = FairFetches(fetching)
        self._cache = fetching.cache
        self._footers = footers
        self._repair = repair
        self._clock = clock

    def partitions(self) -> list[int]:
        """The partitions held now."""
        return sorted(n for n, p in self._partitions.items() if p.view is not None)

    @asynccontextmanager
    async def lease(
        self, partition: int, dataset: str, wanted: ViewRequest
    ) -> AsyncIterator[DatasetView]:
        """See query.share.view.view.PartitionViews. Raises PartitionNotHeld."""
        held = self._partitions.get(partition)
        if held is None or held.view is None:
            raise PartitionNotHeld(partition)
        await self._wait_for(held, wanted)
        view = held.view
        catching_up = held.log_end.is_catching_up  # of the same view as the lines below
        stopped = held.stopped_reason or held.damage.unreadable_reason
        served = view.served(dataset, wanted.start_ns, wanted.end_ns)
        if wanted.ends is not None:
            served = reaching(served, wanted.ends, self._summaries)
        served = self._not_ruled_out(served, wanted)
        hashes = [one.entry.object for one in served]
        # without an await since the view was read, so that none is evicted in between
        self._cache.lease(hashes)
        try:
            segments, unserved = list[SegmentView](), list[SegmentEntry]()
            if served:
                segments, unserved = await self._opened(served, wanted)
            for entry in unserved:
                self._repair.ask(partition, entry)
            live = view.live.blocks(dataset)
            # of many live rows it takes some milliseconds
            longer = bool(wanted.durations) and await asyncio.to_thread(
                has_longer, view.served_of(dataset), live, wanted, self._summaries
            )
            yield DatasetView(
                partition=partition,
                epoch=view.epoch.log,
                end_offset=view.live.end_offset,
                watermark_ns=view.watermark_ns,
                segments=tuple(segments),
                blocks=live,
                gaps=tuple(
                    (gap.epoch, gap.first, gap.first if gap.end is None else gap.end)
                    for gap in view.gaps
                ),
                unserved=tuple(entry.object for entry in unserved),
                catching_up=catching_up,
                stopped=stopped,
                earlier=view.earlier,
                epoch_number=view.epoch.number,
                dropped=view.rerouted.dropped,
                undecided=_undecided(view, dataset),
                relies_on=view.rerouted.relies_on,
                damaged=_damaged(view, dataset, view.damage.missing),
                given_up=sum(
                    one.end - one.first for one in _damaged(view, dataset, view.damage.given_up)
                ),
                expired_early=expired_early(
                    held.retention.expired_early,
                    dataset,
                    wanted,
                    view.dataset_tombstones,
                    held.retention.now_ns(),
                ),
                dataset=dataset,
                longer=longer,
            )
        finally:
            self._cache.release(hashes)

    def _not_ruled_out(
        self, served: list[ServedSegment], wanted: ViewRequest
    ) -> list[ServedSegment]:
        """Without the segments that are known to have none of the texts that are looked up."""
        lookup = wanted.lookup
        if lookup is None:
            return served
        out = self._filters.ruled_out([one.entry.object for one in served], lookup)
        left = [one for one, is_out in zip(served, out, strict=True) if not is_out]
        segments_skipped_total.inc(len(served) - len(left))
        return left

    async def _wait_for(self, held: Partition, wanted: ViewRequest) -> None:
        """Wait until the partition has reached the position and has caught up with the log's end.

        A position of another log, or beyond the log's end, is never reached and not waited for.
        """
        deadline_ns = self._clock.monotonic_ns() + wanted.timeout_ms * 10**6
        end_known = True
        try:
            beyond_end = (wanted.at_least or 0) > held.log_end.bounds.end
            if held.log_end.is_stale or beyond_end:
                async with asyncio.timeout(max(self._log_end_wait_s, wanted.timeout_ms / 1000)):
                    await held.log_end.refresh()
        except (LogUnavailable, TimeoutError) as error:  # the view may then be incomplete
            log_event(
                logger, logging.WARNING, "the log's end is not known", why=describe_error(error)
            )
            end_known = False
        await held.wait_until(lambda: _is_reached(held, wanted, end_known=end_known), deadline_ns)

    async def _opened(
        self, served: Sequence[ServedSegment], wanted: ViewRequest
    ) -> tuple[list[SegmentView], list[SegmentEntry]]:
        """(segments that are open or skipped, those that cannot be served)."""
        fetched: dict[str, Path | Failure] = {}
        opened = await asyncio.to_thread(self._open, served, wanted, fetched)
        while opened.missing:
            fetched |= await self._fetches.fetch(opened.missing, wanted.requester)
            opened = await asyncio.to_thread(self._open, served, wanted, fetched)
        return opened.segments, opened.unserved

    def _open(
        self,
        served: Sequence[ServedSegment],
        wanted: ViewRequest,
        fetched: Mapping[str, Path | Failure],
    ) -> _Opened:
        """Open what is on this disk. fetched: by hash, what was fetched for this lease."""
        segments, unserved = self._skipped(served, wanted), list[SegmentEntry]()
        if segments:
            skipped = {segment.object_hash for segment in segments}
            served = [one for one in served if one.entry.object not in skipped]
        columns: dict[Footer, ColumnsOf] = {}
        files, missing = self._fetching.here(
            one.entry.location for one in served if one.entry.object not in fetched
        )
        if missing:
            return _Opened([], [], missing)
        files |= fetched
        segments_skipped_total.inc(len(segments))
        for entry, visible in served:
            path = files[entry.object]
            try:
                if not isinstance(path, Path):
                    raise path
                footer = self._footers.read(entry.location, self._cache)
            except (DamagedObject, ObjectMissing, ObjectsUnavailable, OSError) as error:
                log_event(
                    logger,
                    logging.ERROR,
                    "segment cannot be served",
                    object=entry.object,
                    why=str(error),
                )
                unserved.append(entry)
                continue
            if (named := columns.get(footer)) is None:
                named = columns[footer] = footer.columns_of(wanted.fields, texts=wanted.texts)
            if wanted.lookup is not None:
                self._filters.learn(entry.object, path, *named, wanted.lookup)
            segments.append(_segment_view(entry, visible, path, named))
        if wanted.lookup is not None:  # by what was learned just now
            out = self._filters.ruled_out([one.object_hash for one in segments], wanted.lookup)
            segments = [one for one, is_out in zip(segments, out, strict=True) if not is_out]
        return _Opened(segments, unserved, [])

    def _skipped(self, served: Sequence[ServedSegment], wanted: ViewRequest) -> list[SegmentView]:
        """The segments of which no row can match: they are neither fetched nor opened."""
        found: list[SegmentView] = []
        for entry, visible in served if wanted.filters else ():
            summary = self._summaries.known(entry.object)
            if summary is None:
                continue
            try:
                if summary_may_match(summary, wanted.filters, any_filter=wanted.any_filter):
                    continue
            except NoSummary as error:
                log_event(logger, logging.WARNING, "summary not used", why=str(error))
                continue
            names = frozenset(key for key in summary.keys if key.field in wanted.fields)
            path, columns = self._cache.path(entry.object), ColumnsOf(names, frozenset())
            found.append(replace(_segment_view(entry, visible, path, columns), skipped=True))
        return found


def _segment_view(
    entry: SegmentEntry, visible: OffsetRanges | None, path: Path, columns: ColumnsOf
) -> SegmentView:
    return SegmentView(
        path=path,
        object_hash=entry.object,
        rows=entry.rows,
        first_offset=entry.first_offset,
        end_offset=entry.end_offset,
        time_min_ns=entry.time_min_ns,
        time_max_ns=entry.time_max_ns,
        columns=columns.own,
        overflow_columns=columns.overflow,
        visible=visible,
        epoch_number=entry.epoch_number,
        size_bytes=entry.size_bytes,
    )


def _undecided(view: PartitionView, dataset: str) -> tuple[UndecidedBatch, ...]:
    """The dataset's batches that are still undecided."""
    return tuple(
        UndecidedBatch(item.batch, (item.epoch_number, item.offset), item.append_ns, item.unless)
        for item in view.rerouted.open.values()
        if item.dataset == dataset
    )


def _damaged(
    view: PartitionView, dataset: str, entries: tuple[Damaged, ...]
) -> tuple[DamagedRecords, ...]:
    """The entries whose events may be missing from an answer about the dataset."""
    if not entries:
        return ()
    cutoff_ns, gone = view.cutoffs.of(dataset), view.dataset_tombstones.get(dataset)
    return tuple(
        DamagedRecords(
            epoch_number=one.epoch_number,
            first=one.first,
            end=one.end,
            events=one.events if one.credible else None,
            reason=one.reason,
            whole=may_be_of_any_dataset(one),
        )
        for one in entries
        if concerns(one, dataset, cutoff_ns, gone)
    )


def _is_reached(held: Partition, wanted: ViewRequest, *, end_known: bool) -> bool:
    """Whether waiting longer is useless.

    end_known: the log's end was just read, so that a position beyond it is not waited for.
    """
    view = held.view
    if view is None:
        return False
    end = view.live.end_offset
    if wanted.log not in ("", view.epoch.log):
        return True
    at_least = wanted.at_least or 0
    if end_known:
        at_least = min(at_least, held.log_end.bounds.end)  # records beyond the end were lost
    return end >= at_least and end >= held.log_end.catch_up_to
