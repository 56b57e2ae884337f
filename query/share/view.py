"""What an indexer hands to the share executor: one immutable picture of one partition."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from common.model.reroute import EpochOffset
from query.share.damaged import DamagedRecords
from query.share.rerouted import UndecidedBatch
from segment.columns import ColumnBlock, ColumnKey


@dataclass(frozen=True, slots=True)
class SegmentView:
    """One sealed segment on this disk, its checksum verified.

    columns: of the fields asked for, the columns that are Parquet columns of their own;
    overflow_columns: those that live in the shared JSON column. time_min_ns/time_max_ns: inclusive
    range of event time.
    visible_from: rows of records before this offset are hidden (a dataset that was deleted).
    epoch_number: of the log epoch that its offsets belong to.
    """

    path: Path
    object_hash: str
    rows: int
    first_offset: int
    end_offset: int
    time_min_ns: int
    time_max_ns: int
    columns: frozenset[ColumnKey]
    overflow_columns: frozenset[ColumnKey]
    visible_from: int = 0
    epoch_number: int = 1


@dataclass(frozen=True, slots=True)
class DatasetView:
    """One dataset's rows in one partition at one position.

    Every row up to `end_offset` of log epoch `epoch`, dated within the range asked for, is in
    exactly one segment or block, except what `gaps` and `unserved` say. gaps: offsets lost before
    they were indexed, as (epoch, first, end). unserved: object hashes of segments that cannot be
    served now (missing or damaged). catching_up: rows that were visible before may not be here
    yet. stopped: why nothing is indexed any further ("": it is). earlier: end offsets that were
    indexed of other logs that the partition has had, by log epoch. epoch_number: that of `epoch`
    and the blocks. dropped: places of batches that count in other partitions, sorted. undecided:
    the dataset's batches of which nobody knows yet. relies_on: see query.share.rerouted.Share.
    damaged:
    records that could not be read and may have had rows of the dataset. given_up: how many such
    records an operator has counted as lost. expired_early: events, dated within the range of what
    expired before its time with them, that retention has hidden although they were to be kept
    (None: it is not known how many).
    """

    partition: int
    epoch: str
    end_offset: int
    watermark_ns: int
    segments: tuple[SegmentView, ...]
    blocks: tuple[ColumnBlock, ...]
    gaps: tuple[tuple[str, int, int], ...] = ()
    unserved: tuple[str, ...] = ()
    catching_up: bool = False
    stopped: str = ""
    earlier: Mapping[str, int] = field(default_factory=dict)
    epoch_number: int = 1
    dropped: tuple[EpochOffset, ...] = ()
    undecided: tuple[UndecidedBatch, ...] = ()
    relies_on: Mapping[int, EpochOffset] = field(default_factory=dict)
    damaged: tuple[DamagedRecords, ...] = ()
    given_up: int = 0
    expired_early: int | None = 0


class PartitionNotHeld(LookupError):
    """This indexer does not hold the partition (any more); ask its twin."""

    def __init__(self, partition: int) -> None:
        super().__init__(f"partition {partition} is not held here")
        self.partition = partition


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """What a share needs of a view: segments with events dated within start_ns..end_ns (half
    open, unix ns), and rows before the end offset `at_least` of the log epoch `log`, for which it
    waits up to `timeout_ms`. fields: those of which it wants to know the columns of segments, which
    may have millions of others.
    """

    start_ns: int = -(2**63)
    end_ns: int = 2**63
    log: str = ""
    at_least: int | None = None
    timeout_ms: int = 0
    fields: frozenset[str] = frozenset()


class PartitionViews(Protocol):
    """What an indexer offers to the share executor."""

    def partitions(self) -> list[int]:
        """The partitions held now."""

    def lease(
        self, partition: int, dataset: str, wanted: ViewRequest
    ) -> AbstractAsyncContextManager[DatasetView]:
        """The dataset's view, waiting until it is as far as wanted, cannot be, or time is up.

        Returns what there is either way. The files that the view names stay until the lease ends.
        Entering it raises PartitionNotHeld.
        """
