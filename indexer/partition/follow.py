"""Follows the log of one partition: reads ahead, applies records, indexes batches (I2, I3, I5).

All that must not depend on this process follows from `PartitionState`. The served view is replaced
in one step after each batch; cuts go to the sealing pipeline in order.
"""

import asyncio
from collections import deque
from dataclasses import replace

from common import limits
from common.errors import LogLost, OffsetGone
from common.metrics import (
    duplicate_records_total,
    indexed_rows_total,
    live_rows,
    voided_records_total,
)
from common.model.record import Kind, LogRecord
from common.model.reroute import Void
from indexer.damage.log_gaps import LogGaps
from indexer.damage.tracker import DamageTracker
from indexer.partition.index_batch import index_batch
from indexer.partition.memory_budget import MemoryUse
from indexer.partition.read_ahead import ReadAhead
from indexer.partition.replay import Replay
from indexer.partition.shared import Shared
from indexer.seal.pipeline import SealingPipeline
from indexer.seal.sealer import PendingCut
from indexer.shred import Accepted
from indexer.state.current_view import CurrentView
from indexer.state.cut import Cut
from indexer.state.log_end import LogEnd
from indexer.state.partition_state import Action, PartitionState, PartitionStopped, Step
from indexer.state.resync import Resync
from indexer.state.view import PartitionView

_REST_STEPS = 16  # pause after a step, in durations of that step: a lone event hardly waits


