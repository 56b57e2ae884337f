"""Blocks put together, split and measured; nothing here looks at a value.

A row keeps its place among the rows it stays with, so the order of the log is never lost (I3).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from common.columns.block import ColumnBlock, SparseColumn
from common.columns.key import ColumnKey


def empty_block() -> ColumnBlock:
    """A block without rows."""
    whole = np.empty(0, np.int64)
    return ColumnBlock(whole, whole, whole, np.empty(0, np.int32), np.empty(0, np.bool_), {})


def concat(blocks: Sequence[ColumnBlock]) -> ColumnBlock:
    """The rows of all blocks one after the other, with the union of their columns."""
    if not blocks:
        return empty_block()
    if len(blocks) == 1:
        return blocks[0]
    parts: dict[ColumnKey, list[SparseColumn]] = {}
    first_row = 0
    for block in blocks:
        for key, column in block.columns.items():
            moved = (column.rows + np.uint32(first_row)).astype(np.uint32, copy=False)
            parts.setdefault(key, []).append(SparseColumn(moved, column.values))
        first_row += block.rows
    return ColumnBlock(
        time_ns=np.concatenate([b.time_ns for b in blocks]),
        rate=np.concatenate([b.rate for b in blocks]),
        offset=np.concatenate([b.offset for b in blocks]),
        place=np.concatenate([b.place for b in blocks]),
        far=np.concatenate([b.far for b in blocks]),
        columns={
            key: columns[0]
            if len(columns) == 1
            else SparseColumn(
                np.concatenate([c.rows for c in columns]),
                pa.concat_arrays([c.values for c in columns]),
            )
            for key, columns in sorted(parts.items())
        },
    )


def select(block: ColumnBlock, mask: npt.NDArray[np.bool_]) -> ColumnBlock:
    """The rows where `mask` (bool[rows]) is true; columns left without a value are gone."""
    if mask.all():
        return block
    new_row = np.cumsum(mask, dtype=np.int64) - 1
    columns: dict[ColumnKey, SparseColumn] = {}
    for key, column in block.columns.items():
        kept = mask[column.rows]
        if kept.all():
            columns[key] = SparseColumn(new_row[column.rows].astype(np.uint32), column.values)
        elif kept.any():
            rows = new_row[column.rows[kept]].astype(np.uint32)
            columns[key] = SparseColumn(rows, column.values.filter(pa.array(kept)))
    return ColumnBlock(
        time_ns=block.time_ns[mask],
        rate=block.rate[mask],
        offset=block.offset[mask],
        place=block.place[mask],
        far=block.far[mask],
        columns=columns,
    )


def block_bytes(block: ColumnBlock) -> int:
    """Bytes of memory that the block's arrays take."""
    system = (block.time_ns, block.rate, block.offset, block.place, block.far)
    cells = sum(c.rows.nbytes + int(c.values.nbytes) for c in block.columns.values())
    return cells + sum(array.nbytes for array in system)
