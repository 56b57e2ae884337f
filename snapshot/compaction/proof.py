"""Proves that an output holds its inputs: it is cut back into them, and their digests compared.

A digest covers every value, offset and place of a segment's rows in log order, so an output whose
pieces have the digests of its inputs' manifests holds exactly their rows (I2, I3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.errors import DamagedObject
from segment.columns import ColumnBlock, ColumnKey, SparseColumn
from segment.columns.digest import Digester, digest_version
from segment.columns.key import INDEX_IN_RECORD, OFFSET, RATE, TIME
from snapshot.compaction.merge import Source, read_rows
from snapshot.documents.manifest import SegmentEntry

Rows = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Unproved:
    """An input that an output does not hold as its manifest names it."""

    entry: SegmentEntry
    why: str


def unproved_inputs(
    file: Path | bytes, inputs: Sequence[SegmentEntry], rows: int
) -> list[Unproved]:
    """The inputs that an output does not hold exactly; empty: it is proved.

    file: of the output, or its bytes; its SHA-256 was checked. rows: of the output according to its
    document. Raises DamagedObject.
    """
    block = read_rows([Source(file)], far=inputs[0].far)
    named = sum(entry.rows for entry in inputs)
    if not block.rows == rows == named:
        raise DamagedObject(f"an output has {block.rows} rows, its inputs have {named}")
    if (np.diff(block.offset) < 0).any():
        raise DamagedObject("the rows of an output are not in log order")
    firsts = np.searchsorted(block.offset, [entry.first_offset for entry in inputs])
    ends = np.searchsorted(block.offset, [entry.end_offset for entry in inputs])
    parts = {
        key: _bounds(column.rows, firsts, ends, block.rows) for key, column in block.columns.items()
    }
    found = []
    for number, entry in enumerate(inputs):
        first, end = int(firsts[number]), int(ends[number])
        if end - first != entry.rows:
            found.append(Unproved(entry, f"{end - first} rows instead of {entry.rows}"))
            continue
        try:
            version = digest_version(entry.digest)
        except ValueError as error:
            found.append(Unproved(entry, str(error)))
            continue
        bounds = {key: (lows[number], highs[number]) for key, (lows, highs) in parts.items()}
        if _digest(block, first, end, bounds, version) != entry.digest:
            found.append(Unproved(entry, "its content has another digest"))
    return found


def _bounds(rows: Rows, firsts: Places, ends: Places, count: int) -> tuple[list[int], list[int]]:
    """For each input, where its values begin and end in a column."""
    if len(rows) == count:  # a value in every row
        return firsts.tolist(), ends.tolist()
    lows = np.searchsorted(rows, firsts.astype(np.uint32))  # of the same type: no copy of the rows
    return lows.tolist(), np.searchsorted(rows, ends.astype(np.uint32)).tolist()


def _digest(
    block: ColumnBlock,
    first: int,
    end: int,
    bounds: Mapping[ColumnKey, tuple[int, int]],
    version: int,
) -> str:
    digester = Digester(end - first, version)
    digester.add_system(TIME, block.time_ns[first:end])
    digester.add_system(RATE, block.rate[first:end])
    digester.add_system(OFFSET, block.offset[first:end])
    digester.add_system(INDEX_IN_RECORD, block.index_in_record[first:end])
    for key, column in block.columns.items():
        low, high = bounds[key]
        if low < high:
            rows = column.rows[low:high] - np.uint32(first)
            values = column.values.slice(low, high - low)
            digester.add_field(key, SparseColumn(rows, values))
    return digester.text()
