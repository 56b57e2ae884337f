"""Concatenates, filters and measures blocks, without reading a value.

Rows keep their order, so the order of the log is preserved (I3).
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segment.columns.block import ColumnBlock, SparseColumn
from segment.columns.key import ColumnKey
from segment.columns.packed import PackedColumns

_ORDER = attrgetter("field", "type")  # compares like keys, several times faster
_OBJECT_BYTES = 700  # of a column that is not packed: key, name, numpy's and Arrow's objects


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
    parts: dict[
        ColumnKey, list[tuple[np.uint32, SparseColumn]]
    ] = {}  # parts, each with the first row of its block
    rows = 0
    for block in blocks:
        first = np.uint32(rows)
        for key, column in block.columns.items():
            if (known := parts.get(key)) is None:
                parts[key] = [(first, column)]
            else:
                known.append((first, column))
        rows += block.rows
    every_row = np.arange(rows, dtype=np.uint32)
    columns = {key: join_parts(parts[key], every_row) for key in sorted(parts, key=_ORDER)}
    return with_columns(blocks, columns)


def with_columns(
    blocks: Sequence[ColumnBlock], columns: Mapping[ColumnKey, SparseColumn]
) -> ColumnBlock:
    """The rows of at least one block, one after the other, with these columns."""
    return ColumnBlock(
        time_ns=np.concatenate([b.time_ns for b in blocks]),
        rate=np.concatenate([b.rate for b in blocks]),
        offset=np.concatenate([b.offset for b in blocks]),
        index_in_record=np.concatenate([b.index_in_record for b in blocks]),
        late_or_early=np.concatenate([b.late_or_early for b in blocks]),
        columns=columns,
        held_bytes=-1
        if any(block.held_bytes < 0 for block in blocks)
        else sum(block.held_bytes for block in blocks),
    )


def join_parts(
    parts: Sequence[tuple[np.uint32, SparseColumn]], every_row: npt.NDArray[np.uint32]
) -> SparseColumn:
    """One column from its parts in several blocks. Columns with a value in every row use the same
    row numbers: most columns of most datasets are such, and copying row numbers was half the work.
    """
    if len(parts) == 1:
        first, only = parts[0]
        return only if first == 0 else SparseColumn(only.rows + first, only.values)
    cells = sum(len(column.rows) for _, column in parts)
    values = pa.concat_arrays([column.values for _, column in parts])
    if cells == len(every_row):
        return SparseColumn(every_row, values)
    rows = np.empty(cells, np.uint32)
    at = 0
    for first, column in parts:
        end = at + len(column.rows)
        np.add(column.rows, first, out=rows[at:end])
        at = end
    return SparseColumn(rows, values)


def select(block: ColumnBlock, mask: npt.NDArray[np.bool_]) -> ColumnBlock:
    """The rows where `mask` (bool[rows]) is true, without columns that have no value there."""
    if mask.all():
        return block
    if not mask.any():
        return empty_block()
    return ColumnBlock(
        time_ns=block.time_ns[mask],
        rate=block.rate[mask],
        offset=block.offset[mask],
        index_in_record=block.index_in_record[mask],
        late_or_early=block.late_or_early[mask],
        columns=_selected(block.columns, mask),
    )


def _selected(
    all_columns: Mapping[ColumnKey, SparseColumn], mask: npt.NDArray[np.bool_]
) -> Mapping[ColumnKey, SparseColumn]:
    if isinstance(all_columns, PackedColumns):
        return all_columns.selected(mask)
    new_row = np.cumsum(mask, dtype=np.int64) - 1
    columns: dict[ColumnKey, SparseColumn] = {}
    for key, column in all_columns.items():
        kept = mask[column.rows]
        if kept.all():
            columns[key] = SparseColumn(new_row[column.rows].astype(np.uint32), column.values)
        elif kept.any():
            rows = new_row[column.rows[kept]].astype(np.uint32)
            columns[key] = SparseColumn(rows, column.values.filter(pa.array(kept)))
    return columns


def block_bytes(block: ColumnBlock) -> int:
    """Bytes of memory of the block, including its columns' names and objects."""
    columns = block.columns
    if isinstance(columns, PackedColumns):
        return columns.nbytes + system_bytes(block)
    objects = len(columns) * _OBJECT_BYTES
    if block.held_bytes >= 0:
        return block.held_bytes + objects
    cells = sum(c.rows.nbytes + int(c.values.nbytes) for c in columns.values())
    return cells + objects + system_bytes(block)


def system_bytes(block: ColumnBlock) -> int:
    """Bytes of the system columns, which every row has."""
    system = (block.time_ns, block.rate, block.offset, block.index_in_record, block.late_or_early)
    return sum(array.nbytes for array in system)
