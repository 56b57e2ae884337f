"""The overflow column: the rarest columns of a wide segment share one column of JSON text.

A row's text is an object from physical name to value, names in order; values are exact: integers
as integers, doubles in their shortest form that reads back the same, JSON and strings as strings.
"""

from collections.abc import Mapping

import numpy as np
import orjson
import pyarrow as pa

from common import limits
from segment.columns.block import SparseColumn
from segment.columns.gather import pack
from segment.columns.key import ColumnKey, parse_physical
from segment.columns.overflow.write import overflow_texts
from segment.columns.packed import Int64s
from segment.parquet.encoders import Encoders

Columns = Mapping[ColumnKey, SparseColumn]


def split_rarest(sizes: Int64s, rows: int) -> tuple[Int64s, Int64s]:
    """Indexes of columns that get a Parquet column of their own, and of those that overflow.

    sizes: number of values of each column, in the order of their keys. rows: number of rows of the
    segment. The choice depends on the rows alone: by number of values, then by name.

    A Parquet column of a few values costs as much as one of thousands: 0.2 ms, 300 bytes of index
    and footer, and as much for its row numbers as for the values. Measured on 40,000 rows of 10,000
    columns with 160 values each: with 1,024 instead of 4,096 Parquet columns a row takes 240
    instead of 276 bytes (231 with 256 columns), sealing takes half the time, and a query takes 3
    instead of 39 ms in DuckDB, which reads the whole footer, for a common column, and 206 instead
    of 140 ms for one in the overflow column.
    """
    few = min(limits.SEGMENT_COLUMNS_FEW, limits.SEGMENT_COLUMNS_MAX_V1)
    frequent = int((sizes * limits.SEGMENT_RARE_ROWS >= rows).sum())
    own = min(max(few, frequent), limits.SEGMENT_COLUMNS_MAX_V1)
    ranked = np.argsort(-sizes, kind="stable")  # equals stay in order
    return np.sort(ranked[:own]), np.sort(ranked[own:])


def encode_overflow(columns: Columns, rows: int, encoders: Encoders) -> SparseColumn:
    """All of these columns of a segment with `rows` rows as one column of JSON text."""
    packed = pack(columns)
    gathered = packed.gathered(np.arange(len(packed)))
    return overflow_texts(gathered, packed.packed_keys.physical(), rows, encoders)


def decode_overflow(overflow: SparseColumn) -> dict[ColumnKey, SparseColumn]:
    """Read the columns from the text of `encode_overflow`. Raises ValueError."""
    gathered: dict[str, tuple[list[int], list[object]]] = {}
    for row, text in zip(overflow.rows.tolist(), overflow.values.to_pylist(), strict=True):
        for physical, value in orjson.loads(text).items():
            rows, values = gathered.setdefault(physical, ([], []))
            rows.append(row)
            values.append(value)
    return {
        _field_key(physical): SparseColumn(
            np.array(rows, np.uint32), pa.array(values, _field_key(physical).type.arrow)
        )
        for physical, (rows, values) in sorted(gathered.items())
    }


def _field_key(physical: str) -> ColumnKey:
    key = parse_physical(physical)
    if key is None:
        raise ValueError("a system column cannot stand in the rest column")
    return key
