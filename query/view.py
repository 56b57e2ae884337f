"""What an indexer hands to the share executor: one immutable picture of one partition."""

from dataclasses import dataclass
from pathlib import Path

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
