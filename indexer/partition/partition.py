"""One partition: resume, follow the log, shred, serve, cut, publish; again after any failure.

Three tasks share it: `_follow` reads and indexes, `_seal` publishes cuts in order, and the
caretaker (`tending.py`) appends heartbeats and markers. What is served is one value, replaced in
one step. Keeps I2, I3, I5; the fold decides everything that must not depend on this process.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from common import limits
from common.error_text import describe_error
from common.errors import LogLost, OffsetGone
from common.log import Bounds
from common.logs import log_event
from common.metrics import (
    duplicate_records_total,
    indexed_rows_total,
    live_rows,
    partition_failures_total,
    voided_records_total,
)
from common.model.record import Kind, LogRecord
from common.model.reroute import Void
from indexer.damage.log_gaps import pass_gap, pass_lost
from indexer.damage.reappend import reappend_until_done
from indexer.damage.reports import report_gap
from indexer.damage.tracker import DamageTracker
from indexer.partition.alarms import Alarms
from indexer.partition.index_batch import index_batch
from indexer.partition.memory_budget import Use
from indexer.partition.read_ahead import ReadAhead
from indexer.partition.replay import Replay
from indexer.partition.shared import Shared
from indexer.seal.pipeline import SealingPipeline
from indexer.seal.sealer import WRITER, PendingCut, Sealer
from indexer.shred import Accepted
from indexer.state.live_rows import LiveRows
from indexer.state.partition_state import Action, Cut, PartitionState, PartitionStopped, Step
from indexer.state.resync import Resync
from indexer.state.view import PartitionView
from snapshot.bootstrap.bootstrap import Resumed, resume
from snapshot.damage.divergence import Divergence
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Manifest, SegmentEntry
from snapshot.retention.retention import Retention, RetentionBook
from snapshot.threads import to_store_thread

_BACKOFF_FIRST_S = 0.5
_BACKOFF_MAX_S = 15.0
_PAUSED_LOOK_S = 0.05  # between looks whether there is room for live rows again
_REST_STEPS = 16  # after a step, so many times as long: a lone event hardly waits for that
_UNAWARE_NS = 5 * 10**9  # the caretaker looks every second
logger = logging.getLogger(__name__)


class Partition:
    """One claimed partition. Lives on the event loop; heavy work runs in threads."""

    def __init__(self, number: int, shared: Shared) -> None:
        self.number = number
        self.shared = shared
        folder = shared.context.folder
        self.chain = Chain(shared.context.backends.objects, number, folder / "copies")
        self.view: PartitionView | None = None
        self.state: PartitionState | None = None
        self.stopped_reason: str | None = None
        self.pipeline: SealingPipeline | None = None
        self.log_bounds = Bounds(0, 0)
        self.catch_up_to = 0
        self.alarms = Alarms(number, shared.context.alarms)
        self.replay: Replay | None = None
        self._looked_ns: int | None = None
        self.damage = DamageTracker(self.chain)
        self.divergences: list[Divergence] = []  # cuts about which the twins disagree
        self.asked: deque[Void] = deque(maxlen=limits.VOIDS_WAITING_MAX)
        self.changed = asyncio.Event()
        self.retention = RetentionBook(self.chain)
        self.expired_early: tuple[Retention, ...] = ()  # see expiry/keeper.py
        self.known_ns: int | None = None  # newest time in the manifests that were there before us
        self._resync = asyncio.Event()
        self._resync_reason = ""
        self._hidden: dict[str, SegmentEntry] = {}
        self._scratch: Path = folder / "sealing" / f"{number:05d}"
        self._turn = asyncio.Lock()
        self._label = str(number)

    # --- the outermost loop ---------------------------------------------------------------------
    async def run(self) -> None:
        """Until cancelled. A failure is counted and logged, then the partition is resumed."""
        backoff_s = _BACKOFF_FIRST_S
        while True:
            began_ns = self.shared.context.clock.monotonic_ns()
            try:
                await self._run_once()
                return  # stopped for good: it goes on being served
            except Resync as error:
                log_event(logger, logging.WARNING, "resync", partition=self.number, why=str(error))
            except Exception as error:
                partition_failures_total.labels(self._label).inc()
                log_event(
                    logger,
                    logging.ERROR,
                    "partition failed; resuming it",
                    partition=self.number,
                    kind=type(error).__name__,
                    why=describe_error(error),
                    again_in_s=backoff_s,
                )
                logger.debug("partition failed", exc_info=error)
            if self.shared.context.clock.monotonic_ns() - began_ns > 60 * 10**9:
                backoff_s = _BACKOFF_FIRST_S
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, _BACKOFF_MAX_S)

    async def _run_once(self) -> None:
        self._turn = asyncio.Lock()
        self._resync.clear()  # whatever was asked: it is resumed now
        pipeline = await self._resume()
        stages = [asyncio.create_task(stage) for stage in pipeline.stages()]
        following = asyncio.create_task(self._follow(pipeline.cuts))
        asked = asyncio.create_task(self._asked_to_resync())
        tasks = (*stages, following, asked)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done() and (error := task.exception()) is not None:
                    if not isinstance(error, PartitionStopped):
                        raise error
                    self.stopped_reason = str(error)
                    log_event(
                        logger,
                        logging.CRITICAL,
                        "PARTITION STOPPED: it is served, but not indexed any further",
                        partition=self.number,
                        why=str(error),
                    )
                    self.notify()
                    await asyncio.gather(*stages)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.pipeline = None
            pipeline.close()
            self.shared.budget.forget(self.number)

    async def _asked_to_resync(self) -> None:
        await self._resync.wait()
        self._resync.clear()
        raise Resync(self._resync_reason)

    def ask_resync(self, reason: str) -> None:
        """Have the partition resumed from its newest manifest."""
        self._resync_reason = reason
        self._resync.set()

    def notify(self) -> None:
        """Wake everyone who waits for this partition to move."""
        self.changed.set()
        self.changed = asyncio.Event()

    # --- resuming -------------------------------------------------------------------------------
    async def _resume(self) -> SealingPipeline:
        shared, context = self.shared, self.shared.context
        self.stopped_reason = None
        resumed = await resume(
            self.chain,
            context.backends.log,
            (await self.shared.watch.refresh(at_once=True)).epoch,
            clock=context.clock,
            writer=WRITER,
            zone=context.zone,
        )
        await to_store_thread(self.retention.refresh)
        await self.look()
        self.catch_up_to = self.log_bounds.end
        sealer = Sealer(
            self.chain,
            self.shared.cache,
            resumed.epoch,
            self._scratch,
            context.clock,
            context.zone,
            self.shared.encoders,
            self.divergences,
            self.shared.wide,
        )
        await to_store_thread(sealer.prepare)
        await self._begin(resumed)
        publish_gate = self.damage.publish_gate(shared)
        pipeline = SealingPipeline(
            self, sealer, shared.kernel_wait, resumed, context, shared.config, publish_gate
        )
        self.pipeline = pipeline
        self.replay = Replay(
            self.number, resumed.carried.next_offset, self.catch_up_to, context.clock
        )
        self.shared.prefetcher.add(self.retention.shown(resumed.segments))
        log_event(
            logger,
            logging.INFO,
            "partition resumed",
            partition=self.number,
            epoch=resumed.epoch.number,
            offset=resumed.carried.next_offset,
            segments=len(resumed.segments),
            gaps=len(resumed.gaps),
        )
        return pipeline

    async def _begin(self, resumed: Resumed) -> None:
        known = resumed.history.newest.gaps if resumed.history.newest else []
        for gap in resumed.gaps:
            if gap not in known:
                report_gap(self.number, gap)
        self.asked.clear()  # they are read again: what is folded now ends before them
        if self.known_ns is None and resumed.history.newest is not None:
            self.known_ns = resumed.history.newest.watermark_ns or None
        dropped = [one.place for one in {*resumed.history.dropped, *self.retention.dropped}]
        state = await self.damage.make_state(resumed, dropped)
        self.state, self.owners = state, dict[str, tuple[str, str]]()
        view = PartitionView(
            epoch=resumed.epoch,
            live=LiveRows(resumed.carried.next_offset),
            watermark_ns=resumed.carried.watermark_ns,
            gaps=resumed.gaps,
            gone={entry.dataset: entry for entry in resumed.carried.gone},
            given_up=self.retention.given_up,
            cutoffs=self.retention.cutoffs,
            earlier=resumed.earlier,
            rerouted=state.reroutes.view,
            damage=state.quarantine.view,
        )
        self.expired_early = tuple(self.retention.early(self.shared.clocks.now_ns))
        self._serve(view.with_segments(self.retention.shown(resumed.segments)))
        self.notify()

    # --- following the log ----------------------------------------------------------------------
    async def _follow(self, queue: asyncio.Queue[PendingCut]) -> None:
        log, config = self.shared.context.backends.log, self.shared.config
        reading = ReadAhead(log, self.number, config.read_block_bytes, config.poll_wait_ms)
        try:
            await self._follow_with(reading, queue)
        finally:
            await reading.close()

    async def _follow_with(self, reading: ReadAhead, queue: asyncio.Queue[PendingCut]) -> None:
        clock, config = self.shared.context.clock, self.shared.config
        while True:
            state, view = self._state()
            if len(view.live.sealing) >= limits.UNSEALED_CUTS_MAX:
                await self.changed.wait()
                continue
            if not await self._has_room():
                continue
            try:
                records = await reading.take(state.next_offset)
            except OffsetGone as error:
                self._check_log(view)
                await pass_gap(self, state, view, error.start)
                continue
            except LogLost as error:
                await pass_lost(self, state, error)
                continue
            self.damage.lost = None
            self._check_log(view)
            if not records:
                continue
            began_ns = clock.monotonic_ns()
            await self._take(records, queue)
            if not reading.is_behind:
                step_s = (clock.monotonic_ns() - began_ns) / 1e9
                await asyncio.sleep(min(config.gather_ms / 1000, step_s * _REST_STEPS))

    def _check_log(self, view: PartitionView) -> None:
        """Raises Resync if what was read may be of another log: its offsets say nothing here."""
        if self.shared.watch.epoch != view.epoch.log:
            raise Resync(f"the log is {self.shared.watch.epoch} now, not {view.epoch.log}")

    async def _has_room(self) -> bool:
        """Whether the budget of live rows lets us read; waits a moment if it does not."""
        live = self._state()[1].live
        behind = self.log_bounds.end > live.end_offset
        waiting_bytes = 0 if self.pipeline is None else self.pipeline.waiting_bytes
        use = Use(live.uncut_bytes, live.sealing_bytes, behind, waiting_bytes)
        if self.shared.budget.ask(self.number, use):
            return True
        await asyncio.sleep(_PAUSED_LOOK_S)
        await self.look()
        return False

    async def _take(self, records: list[LogRecord], queue: asyncio.Queue[PendingCut]) -> None:
        state, _ = self._state()
        batch: list[Accepted] = []
        rows = 0
        for message in records:
            try:
                step = state.apply(message)
            except PartitionStopped:
                await self._index(batch)
                raise
            if step.action is Action.ROWS and step.record is not None:
                appended_ns = state.row_time_ns(message.append_ns)
                batch.append(Accepted(message.offset, appended_ns, step.record))
                self.owners[step.record.dataset] = (step.record.team, step.record.env)
                rows += step.record.n
            else:
                self._count(step)
            is_gone = step.record is not None and step.record.kind is Kind.GONE
            if step.cut or is_gone or rows >= self.shared.config.shred_rows:
                await self._index(batch)
                batch, rows = [], 0
            if is_gone and step.record is not None:
                self._hide(step.record.dataset, message.offset)
            if step.cut is not None:
                await self._cut(step.cut, queue)
        if batch or self._state()[1].live.end_offset < state.next_offset:
            await self._index(batch)

    def _count(self, step: Step) -> None:
        if step.void is not None:
            self.asked.append(step.void)
        if step.action is Action.DUPLICATE:
            duplicate_records_total.labels(self._label).inc()
        elif step.action is Action.VOIDED:
            voided_records_total.labels(self._label).inc()
        elif step.damaged is not None:
            self.damage.add_damaged(step.damaged)

    async def _index(self, batch: list[Accepted]) -> None:
        state, _ = self._state()
        tails = self.shared.tails
        read_bytes = sum(len(accepted.record.value) for accepted in batch)
        if self.replay is not None and not self.replay.done:
            await self.shared.kernel_wait.wait(sum(one.record.n for one in batch), read_bytes)
        async with self._turn:  # the live rows change under nobody's hands meanwhile
            arguments = (
                self._state()[1].live,
                batch,
                state.next_offset,
                tails.followed_datasets(self.number),
            )
            if batch:
                indexed = await asyncio.to_thread(index_batch, self.shared.shredder, *arguments)
            else:  # heartbeats and the like
                indexed = index_batch(self.shared.shredder, *arguments)
            view = self._state()[1]
            if indexed.set_aside:
                self.damage.add_unreadable(state, view.epoch.number, batch, indexed.set_aside)
            state.quarantine.confirm_datasets(state.datasets)
            if view.damage is not state.quarantine.view:
                self.damage.update_metrics(state.quarantine.view)
            self.view = replace(
                view,
                live=indexed.live,
                watermark_ns=state.watermark_ns,
                rerouted=state.reroutes.view,
                damage=state.quarantine.view,
            )
        indexed_rows_total.labels(self._label).inc(indexed.rows)
        if self.replay is not None:
            self.replay.took(indexed.live.end_offset, indexed.rows, read_bytes)
        live_rows.labels(self._label).set(indexed.live.rows)
        self.notify()
        for dataset, (records, blocks) in indexed.tailed.items():
            tails.publish(dataset, self.number, records, blocks)

    def _hide(self, dataset: str, offset: int) -> None:
        state, view = self._state()
        live = view.live.gone(dataset, offset)
        self._serve(replace(view, live=live, gone=dict(state.gone)))

    def _serve(self, view: PartitionView) -> None:
        """Serve this picture from now on; what it hides waits to be given up."""
        for entries in view.segments.values():
            self._hidden.update((e.object, e) for e in entries if view.hides(e))
        self.view = view.without_hidden()

    # --- cuts -----------------------------------------------------------------------------------
    async def _cut(self, cut: Cut, queue: asyncio.Queue[PendingCut]) -> None:
        async with self._turn:
            state, view = self._state()
            self.view = replace(view, live=view.live.cut())
        sealing, damaged = self.view.live.sealing[-1], state.quarantine.entries
        set_aside = self.damage.take_in_cut()
        owners, cut_ns = dict(self.owners), self.shared.context.clock.monotonic_ns()
        queue.put_nowait(PendingCut(cut, sealing, owners, set_aside, view.gaps, damaged, cut_ns))
        while len(self._state()[1].live.sealing) > limits.UNSEALED_CUTS_MAX:
            await self.changed.wait()

    async def change(self, change: Callable[[PartitionView], PartitionView]) -> PartitionView:
        """Serve the changed picture from now on, in one step, and wake who waits for it."""
        async with self._turn:
            self._serve(change(self._state()[1]))
        self.notify()
        return self._state()[1]

    # --- what others ask ------------------------------------------------------------------------
    def _state(self) -> tuple[PartitionState, PartitionView]:
        if self.state is None or self.view is None:
            raise Resync(f"partition {self.number} is not resumed")
        return self.state, self.view

    async def look(self) -> Bounds:
        """See how far the log is now. Raises LogUnavailable.

        Who has not looked for a while (say, a stopped process) has to catch up with what it
        finds before its answers are whole again.
        """
        unaware = self.unaware
        self.log_bounds = await self.shared.context.backends.log.bounds(self.number)
        self._looked_ns = self.shared.context.clock.monotonic_ns()
        if unaware:
            self.catch_up_to = self.log_bounds.end
        return self.log_bounds

    @property
    def unaware(self) -> bool:
        """Whether the log's end has not been seen for a while."""
        looked_ns, clock = self._looked_ns, self.shared.context.clock
        return looked_ns is None or clock.monotonic_ns() - looked_ns > _UNAWARE_NS

    @property
    def catching_up(self) -> bool:
        """Whether rows that were visible before, here or at the twin, may not be here yet."""
        if self.view is None or self.unaware:
            return True
        shared, end = self.shared, self.view.live.end_offset
        allowed = 0 if shared.budget.paused(self.number) else shared.config.ready_lag_records
        return end < self.catch_up_to or self.lag > allowed

    @property
    def lag(self) -> int:
        """Records between the log's end, as last seen, and what is served."""
        end = self.log_bounds.end
        return max(1, end) if self.view is None else max(0, end - self.view.live.end_offset)

    @property
    def hidden(self) -> list[SegmentEntry]:
        """Segments of deleted datasets that are not given up yet."""
        return list(self._hidden.values())

    def forget_hidden(self, given_up: list[SegmentEntry]) -> None:
        """These hidden segments are given up and need not be remembered."""
        for entry in given_up:
            self._hidden.pop(entry.object, None)

    def expire(self) -> None:
        """Serve no segment any more that the retention documents give up."""
        book, view = self.retention, self.view
        if view is not None and view.given_up != book.given_up:
            self._serve(replace(view, given_up=book.given_up, cutoffs=book.cutoffs))

    @property
    def covered_end(self) -> int:
        """The first offset of the present epoch that no published cut covers."""
        view, newest = self.view, self.last_manifest
        if view is None:
            return 0
        is_of_epoch = newest is not None and newest.epoch_number == view.epoch.number
        return newest.next_offset if newest and is_of_epoch else view.epoch.first_offset

    @property
    def has_unsettled_damage(self) -> bool:
        """Whether something is damaged that an operator may settle."""
        return self.view is not None and bool(self.view.damage.missing)

    async def reappend(self, offsets: Sequence[int]) -> None:
        """Append the events of these records again: what is published lacks them."""
        await reappend_until_done(self, offsets)

    async def settled(self) -> None:
        """Apply the settlements that the book has."""
        state, _ = self._state()
        state.quarantine.give_up(self.damage.settlements.given_up)
        self.damage.update_metrics(state.quarantine.view)
        await self.change(lambda view: replace(view, damage=state.quarantine.view))

    @property
    def last_manifest(self) -> Manifest | None:
        """The newest published manifest."""
        return None if self.pipeline is None else self.pipeline.last_manifest

    def unpublished(self, offset: int) -> bool:
        """Whether a cut that ends at or before `offset` still waits to be published."""
        return self.pipeline is None or self.pipeline.unpublished(offset)
