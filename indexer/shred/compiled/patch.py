"""Adds the rows that the reference read to a block of the kernel: each value at its row.

Rare by construction, so kept simple: columns that get a value are merged one by one.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from indexer.shred.cells import FIELD_TYPES
from indexer.shred.event import Fields, FieldValue
from segment.columns import ColumnKey, SparseColumn

Columns = Mapping[ColumnKey, SparseColumn]


def with_rows(columns: Columns, found: Sequence[tuple[int, Fields]]) -> Columns:
    """The columns with the fields of further rows, which have no values yet. Sorted by key."""
    added_values: dict[ColumnKey, tuple[list[int], list[FieldValue]]] = {}
    for row, fields in found:
        for name, value in fields.items():
            key = ColumnKey(name, FIELD_TYPES[type(value)])
            rows, values = added_values.setdefault(key, ([], []))
            rows.append(row)
            values.append(value)
    merged = dict(columns)
    for key, (rows, values) in added_values.items():
        added = SparseColumn(np.array(rows, np.uint32), pa.array(values, key.type.arrow))
        there = columns.get(key)
        merged[key] = added if there is None else _merged(there, added)
    return {key: merged[key] for key in sorted(merged)}


def _merged(left: SparseColumn, right: SparseColumn) -> SparseColumn:
    rows = np.concatenate((left.rows, right.rows))
    order = np.argsort(rows, kind="stable")
    values = pa.concat_arrays([left.values, right.values])
    return SparseColumn(rows[order], values.take(pa.array(order)))
