"""Columns: the identity of a column is (field, type) (I12). Blocks, names, encoding, digest."""

from segment.columns.block import ColumnBlock, SparseColumn
from segment.columns.blocks import block_bytes, concat, empty_block, select
from segment.columns.key import ColumnKey, FieldType

__all__ = [
    "ColumnBlock",
    "ColumnKey",
    "FieldType",
    "SparseColumn",
    "block_bytes",
    "concat",
    "empty_block",
    "select",
]
