"""The metadata of a segment: one dataset's rows of one cut of one partition.

The same values are in the Parquet file's metadata, in the manifest and in a query's view.
"""

from dataclasses import dataclass
from pathlib import Path

SEGMENT_FORMAT = 1
METADATA_KEY = b"bellwether"  # JSON of SegmentInfo
OVERFLOW_COLUMNS_KEY = b"bellwether.rest_columns"  # JSON list of physical names
ALONE_KEY = b"bellwether.rewritten"  # hash of the one segment of which it has rows; else absent
FIELD_NAME_KEY = b"name"  # a Parquet column's field name, UTF-8, where the physical one escapes it
SEGMENT_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class SegmentOrigin:
    """The origin of a segment's rows.

    late_or_early: whether it has the rows dated late or early, i.e. distant from their append time.
    append_min_ns, append_max_ns: append times of the dataset's records in the cut, unix ns,
    inclusive.
    rewritten: hash of the segment whose rows were rewritten alone; empty: they were not. So the
        rows get a name that no object has had: one that had it may be deleted by that name yet.
    """

    dataset: str
    epoch: str
    partition: int
    late_or_early: bool
    append_min_ns: int
    append_max_ns: int
    rewritten: str = ""


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """A segment's metadata, as it is written.

    far: as `SegmentOrigin.late_or_early`.
    first_offset, end_offset: offset of its first row's record, and one after its last row's.
    time_min_ns, time_max_ns: event times, unix ns, inclusive.
    writer: the program and versions that encoded the bytes; they never change the content.
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
    """A segment on this disk: a file of its own, or a range of a pack.

    path: of the file that holds it.
    object_hash: SHA-256 of its bytes, which is its name.
    pack: SHA-256 of the pack's bytes; "": the file is its own.
    pack_offset: its first byte in the pack.
    """

    path: Path
    object_hash: str
    size_bytes: int
    info: SegmentInfo
    pack: str = ""
    pack_offset: int = 0


def segment_name(object_hash: str) -> str:
    """The file name of a segment."""
    return object_hash + SEGMENT_SUFFIX
