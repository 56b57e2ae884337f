"""Proves that an output holds its inputs: it is cut back into them, and their digests compared.

A digest covers every value, offset and place of a segment's rows in log order, so an output whose
pieces have the digests of its inputs' manifests holds exactly their rows (I2, I3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.errors import DamagedObject
from segment.columns import ColumnBlock, SparseColumn
from segment.columns.digest import Digester, digest_version
from segment.columns.key import INDEX_IN_RECORD, OFFSET, RATE, TIME
from snapshot.compaction.merge import Source, read_rows
from snapshot.documents.manifest import SegmentEntry


@dataclass(frozen=True, slots=True)
class Unproved:
    """An input that an output does not hold as its manifest names it."""

    entry: SegmentEntry
    why: str


def unproved_inputs(path: Path, inputs: Sequence[SegmentEntry], rows: int) -> list[Unproved]:
    """The inputs that the output in this file does not hold exactly; empty: it is proved.

    path: a file whose SHA-256 was checked. rows: of the output according to its document.
    Raises DamagedObject.
    """
    block = read_rows([Source(path)], far=inputs[0].far)
    named = sum(entry.rows for entry in inputs)
    if not block.rows == rows == named:
        raise DamagedObject(f"{path.name} has {block.rows} rows, its inputs have {named}")
    if (np.diff(block.offset) < 0).any():
        raise DamagedObject(f"the rows of {path.name} are not in log order")
    found = []
    for entry in inputs:
        why = _difference(block, entry)
        if why:
            found.append(Unproved(entry, why))
    return found


def _difference(block: ColumnBlock, entry: SegmentEntry) -> str:
    first, end = np.searchsorted(block.offset, (entry.first_offset, entry.end_offset)).tolist()
    if end - first != entry.rows:
        return f"{end - first} rows instead of {entry.rows}"
    try:
        version = digest_version(entry.digest)
    except ValueError as error:
        return str(error)
    digest = _digest(block, first, end, version)
    return "" if digest == entry.digest else "its content has another digest"


def _digest(block: ColumnBlock, first: int, end: int, version: int) -> str:
    digester = Digester(end - first, version)
    digester.add_system(TIME, block.time_ns[first:end])
    digester.add_system(RATE, block.rate[first:end])
    digester.add_system(OFFSET, block.offset[first:end])
    digester.add_system(INDEX_IN_RECORD, block.index_in_record[first:end])
    for key, column in block.columns.items():
        low, high = np.searchsorted(column.rows, (first, end)).tolist()
        if low < high:
            rows = column.rows[low:high] - np.uint32(first)
            values = column.values.slice(low, high - low)
            digester.add_field(key, SparseColumn(rows, values))
    return digester.text()
