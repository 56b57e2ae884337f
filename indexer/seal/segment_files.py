"""Writes the segment files of a cut: one or two immutable files for each dataset.

Late or early rows, with event times distant from their append time, get a separate file, so that
they never widen the time range of ordinary files. A file gets its name, a hash, only when its bytes
are on the disk (I4).
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from indexer.state.live_rows import CutRows
from segment.columns import select
from segment.columns.gather import joined
from segment.columns.segment import SegmentFile, SegmentOrigin, segment_name
from segment.columns.segment_write import EncodedSegment, encode_segment
from segment.parquet.encoders import Encoders

_TEMPORARY_PREFIX = ".sealing-"


def seal(
    cut: CutRows, *, epoch: str, partition: int, folder: Path, encoders: Encoders
) -> tuple[SegmentFile, ...]:
    """Write the segments of these rows: the ordinary one, then the late or early one.

    A segment without rows is not written. The same rows give the same files. Raises OSError (disk
    full); no incomplete file has a segment's name then.
    """
    rows = joined(cut.blocks)
    sealed = []
    for late_or_early in (False, True):
        block = select(rows, rows.late_or_early if late_or_early else ~rows.late_or_early)
        if block.rows:
            origin = SegmentOrigin(
                cut.dataset, epoch, partition, late_or_early, cut.append_min_ns, cut.append_max_ns
            )
            sealed.append(_write(encode_segment(block, origin, encoders), folder))
    return tuple(sealed)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of a process that was killed while sealing. Call before sealing."""
    for path in folder.glob(f"{_TEMPORARY_PREFIX}*"):
        path.unlink(missing_ok=True)


def _write(segment: EncodedSegment, folder: Path) -> SegmentFile:
    path = folder / segment_name(segment.object_hash)
    _write_durably(segment.data, path)
    return SegmentFile(
        path,
        segment.object_hash,
        len(segment.data),
        segment.info,
    )


def _write_durably(data: bytes, path: Path) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY_PREFIX, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def seal_all(
    cuts: Sequence[CutRows], *, epoch: str, partition: int, folder: Path, encoders: Encoders
) -> tuple[SegmentFile, ...]:
    """The segments of all datasets of a cut, in the order of dataset ids."""
    ordered = sorted(cuts, key=lambda cut: cut.dataset)
    return tuple(
        segment
        for cut in ordered
        for segment in seal(cut, epoch=epoch, partition=partition, folder=folder, encoders=encoders)
    )