class Follower:
    """Follows one partition. Shredding runs in a thread, the rest on the event loop."""

    def __init__(
        self,
        number: int,
        shared: Shared,
        log_end: LogEnd,
        state: PartitionState,
        views: CurrentView,
        pipeline: SealingPipeline,
        replay: Replay,
        damage: DamageTracker,
        gaps: LogGaps,
        voids: deque[Void],
    ) -> None:
        """voids: receives the questions of other partitions about rerouted batches."""
        self._number = number
        self._shared = shared
        self._config = shared.config
        self._clock = shared.context.clock
        self._log_end = log_end
        self._state = state
        self._views = views
        self._pipeline = pipeline
        self._replay = replay
        self._damage = damage
        self._gaps = gaps
        self._voids = voids
        self._label = str(number)

    async def run(self) -> None:
        """Follow the log until cancelled.

        Raises PartitionStopped where this program must not read further, Resync where the
        partition has to be resumed.
        """
        log, config = self._shared.context.backends.log, self._config
        reading = ReadAhead(log, self._number, config.read_block_bytes, config.poll_wait_ms)
        try:
            while True:
                await self._step(reading)
        finally:
            await reading.close()

    async def _step(self, reading: ReadAhead) -> None:
        """Index the next block of the log, or wait until one arrives and the budget has room."""
        state, view = self._state, self._views.present
        if len(view.live.sealing) >= limits.UNSEALED_CUTS_MAX:
            await self._views.changed()
            return
        if not await self._has_room(view):
            return
        try:
            records = await reading.take(state.next_offset)
        except OffsetGone as error:
            self._check_log(view)
            await self._gaps.pass_dropped(error.start, self._pipeline.predecessor)
            return
        except LogLost as error:
            await self._gaps.pass_lost(error)
            return
        self._damage.lost = None
        self._check_log(view)
        if not records:
            return
        began_ns = self._clock.monotonic_ns()
        await self._take(records)
        if not reading.is_behind:
            step_s = (self._clock.monotonic_ns() - began_ns) / 1e9
            await asyncio.sleep(min(self._config.gather_ms / 1000, step_s * _REST_STEPS))

    def _check_log(self, view: PartitionView) -> None:
        """Raise Resync if the records may be of another log, as offsets are not comparable."""
        if self._shared.watch.epoch != view.epoch.log:
            raise Resync(f"the log is {self._shared.watch.epoch} now, not {view.epoch.log}")

    async def _has_room(self, view: PartitionView) -> bool:
        """Whether the budget of live rows allows reading; waits a moment if it does not."""
        live = view.live
        behind = self._log_end.bounds.end > live.end_offset
        use = MemoryUse(live.uncut_bytes, live.sealing_bytes, behind, self._pipeline.waiting_bytes)
        if self._shared.budget.request(self._number, use):
            return True
        await asyncio.sleep(self._shared.timing.paused_s)
        await self._log_end.refresh()
        return False

    async def _take(self, records: list[LogRecord]) -> None:
        """Apply the records, and index those with rows in batches."""
        state, owners = self._state, self._pipeline.owners
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
                owners[step.record.dataset] = (step.record.team, step.record.env)
                rows += step.record.n
            else:
                self._count(step)
            is_deletion = step.record is not None and step.record.kind is Kind.GONE
            if step.cut or is_deletion or rows >= self._config.shred_rows:
                await self._index(batch)
                batch, rows = [], 0
            if is_deletion and step.record is not None:
                self._delete_dataset(step.record.dataset, message.offset)
            if step.cut is not None:
                await self._cut(step.cut)
        if batch or self._views.present.live.end_offset < state.next_offset:
            await self._index(batch)

    def _count(self, step: Step) -> None:
        """Count a record without rows of its own."""
        if step.void is not None:
            self._voids.append(step.void)
        if step.action is Action.DUPLICATE:
            duplicate_records_total.labels(self._label).inc()
        elif step.action is Action.VOIDED:
            voided_records_total.labels(self._label).inc()
        elif step.damaged is not None:
            self._damage.add_damaged(step.damaged)

    async def _index(self, batch: list[Accepted]) -> None:
        """Shred the batch and add its rows to the view."""
        state, tails, damage = self._state, self._shared.tails, self._damage
        read_bytes = sum(len(accepted.record.value) for accepted in batch)
        if not self._replay.done:
            await self._shared.kernel_wait.wait(sum(one.record.n for one in batch), read_bytes)
        async with self._views.turn:
            arguments = (
                self._views.present.live,
                batch,
                state.next_offset,
                tails.followed_datasets(self._number),
            )
            if batch:
                indexed = await asyncio.to_thread(index_batch, self._shared.shredder, *arguments)
            else:  # heartbeats and other control records
                indexed = index_batch(self._shared.shredder, *arguments)
            view = self._views.present
            if indexed.quarantined:
                damage.add_unreadable(state, view.epoch.number, batch, indexed.quarantined)
            state.quarantine.confirm_datasets(state.datasets)
            if view.damage is not state.quarantine.view:
                damage.update_metrics(state.quarantine.view)
            self._views.now = replace(
                view,
                live=indexed.live,
                watermark_ns=state.watermark_ns,
                rerouted=state.reroutes.view,
                damage=state.quarantine.view,
            )
        indexed_rows_total.labels(self._label).inc(indexed.rows)
        self._replay.took(indexed.live.end_offset, indexed.rows, read_bytes)
        live_rows.labels(self._label).set(indexed.live.rows)
        self._views.notify()
        for dataset, (records, blocks) in indexed.tailed.items():
            tails.publish(dataset, self._number, records, blocks)

    def _delete_dataset(self, dataset: str, offset: int) -> None:
        """Hide the rows of the dataset's records before `offset`."""
        view = self._views.present
        live = view.live.without_dataset(dataset, offset)
        self._views.serve(
            replace(view, live=live, dataset_tombstones=dict(self._state.dataset_tombstones))
        )

    async def _cut(self, cut: Cut) -> None:
        """Pass the rows since the last cut to the pipeline; waits while too many are unsealed."""
        async with self._views.turn:
            view = self._views.present
            self._views.now = cut_view = replace(view, live=view.live.cut())
        self._pipeline.cuts.put_nowait(
            PendingCut(
                cut,
                cut_view.live.sealing[-1],
                dict(self._pipeline.owners),
                self._damage.take_in_cut(),
                view.gaps,
                self._state.quarantine.entries,
                self._clock.monotonic_ns(),
            )
        )
        while len(self._views.present.live.sealing) > limits.UNSEALED_CUTS_MAX:
            await self._views.changed()
