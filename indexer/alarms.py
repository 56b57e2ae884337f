"""What an operator must hear of long before anything is lost: snapshots that do not happen (I5).

A pure look at the facts. Each alarm is a metric, a line in the log when it comes and goes, and a
sentence in the status that says what to do.
"""

import logging
from dataclasses import dataclass

from common import limits
from common.logs import say
from common.metrics import alarm_raised, log_retention_left_seconds, uncovered_seconds

_S_NS = 10**9
_KINDS = ("snapshot_late", "log_retention_near", "log_growing", "disk_of_cuts_full")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """One partition now. uncovered_since_ns: append time of the oldest record that no published
    manifest covers although it has, or may have, rows (None: there is none). keep_ns: how long
    the log keeps records by itself. log_bytes: its size now; keep_bytes: what it is kept at.
    """

    now_ns: int
    uncovered_since_ns: int | None
    keep_ns: int | None
    log_bytes: int
    keep_bytes: int
    waiting_bytes: int
    waiting_max: int

    @property
    def uncovered_s(self) -> float:
        """Seconds since the oldest uncovered record was appended."""
        if self.uncovered_since_ns is None:
            return 0.0
        return max(0.0, (self.now_ns - self.uncovered_since_ns) / _S_NS)

    @property
    def retention_left_s(self) -> float | None:
        """Seconds until the log drops a record that is in no snapshot; None: it never does."""
        if self.keep_ns is None or self.uncovered_since_ns is None:
            return None
        return max(0.0, self.keep_ns / _S_NS - self.uncovered_s)


def alarms_of(facts: Facts, late_s: float) -> dict[str, str]:
    """Alarm -> what is wrong and what to do. late_s: a snapshot older than this is late."""
    found: dict[str, str] = {}
    if facts.uncovered_s > late_s:
        found["snapshot_late"] = (
            f"events of the last {facts.uncovered_s / 60:.0f} min are in no snapshot; they are in "
            "the log and served: look at the object store and at this indexer's log"
        )
    left_s = facts.retention_left_s
    if left_s is not None and facts.keep_ns is not None:
        share = facts.uncovered_s / (facts.keep_ns / _S_NS)
        if share > limits.LOG_RETENTION_ALARM_SHARE:
            found["log_retention_near"] = (
                f"in {left_s / 3600:.1f} h the log drops events that are in no snapshot: make "
                "snapshots work again, or raise the topic's retention.ms now"
            )
    grown = facts.log_bytes > limits.LOG_GROWN_ALARM_TIMES * max(facts.keep_bytes, 1)
    if facts.keep_ns is None and grown and facts.uncovered_since_ns is not None:
        found["log_growing"] = (
            f"the log takes {facts.log_bytes / 1e9:.1f} GB because nothing is published: when the "
            "disk is full, events are refused; look at the object store, free disk space"
        )
    if facts.waiting_bytes >= facts.waiting_max:
        found["disk_of_cuts_full"] = (
            "cuts that the object store has not taken fill indexer.unpublished_bytes_max: reading "
            "pauses and the log keeps what comes; look at the object store"
        )
    return found


class Alarms:
    """The alarms of one partition: told when they come and go."""

    def __init__(self, partition: int) -> None:
        self.raised: dict[str, str] = {}
        self._partition = partition

    def update(self, facts: Facts, late_s: float) -> None:
        """Look at the facts."""
        label = str(self._partition)
        uncovered_seconds.labels(label).set(facts.uncovered_s)
        left_s = facts.retention_left_s
        log_retention_left_seconds.labels(label).set(float("inf") if left_s is None else left_s)
        found = alarms_of(facts, late_s)
        for kind in _KINDS:
            alarm_raised.labels(label, kind).set(kind in found)
            if kind in found and kind not in self.raised:
                self._say(logging.ERROR, f"ALARM: {kind}", found[kind])
            elif kind in self.raised and kind not in found:
                self._say(logging.WARNING, f"alarm is over: {kind}", "")
        self.raised = found

    def _say(self, level: int, text: str, why: str) -> None:
        say(logger, level, text, partition=self._partition, why=why)
