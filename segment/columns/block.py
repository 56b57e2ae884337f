"""A block of rows as columns: what shredding returns, what live rows are made of.

Columns are sparse: values only where the event has the field, with the row numbers beside them,
so that a block costs what its cells cost, never rows times columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segment.columns.key import ColumnKey
from segment.parquet.encoders import texts_of


class SparseColumn(msgspec.Struct, frozen=True, gc=False):
    """Present values of one column. A struct for the same reason as `ColumnKey`.

    rows: uint32[k], strictly increasing row numbers.
    values: Arrow array of length k, no nulls, of the type's Arrow type (int64, double, bool,
    large_string).
    """

    rows: npt.NDArray[np.uint32]
    values: pa.Array

    def dense(self, rows: int) -> pa.Array:
        """As an Arrow array of length `rows`, null where the event lacks the field."""
        if len(self.rows) == rows:
            return self.values
        present = np.zeros(rows, np.bool_)
        present[self.rows] = True
        buffers = [_bits(present)]
        kind = self.values.type
        if pa.types.is_large_string(kind):  # a missing text takes no bytes: the data is shared
            offsets, data = texts_of(self.values)
            ends = np.zeros(rows + 1, np.int64)
            ends[self.rows.astype(np.int64) + 1] = np.diff(offsets)
            ends[0] = offsets[0]
            buffers += [pa.py_buffer(np.cumsum(ends)), pa.py_buffer(data)]
        else:
            spread = np.zeros(rows, kind.to_pandas_dtype())
            spread[self.rows] = self.values.to_numpy(zero_copy_only=False)
            buffers.append(_bits(spread) if pa.types.is_boolean(kind) else pa.py_buffer(spread))
        return pa.Array.from_buffers(kind, rows, buffers, rows - len(self.rows))


def _bits(values: npt.NDArray[np.bool_]) -> pa.Buffer:
    """The values as an Arrow bitmap."""
    return pa.py_buffer(np.packbits(values, bitorder="little"))


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """Rows of one dataset in log order: by record offset, then by index within the record.

    time_ns, rate: int64[rows], of the event.
    offset: int64[rows], of the record.
    index_in_record: int32[rows], which event of its record the row is.
    late_or_early: bool[rows], true where the event's time is beyond the format version's bounds
    around the record's append time.
    held_bytes: memory of all arrays, if known; negative: to be counted column by column.
    """

    time_ns: npt.NDArray[np.int64]
    rate: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    index_in_record: npt.NDArray[np.int32]
    late_or_early: npt.NDArray[np.bool_]
    columns: Mapping[ColumnKey, SparseColumn]
    held_bytes: int = -1

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.time_ns)

    def __repr__(self) -> str:
        return f"ColumnBlock({self.rows} rows, {len(self.columns)} columns)"
