"""Checks a segment's content against its manifest: digest, ranges, and no row twice (I2).

Offsets and indexes in the record are compared separately, not packed into one number, so no offset
is too large.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from common import limits
from common.errors import DamagedObject
from segment.columns.digest import digest_version
from segment.columns.segment_read import SegmentReader
from snapshot.documents.manifest import SegmentEntry

Numbers = npt.NDArray[np.int64] | npt.NDArray[np.int32]
_COMPARED_ROWS_MAX = 4 * limits.CUT_ROWS_MAX_V1  # more than a cut and its last record
_COMPARED = ("digest", "rows", "first time", "last time", "first offset", "end offset")


@dataclass(frozen=True, slots=True)
class _SegmentRows:
    """The rows of a segment that was checked.

    offset: of each row's record.
    index: of each row's event in its record.
    """

    entry: SegmentEntry
    offset: Numbers
    index: Numbers


def in_row_order(entry: SegmentEntry) -> tuple[int, str, int]:
    """Sort key by which segments that may share rows are adjacent."""
    return entry.epoch_number, entry.dataset, entry.first_offset


class ContentCheck:
    """Checks segments one after the other, in `in_row_order`.

    Only rows of segments whose offsets overlap with the next one's are held: those of one cut.
    """

    def __init__(self) -> None:
        self.rows = 0  # of the last segment that was checked
        self._open: list[_SegmentRows] = []

    def problems(self, entry: SegmentEntry, file: Path) -> Iterator[str]:
        """Problems of a segment whose bytes are those that were published."""
        self.rows = 0
        try:
            with SegmentReader(file) as reader:
                digest = reader.digest(digest_version(entry.digest))
                block = reader.block(())
        except (DamagedObject, ValueError, KeyError, OSError, pa.ArrowException) as error:
            yield f"cannot be read: {error}"
            return
        self.rows = block.rows
        if not block.rows:
            yield f"rows is 0, the manifest says {entry.rows}"
            return
        found = (
            digest,
            block.rows,
            int(block.time_ns.min()),
            int(block.time_ns.max()),
            int(block.offset.min()),
            int(block.offset.max()) + 1,
        )
        named = (
            entry.digest,
            entry.rows,
            entry.time_min_ns,
            entry.time_max_ns,
            entry.first_offset,
            entry.end_offset,
        )
        for name, actual, expected in zip(_COMPARED, found, named, strict=True):
            if actual != expected:
                yield f"{name} is {actual}, the manifest says {expected}"
        if out_of_order(block.offset, block.index_in_record):
            yield "a row is there twice or out of order"
        yield from self._doubled(_SegmentRows(entry, block.offset, block.index_in_record))

    def _doubled(self, one: _SegmentRows) -> Iterator[str]:
        """Problems of rows that are also in a segment before this one."""
        entry = one.entry
        group = (entry.epoch_number, entry.dataset)
        self._open = [
            other
            for other in self._open
            if (other.entry.epoch_number, other.entry.dataset) == group
            and other.entry.end_offset > entry.first_offset
        ]
        for other in self._open:
            doubled = in_both(other.offset, other.index, one.offset, one.index)
            if doubled:
                yield f"{doubled} rows are also in segment {other.entry.object}"
        open_rows = sum(len(other.offset) for other in self._open)
        if open_rows + len(one.offset) <= _COMPARED_ROWS_MAX:
            self._open.append(one)
        else:
            yield "too many segments share its offsets: not all are compared row by row"


def out_of_order(offset: Numbers, index: Numbers) -> bool:
    """Whether (offset, index) does not increase from each row to the next."""
    same = offset[1:] == offset[:-1]
    grows = (offset[1:] > offset[:-1]) | (same & (index[1:] > index[:-1]))
    return not bool(grows.all())


def in_both(offset: Numbers, index: Numbers, offset_2: Numbers, index_2: Numbers) -> int:
    """The number of rows that are in both. Neither may have a row twice itself."""
    offset = np.concatenate([offset, offset_2])
    index = np.concatenate([index, index_2])
    order = np.lexsort((index, offset))
    offset, index = offset[order], index[order]
    return int(((offset[1:] == offset[:-1]) & (index[1:] == index[:-1])).sum())
