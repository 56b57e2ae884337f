"""Periodic upkeep of a partition: heartbeats, hour markers, the log's time, lag, retention.

What may call the store often (retention, deletion) runs beside the rest, which never waits for it.

It appends control records and frees space; how the log is interpreted does not depend on it (I3).
Failures are logged and retried in the next round; indexing continues.
"""

import asyncio
import logging
from functools import cached_property

from prometheus_client import Gauge

from common import limits
from common.errors import BellwetherError, LogUnavailable
from common.logs import log_event
from common.metrics import lag_records
from common.model.record import Marker, Record, heartbeat_record, marker_record
from common.tasks import Retry, run_every, running, sleep_in_step
from indexer.expiry.housekeeper import Housekeeper
from indexer.partition.alarms import Facts, States
from indexer.partition.hours import HourGate, LateCut
from indexer.partition.partition import Partition
from indexer.partition.timekeeper import Timekeeper
from indexer.state.partition_state import HOUR_NS, PartitionState
from snapshot.damage.damage import records

_ROUND_S = 1.0
_MARKER_AGAIN_NS = 60 * 10**9
_S_NS = 10**9
logger = logging.getLogger(__name__)


class PartitionMaintenance:
    """Runs the upkeep of one partition until it is cancelled."""

    def __init__(
        self, partition: Partition, hour_markers_apart_ns: int = limits.HOUR_MARKERS_APART_NS
    ) -> None:
        """hour_markers_apart_ns: see `HourGate`."""
        self._partition = partition
        self._context = partition.shared.context
        self._config = partition.shared.config
        self._marker_tried_ns = -_MARKER_AGAIN_NS
        self._housekeeping_ns = self._context.clock.monotonic_ns()
        self._reported_ns = self._context.clock.monotonic_ns()
        self._reported_offset = 0
        shared = partition.shared
        self._housekeeper = Housekeeper(
            partition, shared.context, shared.config, shared.clocks, shared.retentions, shared.cache
        )
        self._jitter_s = self._context.random.uniform(0, 2)
        path = self._context.folder / "hours" / f"{partition.number:05d}.json"
        self._gate = HourGate(path, hour_markers_apart_ns)
        self._gate_loaded = False
        self._late_cut = LateCut()
        self._timekeeper = Timekeeper(partition)
        self._end = -1
        self._moved_ns = 0

    async def run(self) -> None:
        """Run rounds until cancelled."""
        retry = Retry((BellwetherError, OSError), self._log_failure)
        keeping = run_every(
            _ROUND_S, self._keep_house, at_once=True, retry=retry, sleep=sleep_in_step
        )
        async with running(keeping):
            await run_every(
                _ROUND_S, self._keep_watch, at_once=True, retry=retry, sleep=sleep_in_step
            )

    @cached_property
    def _lag(self) -> Gauge:
        return lag_records.labels(str(self._partition.number))

    def _log_failure(self, error: Exception) -> None:
        text = "round of the caretaker failed"
        if isinstance(error, OSError):
            log_event(logger, logging.WARNING, text, why=str(error))
            return
        number, kind = self._partition.number, type(error).__name__
        log_event(logger, logging.WARNING, text, partition=number, kind=kind, why=str(error))

    async def run_round(self) -> None:
        """One round of all of it, one after the other."""
        await self._keep_watch()
        await self._keep_house()

    async def _keep_watch(self) -> None:
        partition = self._partition
        view = partition.view
        before = 0 if view is None else view.live.end_offset
        bounds = await partition.log_end.look()
        self._lag.set(partition.log_end.lag)
        if partition.view is None or partition.state is None:
            return
        if partition.view is view and bounds.end < before:
            partition.request_resync(f"the log ends at {bounds.end}, before offset {before}")
            return
        if partition.stopped_reason is None:
            await self._mark_hour(partition.state)
            if partition.log_end.lag == 0:
                await self._append_heartbeat()
        await self._timekeeper.run_round()
        self._update_alarms()
        self._update_state_alarms()
        now_ns = self._context.clock.monotonic_ns()
        if now_ns - self._reported_ns >= self._config.telemetry_s * _S_NS:
            self._report(now_ns)

    async def _keep_house(self) -> None:
        partition, now_ns = self._partition, self._context.clock.monotonic_ns()
        if partition.view is None or partition.state is None:
            return
        if now_ns - self._housekeeping_ns >= self._config.housekeeping_s * _S_NS:
            self._housekeeping_ns = now_ns
            await self._housekeeper.run_housekeeping()

    def _update_alarms(self) -> None:
        partition, config = self._partition, self._config
        pipeline, view = partition.pipeline, partition.view
        if pipeline is None or view is None:
            return
        since_ns = pipeline.uncovered_since_ns
        if partition.log_end.lag and view.watermark_ns:  # unread records may have rows
            since_ns = min(view.watermark_ns, since_ns or view.watermark_ns)
        facts = Facts(
            now_ns=self._context.clock.now_ns(),
            uncovered_since_ns=since_ns,
            keep_ns=self._context.backends.log.retention_ns(),
            log_bytes=self._housekeeper.log_bytes,
            keep_bytes=config.log_keep_bytes,
            waiting_bytes=partition.shared.budget.waiting_bytes,
            waiting_max=config.unpublished_bytes_max,
            log_ahead=self._timekeeper.trouble,
            damaged=records(view.damage.missing),
            held=pipeline.held_because,
        )
        partition.alarms.update(facts, config.snapshot_late_s)
        partition.alarms.update_times(self._housekeeper.alarms())

    def _update_state_alarms(self) -> None:
        partition, view = self._partition, self._partition.view
        if view is None:
            return
        partition.alarms.update_states(
            States(
                stopped_reason=partition.stopped_reason,
                divergences=tuple(one.ours for one in partition.divergences),
                gaps=tuple(
                    f"offsets {gap.first} to {gap.end} of log {gap.epoch}: {gap.reason}"
                    for gap in view.gaps
                ),
                unproved=partition.unproved,
                unreadable=partition.compactions.unreadable,
            )
        )

    async def _append_heartbeat(self) -> None:
        """Append a heartbeat if neither indexer of the partition has appended for a while.

        By monotonic time: a wrong clock must neither stop heartbeats nor multiply them.
        """
        view, now_ns = self._partition.view, self._context.clock.monotonic_ns()
        if view is None:
            return
        if view.live.end_offset != self._end:
            self._end, self._moved_ns = view.live.end_offset, now_ns
        quiet_ns = now_ns - self._moved_ns
        if quiet_ns >= (self._config.heartbeat_ms / 1000 + self._jitter_s) * _S_NS:
            await self._append_quietly(heartbeat_record())

    async def _mark_hour(self, state: PartitionState) -> None:
        """Append the marker that closes the hour that is over in the log's time, with a delay.

        If too little monotonic time has passed since the last marker (a clock leapt, or no indexer
        ran when the hour ended), no hour is closed: a batch id is forgotten at the second marker,
        and a client may repeat it until then (I2). A marker on demand cuts instead.
        """
        now_ns = self._context.clock.monotonic_ns()
        caught_up, may_close = self._partition.log_end.lag == 0, False
        if caught_up:
            if not self._gate_loaded:
                await asyncio.to_thread(self._gate.load)
                self._gate_loaded = True
            may_close = self._gate.may_close(state, now_ns)
            if self._gate.is_save_due(now_ns):
                await asyncio.to_thread(self._gate.save, state.batch_window.marked_at, now_ns)
        hour = self._hour_to_close(state)
        late = self._late_cut.is_due(state, hour, now_ns)
        if now_ns - self._marker_tried_ns < _MARKER_AGAIN_NS:
            return
        if hour is not None and may_close:
            marker = Marker(hour=hour)
        elif late and caught_up:
            marker = Marker(hour=None, reason="hour not closed")
        else:
            return
        self._marker_tried_ns = now_ns
        await self._append_quietly(marker_record(marker))

    def _hour_to_close(self, state: PartitionState) -> int | None:
        """The newest hour that is over in the log's time and that no marker has closed, or None."""
        spread = max(1, self._config.marker_spread_s)
        stagger_ns = int((self._partition.number * 37 % spread + 2 + self._jitter_s) * _S_NS)
        hour = (state.watermark_ns - stagger_ns) // HOUR_NS - 1
        if hour < 0 or (state.hour is not None and state.hour >= hour):
            return None
        return hour

    async def _append_quietly(self, record: Record) -> None:
        try:
            await self._context.backends.log.append(self._partition.number, record)
        except LogUnavailable as error:
            log_event(logger, logging.INFO, "control record not appended", why=str(error))

    def _report(self, now_ns: int) -> None:
        partition = self._partition
        view = partition.view
        if view is None:
            return
        end = view.live.end_offset
        if self._reported_offset and end > self._reported_offset:
            self._context.telemetry.emit(
                "indexing",
                partition=partition.number,
                records=end - self._reported_offset,
                live_rows=view.live.rows,
                live_bytes=view.live.memory_bytes,
                lag_records=partition.log_end.lag,
                duration_ms=(now_ns - self._reported_ns) / 1e6,
            )
        self._reported_ns, self._reported_offset = now_ns, end
