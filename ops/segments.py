"""Which objects hold a dataset now, and its shown rows as plain Parquet files.

Reads the object store and the log's bounds alone, so it works without any running role. A folder of
the store is no substitute: it also holds what has expired, what was replaced and what nothing
names, segments may lie inside of packs, and rows of a segment may be hidden.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common.errors import DamagedObject
from common.log import Log
from common.objects import ObjectStore
from segment.columns.key import OFFSET
from snapshot.bootstrap.estimate import ReadOnlyStore
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import SegmentEntry
from snapshot.objects_of import OffsetRanges, PartitionObjects, read_objects
from snapshot.threads import to_store_thread


@dataclass(frozen=True, slots=True)
class HeldSegment:
    """One segment of a dataset.

    hidden: half-open ranges of record offsets whose rows no answer shows.
    """

    partition: int
    entry: SegmentEntry
    hidden: OffsetRanges


@dataclass(frozen=True, slots=True)
class DatasetSegments:
    """The segments of a dataset, by partition and in the order in which they were made.

    damaged: documents that could not be read, each with the reason: segments that they name may be
    missing here, and segments that they hide or replace may be among these.
    """

    segments: tuple[HeldSegment, ...]
    damaged: tuple[str, ...]


async def list_segments(
    objects: ObjectStore, log: Log, partitions: Sequence[int], dataset: str
) -> DatasetSegments:
    """The segments that hold the dataset's published rows now.

    log: opened. Raises ObjectsUnavailable, LogUnavailable, DocumentTooNew.
    """
    found: list[HeldSegment] = []
    damaged: list[str] = []
    for partition in partitions:
        log_start = (await log.bounds(partition)).start
        chain = Chain(ReadOnlyStore(objects), partition, None)
        history, held = await to_store_thread(read_objects, chain, log_start)
        damaged += [f"{key}: {why}" for key, why in history.damaged]
        found += _held(partition, held, dataset)
    return DatasetSegments(tuple(found), tuple(damaged))


def _held(partition: int, held: PartitionObjects, dataset: str) -> list[HeldSegment]:
    return [
        HeldSegment(partition, one.entry, held.hidden_offsets(one)) for one in held.served(dataset)
    ]


def file_name(held: HeldSegment) -> str:
    """The name of a segment's file: names sort by partition and in the order of the log."""
    entry = held.entry
    place = f"{held.partition:05d}-{entry.epoch_number:08d}-{entry.first_offset:020d}"
    return f"{place}-{entry.object[:12]}.parquet"


def extract(objects: ObjectStore, held: HeldSegment, folder: Path) -> Path:
    """Write a segment's shown rows as a Parquet file of the folder, all or nothing. Blocks.

    The bytes are checked, and are those of the object unless rows of it are hidden.
    Raises ObjectMissing, DamagedObject, ObjectsUnavailable, OSError.
    """
    target = folder / file_name(held)
    part = target.with_name(f".{target.name}.part")
    shown = target.with_name(f".{target.name}.shown")
    try:
        location = held.entry.location
        location.fetch(objects, part)
        if _sha256(part) != location.object_hash:
            raise DamagedObject(f"{location}: checksum does not match; `bellwether verify` tells")
        if held.hidden:
            _write_shown(part, shown, held.hidden)
            shown.replace(target)
        else:
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)
        shown.unlink(missing_ok=True)
    return target


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_shown(source: Path, target: Path, hidden: OffsetRanges) -> None:
    """Copy the rows whose offsets are not hidden, a row group at a time."""
    with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow) as writer:
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number)
            offsets = rows[OFFSET]
            keep = pa.chunked_array([pa.array([True] * rows.num_rows)])
            for first, end in hidden:
                inside = pc.and_(pc.greater_equal(offsets, first), pc.less(offsets, end))
                keep = pc.and_(keep, pc.invert(inside))
            writer.write_table(rows.filter(keep))
