"""Writes the segments of a cut: one or two for each dataset, large ones as files of their own.

Late or early rows, with event times distant from their append time, get a separate segment, so that
they never widen the time range of ordinary ones. Small segments are written one after another into
one file, the cut's pack, so that a cut of thousands of datasets costs one file, hash and fsync. A
file gets its name, a hash, only when its bytes are on the disk (I4). The name itself need not
survive a power failure: the file goes on into the cache, and until its object is in the store the
rows are in the log.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from common import limits
from indexer.state.live_rows import CutRows
from segment.columns import select
from segment.columns.gather import joined
from segment.columns.segment import SegmentFile, SegmentOrigin, segment_name
from segment.columns.segment_write import EncodedSegment, encode_segment
from segment.parquet.encoders import Encoders

PACK_SUFFIX = ".pack"
_TEMPORARY_PREFIX = ".sealing-"


def encode(
    cut: CutRows, *, epoch: str, partition: int, encoders: Encoders
) -> Iterator[EncodedSegment]:
    """The segments of these rows: the ordinary one, then the late or early one.

    There is none without rows. The same rows give the same bytes.
    """
    rows = joined(cut.blocks)
    apart = rows.late_or_early
    both = ((False, select(rows, ~apart)), (True, select(rows, apart)))
    for late_or_early, block in both if apart.any() else ((False, rows),):
        if block.rows:
            origin = SegmentOrigin(
                cut.dataset, epoch, partition, late_or_early, cut.append_min_ns, cut.append_max_ns
            )
            yield encode_segment(block, origin, encoders)


def seal(
    cut: CutRows, *, epoch: str, partition: int, folder: Path, encoders: Encoders
) -> tuple[SegmentFile, ...]:
    """Write the segments of these rows, each as a file of its own.

    Raises OSError (disk full); no incomplete file has a segment's name then.
    """
    found = encode(cut, epoch=epoch, partition=partition, encoders=encoders)
    return tuple(_write(segment, folder) for segment in found)


def seal_all(
    cuts: Sequence[CutRows],
    *,
    epoch: str,
    partition: int,
    folder: Path,
    encoders: Encoders,
    packing: bool = False,
) -> tuple[SegmentFile, ...]:
    """The segments of all datasets of a cut, in the order of dataset ids.

    packing: those of at most PACKED_SEGMENT_BYTES_MAX go into one pack, if there are two or more.
    Raises OSError as `seal`.
    """
    ordered = sorted(cuts, key=lambda cut: cut.dataset)
    if not packing:
        return tuple(
            file
            for cut in ordered
            for file in seal(
                cut, epoch=epoch, partition=partition, folder=folder, encoders=encoders
            )
        )
    with _Pack(folder) as pack:
        found = [
            pack.add(segment)
            if len(segment.data) <= limits.PACKED_SEGMENT_BYTES_MAX
            else _write(segment, folder)
            for cut in ordered
            for segment in encode(cut, epoch=epoch, partition=partition, encoders=encoders)
        ]
        return pack.finish(found)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of a process that was killed while sealing. Call before sealing."""
    for path in folder.glob(f"{_TEMPORARY_PREFIX}*"):
        path.unlink(missing_ok=True)


class _Pack:
    """A pack being written. Small segments pass through: they are never in memory together."""

    def __init__(self, folder: Path) -> None:
        self._file: BinaryIO | None = None  # there is none until the first small segment
        self._path = folder
        self._folder = folder
        self._digest = hashlib.sha256()
        self._size = 0

    def __enter__(self) -> "_Pack":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)

    def add(self, segment: EncodedSegment) -> SegmentFile:
        """Append a segment; its file's `path` and `pack` are known only after `finish`."""
        at = self._size
        if self._file is None:
            descriptor, name = tempfile.mkstemp(prefix=_TEMPORARY_PREFIX, dir=self._folder)
            self._file, self._path = os.fdopen(descriptor, "wb"), Path(name)
        self._file.write(segment.data)
        self._digest.update(segment.data)
        self._size += len(segment.data)
        return SegmentFile(self._path, segment.object_hash, len(segment.data), segment.info, "", at)

    def finish(self, files: Sequence[SegmentFile]) -> tuple[SegmentFile, ...]:
        """The files, with the pack's name in those that it holds. Its bytes are durable then."""
        if self._file is None:
            return tuple(files)
        packed = [file for file in files if file.path == self._path]
        if len(packed) == 1:  # a pack of one would only be harder to find
            pack = ""
            path = self._folder / segment_name(packed[0].object_hash)
        else:
            pack = self._digest.hexdigest()
            path = self._folder / f"{pack}{PACK_SUFFIX}"
        self._file.flush()
        os.fsync(self._file.fileno())
        os.replace(self._path, path)
        return tuple(
            replace(file, path=path, pack=pack) if file.path == self._path else file
            for file in files
        )


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
