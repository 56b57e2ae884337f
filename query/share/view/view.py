"""An immutable view of one partition, which an indexer passes to the share executor."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from common.model.reroute import EpochOffset
from common.process.fair.requester import ANONYMOUS, Requester
from query.plan.parts.conditions import Filter
from query.share.pruning.trace_filters import TextLookup
from query.share.spans.lasting import lasting
from query.share.view.damaged import DamagedRecords
from query.share.view.rerouted import UndecidedBatch
from segment.columns import ColumnBlock, ColumnKey

OffsetRanges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A sealed segment on this disk, its checksum verified.

    first_offset, end_offset: of its records, half open.
    time_min_ns, time_max_ns: range of event times, inclusive, in unix ns.
    columns: columns of the requested fields that are Parquet columns.
    overflow_columns: columns of the requested fields in the overflow (JSON) column.
    visible: half-open offset ranges of the rows that are shown, in order; None: all of them. Rows
        outside are hidden: their dataset was deleted, or their part of the segment has expired.
    epoch_number: number of the log epoch of the offsets.
    size_bytes: of its file.
    skipped: whether no row can match the filters of the request: then the file need not be there.
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
    visible: OffsetRanges | None = None
    epoch_number: int = 1
    skipped: bool = False
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class DatasetView:
    """The rows of a dataset in a partition, up to one position of its log.

    Every row before `end_offset` of log epoch `epoch` with a time in the requested range is in
    exactly one segment or block, but for those of `gaps`, `unserved` and `damaged`.

    gaps: offsets lost before they were indexed, as (epoch, first, end).
    unserved: object hashes of segments that cannot be served now (missing or damaged).
    catching_up: whether rows that were visible before may be missing.
    stopped: why indexing of the partition has stopped; empty while it continues.
    earlier: by epoch of an earlier log of the partition, the end offset that was indexed.
    epoch_number: number of `epoch`, which is also that of the blocks.
    dropped: positions of batches that count in other partitions, sorted.
    undecided: batches of the dataset that may count in another partition.
    relies_on: as in `query.share.view.rerouted.Share`.
    damaged: records that could not be read and may have had rows of the dataset.
    given_up: number of such records that an operator has counted as lost (settled).
    expired_early: number of events in the range that retention has hidden too early; None: not
        known.
    dataset: its id.
    longer: whether events that last longer than the range, and began before it, may have ended in
        it.
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
    dataset: str = ""
    longer: bool = False


class PartitionNotHeld(LookupError):
    """This indexer does not hold the partition; another one may."""

    def __init__(self, partition: int) -> None:
        super().__init__(f"partition {partition} is not held here")
        self.partition = partition


@dataclass(frozen=True, slots=True)
class EndsWanted:
    """Events are read that started before this time and lasted beyond it.

    start_ns: unix ns. durations: the fields that say how long an event lasts, in ms.
    """

    start_ns: int
    durations: tuple[str, ...]

    def lasting(self, least_ns: int) -> Filter:
        """The condition that an event lasts so long, or by up to a millisecond less."""
        return lasting(self.durations, least_ns)


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """The rows and columns that a share needs of a view.

    start_ns, end_ns: range of event times, half open, in unix ns.
    log, at_least: the view includes the rows before this end offset of this log epoch, for which
        it waits up to timeout_ms.
    fields: fields whose columns are listed for each segment, which may have millions of others.
    texts: whether columns of texts are listed too, whatever their fields: those of a segment's own,
        and one of those in its overflow column if there are any.
    filters, any_filter: as in the plan; segments without a row for them may be skipped.
    lookup: texts of which each row must have one; segments without any are left out of the view.
    ends: the segments are left out that have no event that lasts so long; None: none is.
    durations: the fields that say how long an event lasts, in ms: the view says whether events that
        last longer than the range may have ended in it. Empty: it does not.
    requester: whose fair share of turns is taken where segments have to be fetched.
    """

    start_ns: int = -(2**63)
    end_ns: int = 2**63
    log: str = ""
    at_least: int | None = None
    timeout_ms: int = 0
    fields: frozenset[str] = frozenset()
    filters: tuple[Filter, ...] = ()
    any_filter: bool = False
    requester: Requester = ANONYMOUS
    lookup: TextLookup | None = None
    texts: bool = False
    ends: EndsWanted | None = None
    durations: tuple[str, ...] = ()


class PartitionViews(Protocol):
    """Views of the partitions of an indexer, for the share executor."""

    def partitions(self) -> list[int]:
        """The partitions that are held now."""

    def lease(
        self, partition: int, dataset: str, wanted: ViewRequest
    ) -> AbstractAsyncContextManager[DatasetView]:
        """A view of the dataset. Waits until it includes the position, cannot, or time is up.

        The files of its segments exist until the lease ends. Entering it raises PartitionNotHeld.
        """
