"""Keeps the log's time of one partition right: sets it back after a clock was fast (I13).

It appends clock records and reports faults; the effect of such a record follows from the log alone
(I3). Both indexers of the partition may append one: the second has no effect. While clocks keep
disagreeing, the pauses grow, the records are counted, and an alarm is raised.
"""

import logging
from functools import cached_property

from prometheus_client import Gauge

from common import limits
from common.errors import LogUnavailable
from common.logs import log_event
from common.metrics import log_ahead_seconds, log_set_back_total
from common.model.log_time import ClockNote, clock_record
from common.model.record import heartbeat_record
from indexer.partition.log_clock import (
    Pause,
    Repeats,
    SteadyClock,
    describe_duration,
    reason_against,
)
from indexer.partition.partition import Partition
from indexer.state.view import PartitionView

_S_NS = 10**9
logger = logging.getLogger(__name__)


class Timekeeper:
    """Keeps the log's time of one partition.

    trouble: what is wrong with the log's time, for an alarm; empty if it is right.
    """

    def __init__(self, partition: Partition) -> None:
        self.trouble = ""
        self._partition = partition
        self._context = partition.shared.context
        self._label = str(partition.number)
        self._steady = SteadyClock()
        self._pause = Pause()
        self._why = ""
        self._repeats = Repeats()

    async def run_round(self) -> None:
        """Compare the clocks once, and set the log's time back if that is due."""
        view, clock = self._partition.view, self._context.clock
        if view is None:
            return
        now_ns, steady_ns = clock.now_ns(), clock.monotonic_ns()
        even_ns = self._steady.steady_for_ns(now_ns, steady_ns)
        ahead_ns = view.watermark_ns - now_ns
        self._ahead.set(max(0, ahead_ns) / _S_NS)
        if ahead_ns <= limits.LOG_AHEAD_MAX_NS:
            over = self._pause.note_right(steady_ns) or not self._repeats.are_several
            self.trouble = "" if over else self._describe_repeats()
            return
        self._pause.note_wrong(steady_ns)
        why = await self._set_back(view, now_ns, steady_ns, even_ns)
        self.trouble = (
            f"the log's time is {describe_duration(ahead_ns)} ahead of this machine's clock, "
            f"so some clock is or was wrong: {why}"
        )

    @cached_property
    def _ahead(self) -> Gauge:
        return log_ahead_seconds.labels(self._label)

    async def _set_back(
        self, view: PartitionView, now_ns: int, steady_ns: int, even_ns: int
    ) -> str:
        """Set the log's time back if due. Returns the remedy in progress, or the one needed."""
        needed_s = self._partition.shared.config.clock_steady_s
        if self._partition.log_end.lag or self._partition.stopped_reason is not None:
            return "it is looked at again when the log has been read to its end"
        if even_ns < needed_s * _S_NS:
            return f"it is set back when this clock has run evenly for {needed_s} s"
        if not self._pause.is_over(steady_ns):
            return self._why
        self._pause.begin(steady_ns)
        try:
            self._why = await self._append_clock_record(view, now_ns, steady_ns)
        except LogUnavailable as error:
            self._why = f"it cannot be set back now: {error}"
        return self._why

    async def _append_clock_record(self, view: PartitionView, now_ns: int, steady_ns: int) -> str:
        log, number, shared = (
            self._context.backends.log,
            self._partition.number,
            self._partition.shared,
        )
        against = ""
        if log.has_server_time():
            stamped_ns = (await log.append(number, heartbeat_record())).append_ns
            against = _reason_against_servers(stamped_ns, now_ns, view.watermark_ns)
        elif not (shared.config.clock_is_right or shared.clocks.agreed):
            lived_ns = {e.append_max_ns for some in view.segments.values() for e in some}
            against = reason_against(now_ns, view.watermark_ns, lived_ns)
        if against:
            return (
                f"{against}, so it stands still: set the clocks right (NTP). If this machine's "
                "is right, see 'Clocks that were wrong' in docs/operating.md"
            )
        note = ClockNote(view.watermark_ns, now_ns, self._context.instance)
        await log.append(number, clock_record(note))
        self._repeats.add(steady_ns)
        log_set_back_total.labels(self._label).inc()
        log_event(
            logger,
            logging.WARNING,
            "the log's time is set back: a clock ran ahead",
            partition=number,
            was_ns=view.watermark_ns,
            now_ns=now_ns,
            times=self._repeats.count,
        )
        return self._describe_repeats() if self._repeats.are_several else "it is being set back"

    def _describe_repeats(self) -> str:
        return (
            f"the log's time was set back {self._repeats.count} times, at most a day apart: a "
            "clock of this or another process or server leaps or runs ahead; set the clocks right "
            "(NTP)"
        )


def _reason_against_servers(stamped_ns: int, now_ns: int, log_ns: int) -> str:
    """Why the servers' stamps forbid setting it back; "" if they agree with this clock."""
    if stamped_ns >= log_ns - limits.CLOCK_STEP_NS_V2:
        return "the log's servers are ahead as well, or this clock is behind"
    if abs(stamped_ns - now_ns) > limits.LOG_AHEAD_MAX_NS:
        return "the log's servers show another time than this clock"
    return ""
