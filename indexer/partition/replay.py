"""Progress and speed of a partition's replay of the log since it was resumed (I5)."""

import logging

from common.clock import Clock
from common.logs import log_event
from common.metrics import replay_events_per_s, replay_records_left, replayed_events_total

_REPORT_NS = 5 * 10**9
logger = logging.getLogger(__name__)


class Replay:
    """Progress from `first_offset` to `target`, the log's end when the partition was resumed.

    Done when `target` is reached; later records are not part of the replay and are not counted.
    """

    def __init__(self, partition: int, first_offset: int, target: int, clock: Clock) -> None:
        self.partition = partition
        self.first_offset = first_offset
        self.target = target
        self.at = first_offset
        self.events = 0
        self.bytes = 0
        self._clock = clock
        self._began_ns = clock.monotonic_ns()
        self._ended_ns: int | None = None
        self._reported_ns = self._began_ns
        if target <= first_offset:
            self._ended_ns = self._began_ns
        self._update_metrics()

    @property
    def done(self) -> bool:
        """Whether all records that the log had at the start are indexed."""
        return self._ended_ns is not None

    @property
    def seconds(self) -> float:
        """Duration so far, or in all once it is done."""
        end_ns = self._clock.monotonic_ns() if self._ended_ns is None else self._ended_ns
        return (end_ns - self._began_ns) / 1e9

    @property
    def events_per_s(self) -> float:
        """Events indexed per second of the replay."""
        return self.events / self.seconds if self.seconds > 0 else 0.0

    def took(self, next_offset: int, events: int, value_bytes: int) -> None:
        """Count n more events and bytes of records; all before `next_offset` are now indexed."""
        if self.done:
            return
        self.at = next_offset
        self.events += events
        self.bytes += value_bytes
        replayed_events_total.labels(str(self.partition)).inc(events)
        now_ns = self._clock.monotonic_ns()
        if next_offset >= self.target:
            self._ended_ns = now_ns
            self._log("partition has caught up with the log")
        elif now_ns - self._reported_ns >= _REPORT_NS:
            self._reported_ns = now_ns
            self._log("replaying the log")
        self._update_metrics()

    def describe(self) -> dict[str, object]:
        """The replay, for the status."""
        return {
            "done": self.done,
            "first_offset": self.first_offset,
            "offset": self.at,
            "target": self.target,
            "events": self.events,
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
            "events_per_s": round(self.events_per_s),
        }

    def _update_metrics(self) -> None:
        label = str(self.partition)
        replay_records_left.labels(label).set(0 if self.done else self.target - self.at)
        replay_events_per_s.labels(label).set(self.events_per_s)

    def _log(self, text: str) -> None:
        log_event(
            logger,
            logging.INFO,
            text,
            partition=self.partition,
            offset=self.at,
            target=self.target,
            events=self.events,
            bytes=self.bytes,
            seconds=round(self.seconds, 1),
            events_per_s=round(self.events_per_s),
        )
