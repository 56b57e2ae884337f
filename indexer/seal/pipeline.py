"""The cuts of one partition, sealed to this disk at once and published in order (I3, I4).

A sealed cut is served from its files, so its rows leave memory even while the object store is down
for hours. Files that wait to be published are leased, so they are not evicted. They have a budget
over all partitions; when it is used up, reading pauses and the records stay in the log (I11).
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from common.metrics import (
    cut_objects_total,
    cuts_total,
    live_rows,
    unpublished_bytes,
    unpublished_cuts,
)
from common.process.role import RoleContext
from indexer.seal.checkpoints import Checkpoints
from indexer.seal.sealer import PendingCut, SealedCut, Sealer
from indexer.shred.kernel_wait import KernelWait
from indexer.state.current_view import CurrentView
from snapshot.bootstrap.bootstrap import ResumedPartition
from snapshot.documents.batch_lists import BatchLists
from snapshot.documents.manifest import Manifest, SegmentEntry
from snapshot.publish import ChainForked, Published


class CutGate(Protocol):
    """Delays publishing a sealed cut that lacks damaged records."""

    @property
    def waiting_for(self) -> str:
        """Why a cut is delayed now, as text; empty if none is."""

    async def wait_for_copies(
        self, epoch_number: int, damaged: Sequence[int], predecessor: str | None, cut_ns: int
    ) -> None:
        """Wait until the cut may be published. Raises Resync when the records are readable."""

    def is_stuck(self, predecessor: str | None) -> bool:
        """Whether another indexer's cut after this manifest is overdue."""

    def lost_to_another(self, predecessor: str | None) -> None:
        """Note that another indexer's cut will follow this manifest."""


