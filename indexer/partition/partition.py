"""One partition: resumed, followed, cut, published; resumed again after any failure (I2, I3, I5).

The follower applies the log's records to the state and serves their rows; the pipeline seals and
publishes the cuts. Maintenance, the messages about rerouted batches and the recovery of damaged
records run beside them and read the partition.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from common import limits
from common.back_off import BackOff
from common.error_text import describe_error
from common.logs import log_event
from common.metrics import partition_failures_total
from common.model.reroute import Void
from common.tasks import running
from indexer.damage.log_gaps import LogGaps
from indexer.damage.reappend import reappend_until_done
from indexer.damage.reports import report_gap
from indexer.damage.tracker import DamageTracker
from indexer.expiry.partition_retention import PartitionRetention
from indexer.partition.alarms import Alarms
from indexer.partition.follow import Follower
from indexer.partition.replay import Replay
from indexer.partition.shared import Shared
from indexer.seal.pipeline import SealingPipeline
from indexer.seal.sealer import WRITER, Sealer
from indexer.state.current_view import CurrentView
from indexer.state.live_rows import LiveRows
from indexer.state.log_end import LogEnd
from indexer.state.partition_state import PartitionState, PartitionStopped
from indexer.state.resync import Resync
from indexer.state.view import PartitionView
from snapshot.bootstrap.bootstrap import ResumedPartition, resume
from snapshot.compaction.book import CompactionBook
from snapshot.damage.divergence import Divergence
from snapshot.documents.chain import Chain
from snapshot.objects_of import PartitionObjects, objects_of_history
from snapshot.publish import DamageDiffers
from snapshot.retention.confirmations import ConfirmationBook
from snapshot.retention.retention import RetentionBook
from snapshot.threads import to_store_thread

_WENT_WELL_NS = 60 * 10**9  # a run that lasted longer resets the back-off
logger = logging.getLogger(__name__)


class Partition:
    """One claimed partition. Used from the event loop; heavy work runs in threads.

    state: its state machine; None until it is resumed for the first time.
    pipeline: its cuts that are not published yet; None while it is being resumed.
    replay: its progress since it was resumed.
    compactions: its compaction documents.
    stopped_reason: why indexing has stopped, as text.
    voids: unanswered questions of other partitions about rerouted batches.
    divergences: cuts that its two indexers (twins) made differently.
    unproved: datasets whose segments were put together wrongly, and why; see `Compactor`.
    """

    def __init__(self, number: int, shared: Shared) -> None:
        context = shared.context
        objects, log = context.backends.objects, context.backends.log
        self.number = number
        self.shared = shared
        self.chain = Chain(objects, number, context.folder / "copies")
        self.views = CurrentView()
        self.log_end = LogEnd(number, log, context.clock, self.views, self._lag_allowed)
        self.state: PartitionState | None = None
        self.pipeline: SealingPipeline | None = None
        self.replay: Replay | None = None
        self.stopped_reason: str | None = None
        self.damage = DamageTracker(
            self.chain, self.views, log, shared.peers, context.clock, shared.config.damage_wait_s
        )
        self.compactions = CompactionBook(self.chain)
        self.retention = PartitionRetention(
            RetentionBook(self.chain),
            self.compactions,
            ConfirmationBook(self.chain),
            self.views,
            lambda: shared.clocks.now_ns,
        )
        self.voids: deque[Void] = deque(maxlen=limits.VOIDS_WAITING_MAX)
        self.alarms = Alarms(number, context.alarms)
        self.divergences: list[Divergence] = []
        self.unproved: dict[str, str] = {}
        self._resync = asyncio.Event()
        self._resync_reason = ""
        self._scratch: Path = context.folder / "sealing" / f"{number:05d}"

    @property
    def view(self) -> PartitionView | None:
        """The view that is served; None until the partition is resumed for the first time."""
        return self.views.now

    def request_resync(self, reason: str) -> None:
        """Have the partition resumed from its newest manifest."""
        self._resync_reason = reason
        self._resync.set()

    async def wait_until(self, condition: Callable[[], bool], deadline_ns: int) -> bool:
        """Wait until the view meets a condition. deadline_ns: monotonic.

        Returns False if it does not at the deadline, or when the partition is stopped.
        """
        while not condition():
            left_s = (deadline_ns - self.shared.context.clock.monotonic_ns()) / 1e9
            if left_s <= 0 or self.stopped_reason is not None:
                return False
            try:
                await asyncio.wait_for(self.views.changed(), left_s)
            except TimeoutError:
                return False
        return True

    def _lag_allowed(self) -> int:
        shared = self.shared
        return 0 if shared.budget.paused(self.number) else shared.config.ready_lag_records

    # --- the outermost loop ---------------------------------------------------------------------
    async def run(self) -> None:
        """Run until cancelled. A failure is counted and logged, then the partition is resumed."""
        clock, timing = self.shared.context.clock, self.shared.timing
        back_off = BackOff(timing.resume_first_s, timing.resume_most_s)
        while True:
            began_ns = clock.monotonic_ns()
            try:
                await self._run_once()
            except Resync as error:
                log_event(logger, logging.WARNING, "resync", partition=self.number, why=str(error))
                wait_s = self._next_wait_s(back_off, began_ns)
            except Exception as error:
                partition_failures_total.labels(str(self.number)).inc()
                wait_s = self._next_wait_s(back_off, began_ns)
                log_event(
                    logger,
                    logging.ERROR,
                    "partition failed; resuming it",
                    partition=self.number,
                    kind=type(error).__name__,
                    why=describe_error(error),
                    again_in_s=wait_s,
                )
                logger.debug("partition failed", exc_info=error)
            await asyncio.sleep(wait_s)

    def _next_wait_s(self, back_off: BackOff, began_ns: int) -> float:
        if self.shared.context.clock.monotonic_ns() - began_ns > _WENT_WELL_NS:
            back_off.reset()
        return back_off.next()

    async def _run_once(self) -> None:
        """Resume the partition and run it until a failure, which it raises."""
        self._resync.clear()  # earlier requests are met by this resumption
        follower, pipeline = await self._resume()
        try:
            async with running(pipeline.run_sealing(), self._publish(pipeline)):
                await self._follow(follower)
                await asyncio.Event().wait()  # stopped: its rows are still served and published
        finally:
            self.pipeline = None
            pipeline.close()
            self.shared.budget.forget(self.number)

    async def _follow(self, follower: Follower) -> None:
        """Follow the log until the partition is stopped. Raises Resync when one is requested."""
        try:
            async with running(self._raise_requested_resync()):
                await follower.run()
        except PartitionStopped as error:
            self.stopped_reason = str(error)
            log_event(
                logger,
                logging.CRITICAL,
                "PARTITION STOPPED: it is served, but not indexed any further",
                partition=self.number,
                why=str(error),
            )
            self.views.notify()

    async def _raise_requested_resync(self) -> None:
        await self._resync.wait()
        self._resync.clear()
        raise Resync(self._resync_reason)

    async def _publish(self, pipeline: SealingPipeline) -> None:
        """Publish cuts; reappend records that another indexer's cut lacks and this one has read."""
        try:
            await pipeline.run_publishing()
        except DamageDiffers as error:
            await self._reappend(error.lost)
            raise Resync(str(error)) from error

    async def _reappend(self, offsets: Sequence[int]) -> None:
        shared = self.shared
        await reappend_until_done(self, offsets, shared.context.backends.log, shared.cache)

    # --- resuming -------------------------------------------------------------------------------
    async def _resume(self) -> tuple[Follower, SealingPipeline]:
        shared, context = self.shared, self.shared.context
        self.stopped_reason = None
        resumed = await resume(
            self.chain,
            context.backends.log,
            (await shared.watch.refresh(at_once=True)).epoch,
            clock=context.clock,
            writer=WRITER,
            zone=context.zone,
            set_back_pause_s=shared.timing.set_back_pause_s,
        )
        compacted = await to_store_thread(self.retention.refresh)
        objects = objects_of_history(resumed.history, self.retention.book, compacted)
        await self.log_end.begin_catching_up()
        sealer = Sealer(
            self.chain,
            shared.cache,
            resumed.epoch,
            self._scratch,
            context.clock,
            context.zone,
            shared.encoders,
            self.divergences,
            shared.wide_cut_lock,
            shared.timing,
            shared.document_gate,
            lambda: self.compactions.manifests_format,
        )
        await to_store_thread(sealer.prepare)
        state = await self._begin(resumed, objects)
        pipeline = SealingPipeline(
            self.views,
            sealer,
            shared.kernel_wait,
            resumed,
            context,
            shared.config.publish_delay_ms,
            self.damage.publish_gate,
        )
        next_offset, target = resumed.carried.next_offset, self.log_end.catch_up_to
        replay = Replay(self.number, next_offset, target, context.clock)
        self.pipeline, self.replay = pipeline, replay
        shared.prefetcher.add(one.entry for one in objects.served())
        log_event(
            logger,
            logging.INFO,
            "partition resumed",
            partition=self.number,
            epoch=resumed.epoch.number,
            offset=next_offset,
            segments=len(resumed.segments),
            gaps=len(resumed.gaps),
        )
        gaps = LogGaps(self.chain, self.damage, self.views, state)
        follower = Follower(
            self.number,
            shared,
            self.log_end,
            state,
            self.views,
            pipeline,
            replay,
            self.damage,
            gaps,
            self.voids,
        )
        return follower, pipeline

    async def _begin(self, resumed: ResumedPartition, objects: PartitionObjects) -> PartitionState:
        """Serve the published rows; the log's records after them are read next."""
        newest, retention = resumed.history.newest, self.retention
        known = newest.gaps if newest else []
        for gap in resumed.gaps:
            if gap not in known:
                report_gap(self.number, gap)
        self.voids.clear()  # they are read again: they come after the published rows
        if retention.stored_ns is None and newest is not None:
            retention.stored_ns = newest.watermark_ns or None
        book = retention.book
        dropped = [one.position for one in objects.dropped]
        state = await self.damage.make_state(resumed, dropped, self.shared.cut_rules)
        self.state = state
        view = PartitionView(
            epoch=resumed.epoch,
            live=LiveRows(resumed.carried.next_offset),
            watermark_ns=resumed.carried.watermark_ns,
            gaps=resumed.gaps,
            dataset_tombstones={entry.dataset: entry for entry in resumed.carried.gone},
            expired_objects=book.expired_objects,
            cutoffs=book.cutoffs,
            earlier=resumed.earlier,
            rerouted=state.reroutes.view,
            damage=state.quarantine.view,
            compacted=objects.compacted,
        )
        retention.check_early()
        retention.applied = book.number
        self.views.serve(view.with_segments(objects.retained))
        self.views.notify()
        return state
