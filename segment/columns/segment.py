"""What a segment says about itself: one dataset's rows of one cut of one partition.

The same values stand in the Parquet file's metadata, in the manifest and in a query's view.
"""

from dataclasses import dataclass
from pathlib import Path

SEGMENT_FORMAT = 1
METADATA_KEY = b"bellwether"  # JSON of SegmentInfo
REST_COLUMNS_KEY = b"bellwether.rest_columns"  # JSON list of physical names
FIELD_NAME_KEY = b"name"  # a Parquet column's field name, UTF-8, where the physical one escapes it
SEGMENT_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class SegmentOrigin:
    """Where a segment's rows come from; append times (unix ns, inclusive) are those of the
    dataset's records in the cut. far: whether it holds the rows dated far from their append time.
    """

    dataset: str
    epoch: str
    partition: int
    far: bool
    append_min_ns: int
    append_max_ns: int


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """A segment's metadata. Offsets: of its first row's record, and one beyond its last row's.
    Event times are unix ns, inclusive. writer: who encoded the bytes; it never changes content.
    """

    format: int
    dataset: str
    epoch: str
    partition: int
    far: bool
    rows: int
    first_offset: int
    end_offset: int
    time_min_ns: int
    time_max_ns: int
    append_min_ns: int
    append_max_ns: int
    digest: str
    writer: str


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A segment as a file on this disk. object_hash: SHA-256 of its bytes, its name everywhere."""

    path: Path
    object_hash: str
    size_bytes: int
    info: SegmentInfo


def segment_name(object_hash: str) -> str:
    """The file name of a segment."""
    return object_hash + SEGMENT_SUFFIX
