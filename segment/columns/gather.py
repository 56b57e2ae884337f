"""Blocks joined, and thousands of columns at once: the values of a type side by side.

An operation on a column costs microseconds, whatever its size, and a rare column has a dozen values
in a block. So operations on all rare columns (of the digest, of the overflow column) are done on
five arrays, one for each type. Blocks of rare columns are joined in the same way, and the smaller
form of columns is chosen here, for live rows and for cuts (I11).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from common import limits
from segment.columns.block import ColumnBlock, SparseColumn
from segment.columns.blocks import concat, system_bytes, with_columns
from segment.columns.key import ColumnKey, FieldType
from segment.columns.names import PackedKeys, union
from segment.columns.packed import Gathered, Int64s, PackedColumns, assembled, runs, starts_of

# Columns of a block are packed into one object if they have fewer than _PACKED_CELLS values on
# average, as objects would be most of their memory, and making them most of the work for a small
# segment; or if there are more than _PACKED_FROM columns with a value in less than one of
# _PACKED_ROWS rows.
_PACKED_CELLS = limits.SMALL_SEGMENT_ROWS + 1
_PACKED_FROM = 256
_PACKED_ROWS = 32
_ONE_BY_ONE = 512  # up to this many columns of several blocks are joined faster as objects


def is_sparse(columns: int, cells: int, rows: int) -> bool:
    """Whether this many columns, with this many values in all, should be one object."""
    return cells < columns * _PACKED_CELLS or (
        columns > _PACKED_FROM and cells * _PACKED_ROWS < columns * rows
    )


def joined(blocks: Sequence[ColumnBlock]) -> ColumnBlock:
    """As `concat`, but without an object per column where columns are packed."""
    if not any(isinstance(block.columns, PackedColumns) for block in blocks):
        return concat(blocks)
    if len(blocks) == 1:
        return blocks[0]
    if sum(len(block.columns) for block in blocks) <= _ONE_BY_ONE:
        return concat([_unpacked(block) for block in blocks])
    parts, first = [], 0
    for block in blocks:
        parts.append((first, pack(block.columns)))
        first += block.rows
    columns = _merged(parts)
    return replace(with_columns(blocks, columns), held_bytes=-1)


def _unpacked(block: ColumnBlock) -> ColumnBlock:
    columns = block.columns
    if not isinstance(columns, PackedColumns):
        return block
    held_bytes = int(columns.whole.size) + system_bytes(block)
    return replace(block, columns=columns.unpacked(), held_bytes=held_bytes)


def compact(block: ColumnBlock) -> ColumnBlock:
    """The block with its columns in the form that takes less memory, which changes no value."""
    columns = block.columns
    if isinstance(columns, PackedColumns):
        if is_sparse(len(columns), columns.cells, block.rows):
            return block
        return _unpacked(block)
    cells = sum(len(one.rows) for one in columns.values())
    if is_sparse(len(columns), cells, block.rows):
        return replace(block, columns=pack(columns), held_bytes=-1)
    return block


def pack(columns: Mapping[ColumnKey, SparseColumn]) -> PackedColumns:
    """The columns as one object, in the order of their keys."""
    if isinstance(columns, PackedColumns):
        return columns
    keys = sorted(columns)
    return assembled(PackedKeys.of(keys), gather(columns, keys))


def sizes_of(columns: Mapping[ColumnKey, SparseColumn]) -> Int64s:
    """The number of values of each column, in the order of the mapping."""
    if isinstance(columns, PackedColumns):
        return columns.sizes
    return np.fromiter((len(one.rows) for one in columns.values()), np.int64, len(columns))


def gather(columns: Mapping[ColumnKey, SparseColumn], keys: Sequence[ColumnKey]) -> list[Gathered]:
    """The columns of these keys by type, within a type in the order of `keys`."""
    if isinstance(columns, PackedColumns):
        find = columns.packed_keys.find
        return columns.gathered(np.fromiter(map(find, keys), np.int64, len(keys)))
    found = []
    types = [key.type for key in keys]
    for wanted in FieldType:
        indexes = [index for index, one in enumerate(types) if one is wanted]
        if not indexes:
            continue
        some = [columns[keys[index]] for index in indexes]
        starts = starts_of(np.fromiter((len(one.rows) for one in some), np.int64, len(some)))
        rows = np.concatenate([one.rows for one in some])
        values = pa.concat_arrays([one.values for one in some])
        found.append(Gathered(wanted, np.array(indexes, np.int64), starts, rows, values))
    return found


def _merged(parts: Sequence[tuple[int, PackedColumns]]) -> PackedColumns:
    """Joins columns of packed blocks. parts: blocks, each with its first row in the result."""
    keys, where = union([columns.packed_keys for _, columns in parts])
    by_type: dict[FieldType, list[Gathered]] = {}
    for (first, columns), to in zip(parts, where, strict=True):
        for one in columns.gathered(np.arange(len(columns))):
            moved = one._replace(indexes=to[one.indexes], rows=one.rows + np.uint32(first))
            by_type.setdefault(one.type, []).append(moved)
    return assembled(keys, [_of_type(some) for some in by_type.values()])


def _of_type(some: Sequence[Gathered]) -> Gathered:
    """Columns of one type in several blocks: each once, its values in the order of the blocks."""
    indexes = np.concatenate([one.indexes for one in some])
    sizes = np.concatenate([np.diff(one.starts) for one in some])
    order = np.argsort(indexes, kind="stable")  # by column, then by block
    cells = runs(starts_of(sizes)[:-1][order], sizes[order])
    columns, firsts = np.unique(indexes[order], return_index=True)
    starts = np.append(starts_of(sizes[order])[firsts], len(cells))
    rows = np.concatenate([one.rows for one in some])[cells]
    values = pa.concat_arrays([one.values for one in some]).take(pa.array(cells))
    return Gathered(some[0].type, columns, starts, rows, values)
