"""What an indexer hands to the share executor: one immutable picture of one partition."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from common.columns import ColumnBlock, ColumnKey


@dataclass(frozen=True, slots=True)
class SegmentView:
    """One sealed segment on this disk, its checksum verified.

    columns: the columns that are Parquet columns of their own; rest_columns: those that live in
    the shared JSON column. time_min_ns/time_max_ns: inclusive range of event time.
    visible_from: rows of records before this offset are hidden (a dataset that was deleted).
    """

    path: Path
    object_hash: str
    rows: int
    first_offset: int
    end_offset: int
    time_min_ns: int
    time_max_ns: int
    columns: frozenset[ColumnKey]
    rest_columns: frozenset[ColumnKey]
    visible_from: int = 0


@dataclass(frozen=True, slots=True)
class DatasetView:
    """One dataset's rows in one partition at one position.

    Every row up to `end_offset` of log epoch `epoch` is in exactly one segment or block, except
    what `gaps` and `unserved` say. gaps: offsets lost before they were indexed, as (epoch, first,
    end). unserved: object hashes of segments that cannot be served now (missing or damaged).
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


class PartitionNotHeld(LookupError):
    """This indexer does not hold the partition (any more); ask its twin."""

    def __init__(self, partition: int) -> None:
        super().__init__(f"partition {partition} is not held here")
        self.partition = partition


class PartitionViews(Protocol):
    """What an indexer offers to the share executor."""

    def partitions(self) -> list[int]:
        """The partitions held now."""

    def lease(
        self, partition: int, dataset: str, at_least: int | None, timeout_ms: int
    ) -> AbstractAsyncContextManager[DatasetView]:
        """The dataset's view, waiting until its end offset is `at_least` or the time is up.

        Returns what there is either way. The files that the view names stay until the lease ends.
        Entering it raises PartitionNotHeld.
        """
