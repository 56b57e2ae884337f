"""The first difference of two segments that should be equal: row, column and block of rows (I3).

Compares logical content as the digest does, one column at a time, and shows no value: customers'
data does not belong in logs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from segment.columns.block import SparseColumn
from segment.columns.key import OFFSET, SYSTEM_COLUMNS, FieldType
from segment.columns.segment_read import SegmentReader

BLOCK_ROWS = 1_024  # rows of a block in a report: few enough to inspect


@dataclass(frozen=True, slots=True)
class Difference:
    """The first block of rows in which two segments differ.

    column: physical name of the first column that differs there (a system column, or
    `f:<field>:<type>`).
    row: first differing row of that column.
    first_row, end_row: rows of the block, half open.
    first_offset, last_offset: of the block's rows in the log.
    columns: number of columns that differ.
    """

    column: str
    row: int
    first_row: int
    end_row: int
    first_offset: int
    last_offset: int
    columns: int


def first_difference(one: SegmentReader, other: SegmentReader) -> Difference | None:
    """The first row at which two segments differ, or None. Raises DamagedObject."""
    found = list(_differing(one, other))
    if not found:
        return None
    row, _, column = min(found)
    longer = one if one.info.rows >= other.info.rows else other
    first_row = row // BLOCK_ROWS * BLOCK_ROWS
    end_row = min(first_row + BLOCK_ROWS, longer.info.rows)
    offsets = longer.system(OFFSET)[first_row:end_row]
    return Difference(
        column,
        row,
        first_row,
        end_row,
        int(offsets[0]) if len(offsets) else longer.info.first_offset,
        int(offsets[-1]) if len(offsets) else longer.info.end_offset,
        len(found),
    )


def _differing(one: SegmentReader, other: SegmentReader) -> Iterator[tuple[int, bool, str]]:
    """(first differing row, is a field, column) of every column that differs."""
    for name in SYSTEM_COLUMNS:
        row = _first_unlike(one.system(name), other.system(name))
        if row is not None:
            yield row, False, name
    keys = one.columns | one.overflow_columns | other.columns | other.overflow_columns
    for key in sorted(keys):
        row = _first_unlike_sparse(one.column(key), other.column(key), key.type)
        if row is not None:
            yield row, True, key.physical


def _first_unlike(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> int | None:
    common = min(len(one), len(other))
    unlike = np.flatnonzero(one[:common] != other[:common])
    if len(unlike):
        return int(unlike[0])
    return None if len(one) == len(other) else common


def _first_unlike_sparse(
    one: SparseColumn | None, other: SparseColumn | None, field_type: FieldType
) -> int | None:
    """The first row that has another value, or a value in only one of the columns."""
    if one is None or other is None:
        there = one or other
        return None if there is None or not len(there.rows) else int(there.rows[0])
    at = _first_unlike(one.rows, other.rows)
    alike = len(one.rows) if at is None else at
    value_at = _first_unlike_value(one.values[:alike], other.values[:alike], field_type)
    if value_at is not None:
        return int(one.rows[value_at])
    if at is None:
        return None
    return int(min(column.rows[at] for column in (one, other) if at < len(column.rows)))


def _first_unlike_value(one: pa.Array, other: pa.Array, field_type: FieldType) -> int | None:
    if field_type is FieldType.FLOAT:  # bits, as in the digest: a NaN equals itself
        return _first_unlike(*(v.to_numpy().view(np.int64) for v in (one, other)))
    unlike = pc.index(pc.not_equal(one, other), True).as_py()
    return None if unlike < 0 else int(unlike)
