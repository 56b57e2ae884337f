"""The cuts of one partition on their way: sealed to this disk at once, published in order (I3, I4).

A sealed cut is served from its files, so its rows leave memory, also while the object store is
down for hours. Files that wait to be published are leased and never removed; together they have
a budget, and when that is used up reading pauses: the log keeps what comes (I11).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol

from common.metrics import cuts_total, live_rows, unpublished_bytes, unpublished_cuts
from common.process.role import RoleContext
from indexer.config import IndexerConfig
from indexer.damage.publish_gate import PublishGate
from indexer.seal.checkpoints import Checkpoints
from indexer.seal.sealer import PendingCut, SealedCut, Sealer
from indexer.shred.kernel_wait import KernelWait
from indexer.state.resync import Resync
from indexer.state.view import PartitionView
from snapshot.bootstrap.bootstrap import Resumed
from snapshot.documents.batch_lists import BatchLists
from snapshot.documents.manifest import Manifest, SegmentEntry
from snapshot.publish import ChainForked, DamageDiffers, Published


class Serving(Protocol):
    """The partition, as publishing sees it."""

    @property
    def number(self) -> int:
        """The partition's number."""

    @property
    def view(self) -> PartitionView | None:
        """What is served now."""

    async def reappend(self, offsets: Sequence[int]) -> None:
        """Append the events of these records again: what is published lacks them."""

    async def change(self, change: Callable[[PartitionView], PartitionView]) -> PartitionView:
        """Serve the changed picture from now on, in one step, and wake who waits for it."""


