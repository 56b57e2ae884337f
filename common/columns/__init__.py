"""Columns: the identity of a column is (field, type) (I12). Blocks, names, encoding, digest."""

from common.columns.block import ColumnBlock, SparseColumn
from common.columns.key import ColumnKey, FieldType

__all__ = ["ColumnBlock", "ColumnKey", "FieldType", "SparseColumn"]