class SealingPipeline:
    """From a cut's rows to its manifest, from one resumption of a partition to the next.

    cuts: cuts that wait to be sealed.
    owners: dataset -> (team, env), for datasets with rows that no manifest covers.
    waiting: sealed cuts that wait to be published, oldest first.
    predecessor: key of the manifest that the next one follows.
    lists: lists of the batches in published cuts.
    """

    def __init__(
        self,
        views: CurrentView,
        sealer: Sealer,
        kernel_wait: KernelWait,
        resumed: ResumedPartition,
        context: RoleContext,
        publish_delay_ms: int,
        gate: CutGate,
    ) -> None:
        newest = resumed.history.newest
        self.cuts: asyncio.Queue[PendingCut] = asyncio.Queue()  # bounded by UNSEALED_CUTS_MAX
        self.predecessor = resumed.predecessor
        self.last_manifest: Manifest | None = newest
        self.owners: dict[str, tuple[str, str]] = {}
        self.waiting: deque[SealedCut] = deque()
        self._gate = gate
        self._views = views
        self._sealer = sealer
        self._label = str(sealer.epoch.partition)
        self._kernel_wait = kernel_wait
        self._context = context
        self._publish_delay_s = publish_delay_ms / 1000
        self._checkpoints = Checkpoints(
            sealer.chain,
            context.clock,
            resumed.since_checkpoint,
            resumed.history.dropped,
            sealer.timing.checkpoint_every,
        )
        self.lists = BatchLists(sealer.chain.manifest, resumed.history.keys, resumed.gaps)
        self._more = asyncio.Event()
        self._covered = [] if newest is None else [newest.next_offset]
        self._update_metrics()

    def close(self) -> None:
        """Release the waiting files: the next run builds them again from the log."""
        for sealed in self.waiting:
            self._sealer.cache.release(sealed.objects)
        self.waiting.clear()
        self._update_metrics()

    @property
    def waiting_bytes(self) -> int:
        """Bytes of files that wait to be published."""
        return sum(entry.size_bytes for sealed in self.waiting for entry in sealed.entries)

    @property
    def waiting_objects(self) -> frozenset[str]:
        """Hashes of the files that wait to be published."""
        return frozenset(entry.object for sealed in self.waiting for entry in sealed.entries)

    @property
    def uncovered_since_ns(self) -> int | None:
        """Append time of the first row that no published segment has; None: all are published."""
        view = self._views.now
        times = [entry.append_min_ns for sealed in self.waiting for entry in sealed.entries]
        if view is not None:
            live = view.live
            times += [cut.append_min_ns for one in live.sealing for cut in one.cuts]
            times += [rows.append_min_ns for rows in live.current.values()]
        return min(times, default=None)

    def unpublished(self, offset: int) -> bool:
        """Whether a cut that ends at or before `offset` still waits to be published."""
        view = self._views.now
        if view is None:
            return True
        ends = [sealed.pending.cut.next_offset for sealed in self.waiting]
        ends += [one.end_offset for one in view.live.sealing]
        return any(end <= offset for end in ends)

    def covered_after(self, log_start: int) -> list[int]:
        """Ends of published cuts beyond the log's start, oldest first."""
        self._covered = [end for end in self._covered if end > log_start]
        return list(self._covered)

    @property
    def held_because(self) -> str:
        """Why a sealed cut is not published yet, as text; empty if none is delayed."""
        return self._gate.waiting_for

    async def run_sealing(self) -> None:
        """Seal the cuts in order and serve their files, until cancelled."""
        while True:
            pending = await self.cuts.get()
            await self._kernel_wait.wait(pending.rows.visible_rows, pending.rows.visible_bytes)
            sealed = await self._sealer.seal(pending)
            await self._serve_files(sealed)

    async def _serve_files(self, sealed: SealedCut) -> None:
        """Serve the files of a cut instead of its rows."""
        self.waiting.append(sealed)
        end = sealed.pending.cut.next_offset
        view = await self._views.change(
            lambda view: replace(view, live=view.live.published(end)).with_segments(sealed.entries)
        )
        live_rows.labels(self._label).set(view.live.rows)
        self._update_metrics()
        self._more.set()

    async def run_publishing(self) -> None:
        """Publish the sealed cuts in order, until cancelled.

        Raises ChainForked where another cut was published; DamageDiffers if that cut lacks
        records that this one has.
        """
        while True:
            while not self.waiting:
                self._more.clear()
                await self._more.wait()
            sealed = self.waiting[0]
            started_ns = self._context.clock.monotonic_ns()
            if sealed.pending.cut.damaged:
                cut, cut_ns = sealed.pending.cut, sealed.pending.cut_ns
                number = self._sealer.epoch.number
                await self._gate.wait_for_copies(number, cut.damaged, self.predecessor, cut_ns)
            await asyncio.sleep(self._context.random.uniform(0, self._publish_delay_s))
            try:
                published = await self._sealer.publish(
                    sealed, self.predecessor, supersede=self._gate.is_stuck(self.predecessor)
                )
            except ChainForked:
                self._gate.lost_to_another(self.predecessor)
                raise
            await self._take_over(sealed, published)
            await self._checkpoints.published(published.manifest, self._published_segments)
            self._emit(published, started_ns)

    async def _take_over(self, sealed: SealedCut, published: Published) -> None:
        """Serve the published segments instead of the files that waited."""
        manifest, own = published.manifest, [entry.object for entry in sealed.entries]
        self.waiting.popleft()
        self._covered.append(manifest.next_offset)
        self.predecessor = manifest.key
        self.last_manifest = manifest
        self.lists.published(manifest)
        if tuple(manifest.segments) != sealed.entries:
            await self._views.change(
                lambda view: view.without_objects(own).with_segments(manifest.segments)
            )
        self._views.notify()
        cache = self._sealer.cache
        cache.release(sealed.objects)
        named = {entry.object for entry in manifest.segments}
        named |= {entry.pack for entry in manifest.segments}
        if others := sealed.objects.union(own) - named:
            # the other indexer, which published, has another version of the writer
            await asyncio.to_thread(cache.forget_all, others)
        cuts_total.labels(self._label).inc()
        self._update_metrics()

    def _published_segments(self) -> list[SegmentEntry]:
        view = self._views.now
        entries = [] if view is None else view.all_segments()
        return published_only(entries, self.waiting_objects)

    def _update_metrics(self) -> None:
        unpublished_cuts.labels(self._label).set(len(self.waiting))
        unpublished_bytes.labels(self._label).set(self.waiting_bytes)

    def _emit(self, published: Published, started_ns: int) -> None:
        manifest = published.manifest
        objects = len({segment.location.key for segment in manifest.segments})
        cut_objects_total.labels(self._label).inc(objects)
        self._context.telemetry.emit(
            "cut",
            partition=self._sealer.epoch.partition,
            rows=manifest.rows,
            segments=len(manifest.segments),
            objects=objects,
            bytes=sum(segment.size_bytes for segment in manifest.segments),
            next_offset=manifest.next_offset,
            adopted=published.adopted,
            diverged=bool(published.differences),
            duration_ms=(self._context.clock.monotonic_ns() - started_ns) / 1e6,
        )


def published_only(entries: list[SegmentEntry], waiting: frozenset[str]) -> list[SegmentEntry]:
    """The segments without unpublished ones, which cannot expire yet."""
    return [entry for entry in entries if entry.object not in waiting]