class SealingPipeline:
    """From a cut's rows to its manifest. Ends with its partition's resumption; `close` it."""

    def __init__(
        self,
        serving: Serving,
        sealer: Sealer,
        kernel_wait: KernelWait,
        resumed: Resumed,
        context: RoleContext,
        config: IndexerConfig,
        publish_gate: PublishGate,
    ) -> None:
        newest = resumed.history.newest
        self.cuts: asyncio.Queue[PendingCut] = asyncio.Queue()  # bounded by UNSEALED_CUTS_MAX
        self.predecessor = resumed.predecessor
        self.last_manifest: Manifest | None = newest
        self.waiting: deque[SealedCut] = deque()
        self.publish_gate = publish_gate
        self._serving = serving
        self._sealer = sealer
        self._kernel_wait = kernel_wait
        self._context = context
        self._config = config
        self._checkpoints = Checkpoints(
            sealer.chain, context.clock, resumed.since_checkpoint, resumed.history.dropped
        )
        self.lists = BatchLists(sealer.chain.manifest, resumed.history.keys, resumed.gaps)
        self._more = asyncio.Event()
        self._covered = [] if newest is None else [newest.next_offset]
        self._show()

    def stages(self) -> tuple[Coroutine[Any, Any, None], Coroutine[Any, Any, None]]:
        """Both stages, each to be run until it is cancelled."""
        return self._seal(), self._publish()

    def close(self) -> None:
        """Let go of the files that wait: whoever resumes makes them again from the log."""
        for sealed in self.waiting:
            self._sealer.cache.release(entry.object for entry in sealed.entries)
        self.waiting.clear()
        self._show()

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
        """Append time of the first row that is in no published segment; None: there is none."""
        view = self._serving.view
        times = [entry.append_min_ns for sealed in self.waiting for entry in sealed.entries]
        if view is not None:
            live = view.live
            times += [cut.append_min_ns for one in live.sealing for cut in one.cuts]
            times += [rows.append_min_ns for rows in live.current.values()]
        return min(times, default=None)

    def unpublished(self, offset: int) -> bool:
        """Whether a cut that ends at or before `offset` still waits to be published."""
        view = self._serving.view
        if view is None:
            return True
        ends = [sealed.pending.cut.next_offset for sealed in self.waiting]
        ends += [one.end_offset for one in view.live.sealing]
        return any(end <= offset for end in ends)

    def covered_after(self, log_start: int) -> list[int]:
        """Ends of published cuts beyond the log's start, oldest first."""
        self._covered = [end for end in self._covered if end > log_start]
        return list(self._covered)

    async def _seal(self) -> None:
        while True:
            pending = await self.cuts.get()
            await self._kernel_wait.wait(pending.rows.visible_rows, pending.rows.visible_bytes)
            sealed = await self._sealer.seal(pending)
            await self._serve_files(sealed)

    async def _serve_files(self, sealed: SealedCut) -> None:
        """The files of a cut take the place of its rows."""
        self.waiting.append(sealed)
        end = sealed.pending.cut.next_offset
        view = await self._serving.change(
            lambda view: replace(view, live=view.live.published(end)).with_segments(sealed.entries)
        )
        live_rows.labels(str(self._serving.number)).set(view.live.rows)
        self._show()
        self._more.set()

    async def _publish(self) -> None:
        while True:
            while not self.waiting:
                self._more.clear()
                await self._more.wait()
            sealed = self.waiting[0]
            started_ns = self._context.clock.monotonic_ns()
            if sealed.pending.cut.damaged:
                cut, cut_ns = sealed.pending.cut, sealed.pending.cut_ns
                number = self._sealer.epoch.number
                await self.publish_gate.wait_for_copies(
                    number, cut.damaged, self.predecessor, cut_ns
                )
            delay_s = self._context.random.uniform(0, self._config.publish_delay_ms / 1000)
            await asyncio.sleep(delay_s)
            try:
                published = await self._sealer.publish(
                    sealed, self.predecessor, supersede=self.publish_gate.is_stuck(self.predecessor)
                )
            except ChainForked as error:
                self.publish_gate.lost_to_another(self.predecessor)
                if not isinstance(error, DamageDiffers):
                    raise
                await self._serving.reappend(error.lost)
                raise Resync(str(error)) from error
            await self._take_over(sealed, published)
            await self._checkpoints.published(published.manifest, self._published_segments)
            self._tell(published, started_ns)

    async def _take_over(self, sealed: SealedCut, published: Published) -> None:
        """The published segments take the place of the files that waited."""
        manifest, own = published.manifest, [entry.object for entry in sealed.entries]
        self.waiting.popleft()
        self._covered.append(manifest.next_offset)
        self.predecessor = manifest.key
        self.last_manifest = manifest
        self.lists.published(manifest)
        await self._serving.change(
            lambda view: view.without_objects(own).with_segments(manifest.segments)
        )
        cache = self._sealer.cache
        cache.release(own)
        named = {entry.object for entry in manifest.segments}
        for object_hash in own:
            if object_hash not in named:  # the twin's writer was another version
                await asyncio.to_thread(cache.forget, object_hash)
        cuts_total.labels(str(self._serving.number)).inc()
        self._show()

    def _published_segments(self) -> list[SegmentEntry]:
        view = self._serving.view
        entries = [] if view is None else view.all_segments()
        return published_only(entries, self.waiting_objects)

    def _show(self) -> None:
        label = str(self._serving.number)
        unpublished_cuts.labels(label).set(len(self.waiting))
        unpublished_bytes.labels(label).set(self.waiting_bytes)

    def _tell(self, published: Published, started_ns: int) -> None:
        manifest = published.manifest
        self._context.telemetry.emit(
            "cut",
            partition=self._serving.number,
            rows=manifest.rows,
            segments=len(manifest.segments),
            bytes=sum(segment.size_bytes for segment in manifest.segments),
            next_offset=manifest.next_offset,
            adopted=published.adopted,
            diverged=bool(published.differences),
            duration_ms=(self._context.clock.monotonic_ns() - started_ns) / 1e6,
        )


def published_only(entries: list[SegmentEntry], waiting: frozenset[str]) -> list[SegmentEntry]:
    """Without those that still wait to be published: nothing of them can be given up yet."""
    return [entry for entry in entries if entry.object not in waiting]
