"""The caretaker of a partition: heartbeats, hour markers, lag, retention.

It appends control records and frees space; it decides nothing about what the log means (I3).
What fails here is logged and tried again at the next round; indexing goes on.
"""

import asyncio
import logging

from common import limits
from common.errors import BellwetherError, LogUnavailable
from common.logs import say
from common.metrics import lag_records
from common.record import Marker, heartbeat_record, marker_record
from indexer.alarms import Facts, States
from indexer.expiry.keeper import Keeper
from indexer.fold import HOUR_NS
from indexer.partition import Partition

_ROUND_S = 1.0
_MARKER_AGAIN_NS = 60 * 10**9
_S_NS = 10**9
logger = logging.getLogger(__name__)


class Caretaker:
    """Looks after one partition until it is cancelled."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        self._context = partition.shared.context
        self._config = partition.shared.config
        self._marker_tried_ns = -_MARKER_AGAIN_NS
        self._kept_house_ns = self._context.clock.monotonic_ns()
        self._reported_ns = self._context.clock.monotonic_ns()
        self._reported_offset = 0
        self._keeper = Keeper(partition)
        self._jitter_s = self._context.random.uniform(0, 2)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.tend()
            except BellwetherError as error:
                say(
                    logger,
                    logging.WARNING,
                    "round of the caretaker failed",
                    partition=self._partition.number,
                    kind=type(error).__name__,
                    why=str(error),
                )
            except OSError as error:
                say(logger, logging.WARNING, "round of the caretaker failed", why=str(error))
            await asyncio.sleep(_ROUND_S)

    async def tend(self) -> None:
        """One round."""
        partition = self._partition
        served = partition.served
        before = 0 if served is None else served.live.end_offset
        bounds = await partition.look()
        lag_records.labels(str(partition.number)).set(partition.lag)
        if partition.served is None or partition.fold is None:
            return
        if partition.served is served and bounds.end < before:
            partition.ask_resync(f"the log ends at {bounds.end}, before offset {before}")
            return
        if partition.stopped_reason is None:
            await self._mark_hour()
            if partition.lag == 0:
                await self._beat()
        self._look_for_alarms()
        self._look_at_states()
        now_ns = self._context.clock.monotonic_ns()
        if now_ns - self._kept_house_ns >= self._config.housekeeping_s * _S_NS:
            self._kept_house_ns = now_ns
            await self._keeper.keep_house()
        if now_ns - self._reported_ns >= self._config.telemetry_s * _S_NS:
            self._report(now_ns)

    def _look_for_alarms(self) -> None:
        partition, config = self._partition, self._config
        publishing, served = partition.publishing, partition.served
        if publishing is None or served is None:
            return
        since_ns = publishing.uncovered_since_ns
        if partition.lag and served.watermark_ns:  # what is not read yet may have rows
            since_ns = min(served.watermark_ns, since_ns or served.watermark_ns)
        facts = Facts(
            now_ns=self._context.clock.now_ns(),
            uncovered_since_ns=since_ns,
            keep_ns=self._context.backends.log.keep_ns(),
            log_bytes=self._keeper.log_bytes,
            keep_bytes=config.log_keep_bytes,
            waiting_bytes=partition.shared.budget.waiting_bytes,
            waiting_max=config.unpublished_bytes_max,
        )
        partition.alarms.update(facts, config.snapshot_late_s)
        partition.alarms.update_times(self._keeper.alarms())

    def _look_at_states(self) -> None:
        partition, served = self._partition, self._partition.served
        if served is None:
            return
        partition.alarms.update_states(
            States(
                stopped_reason=partition.stopped_reason,
                divergences=tuple(one.ours for one in partition.divergences),
                gaps=tuple(
                    f"offsets {gap.first} to {gap.end} of log {gap.epoch}: {gap.reason}"
                    for gap in served.gaps
                ),
            )
        )

    async def _beat(self) -> None:
        """Append a heartbeat if nobody, we or the twin, appended anything for a while."""
        served = self._partition.served
        if served is None:
            return
        quiet_ns = self._context.clock.now_ns() - served.watermark_ns
        if quiet_ns < (self._config.heartbeat_ms / 1000 + self._jitter_s) * _S_NS:
            return
        await self._append_quietly(heartbeat=True, hour=0)

    async def _mark_hour(self) -> None:
        """Append the marker of the hour that is over, a while into the new one.

        Not soon after the one before, which came late (say, nobody ran when its hour ended): a
        batch id is forgotten at the second marker, and a client may repeat it until then (I2).
        """
        fold = self._partition.fold
        spread = max(1, self._config.marker_spread_s)
        stagger_ns = (self._partition.number * 37 % spread + 2 + self._jitter_s) * _S_NS
        hour = int((self._context.clock.now_ns() - stagger_ns) // HOUR_NS) - 1
        if fold is None or (fold.hour is not None and fold.hour >= hour):
            return
        since_ns = fold.since_marked_ns
        if since_ns is not None and since_ns < limits.HOUR_MARKERS_APART_NS:
            return
        now_ns = self._context.clock.monotonic_ns()
        if now_ns - self._marker_tried_ns < _MARKER_AGAIN_NS:
            return
        self._marker_tried_ns = now_ns
        await self._append_quietly(heartbeat=False, hour=hour)

    async def _append_quietly(self, *, heartbeat: bool, hour: int) -> None:
        record = heartbeat_record() if heartbeat else marker_record(Marker(hour=hour))
        try:
            await self._context.backends.log.append(self._partition.number, record)
        except LogUnavailable as error:
            say(logger, logging.INFO, "control record not appended", why=str(error))

    def _report(self, now_ns: int) -> None:
        partition = self._partition
        served = partition.served
        if served is None:
            return
        end = served.live.end_offset
        if self._reported_offset and end > self._reported_offset:
            self._context.telemetry.emit(
                "indexing",
                partition=partition.number,
                records=end - self._reported_offset,
                live_rows=served.live.rows,
                live_bytes=served.live.memory_bytes,
                lag_records=partition.lag,
                duration_ms=(now_ns - self._reported_ns) / 1e6,
            )
        self._reported_ns, self._reported_offset = now_ns, end
