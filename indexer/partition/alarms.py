"""The alarms of a partition, raised long before records are lost (I5).

Pure functions derive them from facts; `Alarms` raises them on the process's alarm board.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from prometheus_client import Gauge

from common import limits
from common.metrics import log_retention_left_seconds, uncovered_seconds
from common.process.alarms.board import AlarmBoard

_S_NS = 10**9
_KINDS = (
    "snapshot_late",
    "log_retention_near",
    "log_growing",
    "disk_of_cuts_full",
    "log_time_ahead",
    "damaged_records",
    "cut_held",
)
_TIMES = (
    "clock_disagrees",
    "clock_leapt",
    "retention_waits",
    "retention_unreadable",
    "expired_too_early",
)
_STATES = (
    "partition_stopped",
    "twins_diverge",
    "gap",
    "compaction_unproved",
    "compaction_unreadable",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The present facts about one partition, from which its alarms follow.

    now_ns: this machine's clock.
    uncovered_since_ns: append time of the oldest record that has or may have rows and that no
    published manifest covers (unix ns); None: every such record is covered.
    keep_ns: how long the log itself keeps records (ns); None: for ever.
    log_bytes: the size of the log.
    keep_bytes: the size to which the log is trimmed.
    waiting_bytes: bytes of sealed files not in the object store yet, over all partitions.
    waiting_max: the budget for `waiting_bytes`.
    log_ahead: what is wrong with the log's time, and the remedy; empty if it is right.
    damaged: records that are missing from answers.
    held: why a cut is not published yet; empty if no cut is delayed.
    """

    now_ns: int
    uncovered_since_ns: int | None
    keep_ns: int | None
    log_bytes: int
    keep_bytes: int
    waiting_bytes: int
    waiting_max: int
    log_ahead: str = ""
    damaged: int = 0
    held: str = ""

    @property
    def uncovered_s(self) -> float:
        """Seconds since the oldest uncovered record was appended."""
        if self.uncovered_since_ns is None:
            return 0.0
        return max(0.0, (self.now_ns - self.uncovered_since_ns) / _S_NS)

    @property
    def retention_left_s(self) -> float | None:
        """Seconds until the log drops a record that no snapshot has; None: never."""
        if self.keep_ns is None or self.uncovered_since_ns is None:
            return None
        return max(0.0, self.keep_ns / _S_NS - self.uncovered_s)


def alarms_of(facts: Facts, late_s: float) -> dict[str, str]:
    """Alarms by name: the fault and the remedy. late_s: age from which a snapshot is late."""
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
    if facts.log_ahead:
        found["log_time_ahead"] = facts.log_ahead
    if facts.damaged:
        found["damaged_records"] = (
            f"{facts.damaged:,} damaged records are missing from answers, which say so: run "
            "`bellwether damage`"
        )
    if facts.held:
        found["cut_held"] = facts.held
    return found


@dataclass(frozen=True, slots=True)
class States:
    """States of a partition that last until an operator acts.

    stopped_reason: why indexing has stopped; None while it continues.
    divergences: cuts that the twins (the two indexers of the partition) made differently.
    gaps: offsets that were lost, and why.
    unproved: by dataset, why an object that was put together from its segments is not used.
    unreadable: key of a compaction document that cannot be read; "": all can.
    """

    stopped_reason: str | None
    divergences: tuple[str, ...]
    gaps: tuple[str, ...]
    unproved: Mapping[str, str] = field(default_factory=dict)
    unreadable: str = ""


def state_alarms_of(states: States) -> dict[str, str]:
    """Alarms by name: the fault, for these states."""
    found: dict[str, str] = {}
    if states.stopped_reason is not None:
        found["partition_stopped"] = states.stopped_reason
    if states.divergences:
        found["twins_diverge"] = (
            f"twins disagree about {len(states.divergences)} cuts, at last "
            f"{states.divergences[-1]}: run bellwether verify"
        )
    if states.gaps:
        found["gap"] = f"{len(states.gaps)} gaps, the last one: {states.gaps[-1]}"
    if states.unproved:
        dataset, why = next(iter(states.unproved.items()))
        found["compaction_unproved"] = (
            f"segments of {len(states.unproved)} datasets are not put together, for the result did "
            f"not hold them, first of dataset {dataset}: {why}; report this bug"
        )
    if states.unreadable:
        found["compaction_unreadable"] = (
            f"{states.unreadable} cannot be read, so nothing is put together and answers may be "
            "incomplete: restore it from a backup and restart this indexer, or restart one that "
            "has a copy"
        )
    return found


class Alarms:
    """The alarms of one partition, raised on the process's board."""

    def __init__(self, partition: int, board: AlarmBoard) -> None:
        self._partition = partition
        self._board = board
        self._found: dict[tuple[str, ...], dict[str, str]] = {}  # what is set, by kinds

    @property
    def raised(self) -> dict[str, str]:
        """Raised alarms by name: the fault and the remedy."""
        return self._board.of(self._partition)

    def update(self, facts: Facts, late_s: float) -> None:
        """Set the metrics and alarms of these facts."""
        self._uncovered.set(facts.uncovered_s)
        left_s = facts.retention_left_s
        self._left.set(float("inf") if left_s is None else left_s)
        self._set(_KINDS, alarms_of(facts, late_s))

    def update_states(self, states: States) -> None:
        """Set the alarms of these states."""
        self._set(_STATES, state_alarms_of(states))

    def update_times(self, found: Mapping[str, str]) -> None:
        """Set the alarms about clocks and expiry."""
        self._set(_TIMES, found)

    def _set(self, kinds: tuple[str, ...], found: Mapping[str, str]) -> None:
        """Raise these and clear the others of the kinds, where that changes something."""
        if self._found.get(kinds) == found:
            return
        for kind in kinds:
            self._board.set(kind, found.get(kind), self._partition)
        self._found[kinds] = dict(found)

    @cached_property
    def _uncovered(self) -> Gauge:
        return uncovered_seconds.labels(str(self._partition))

    @cached_property
    def _left(self) -> Gauge:
        return log_retention_left_seconds.labels(str(self._partition))
