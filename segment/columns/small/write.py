"""Segments of a few rows: all columns are written in one call (I3).

Whether a segment is small depends on its rows alone, so that twins write the same bytes.
"""

import numpy as np

from common import limits
from segment.columns.block import ColumnBlock
from segment.columns.gather import pack
from segment.columns.key import SYSTEM_COLUMNS, FieldType
from segment.columns.names import TYPES
from segment.columns.packed import PackedColumns
from segment.parquet.encoders import Bytes
from segment.parquet.small import SmallTable

_TEXTS = np.array([one in (FieldType.STRING, FieldType.JSON) for one in TYPES])
_SYSTEM_NAMES = np.frombuffer(
    b"".join(bytes((len(name),)) + name.encode() for name in SYSTEM_COLUMNS), np.uint8
)


def small_columns(block: ColumnBlock) -> PackedColumns | None:
    """The columns of a small segment; None if it is not small."""
    columns_max = min(limits.SEGMENT_COLUMNS_FEW, limits.SEGMENT_COLUMNS_MAX_V1)
    if block.rows > limits.SMALL_SEGMENT_ROWS or len(block.columns) > columns_max:
        return None
    packed = pack(block.columns)
    texts = _TEXTS[packed.packed_keys.types]
    begins = packed.begins[texts]
    offsets = np.frombuffer(packed.whole, np.int64)
    size = int((offsets[begins + packed.sizes[texts]] - offsets[begins]).sum())
    return packed if size <= limits.SMALL_SEGMENT_TEXT_BYTES else None


def small_table(block: ColumnBlock, columns: PackedColumns, digest_head: Bytes) -> SmallTable:
    """The rows as the writer takes them. columns: what `small_columns` returned."""
    keys = columns.packed_keys
    return SmallTable(
        whole=np.frombuffer(columns.whole, np.uint8),
        sizes=columns.sizes,
        begins=columns.begins,
        row_begins=columns.row_begins,
        names=keys.texts,
        types=keys.types,
        system_names=_SYSTEM_NAMES,
        digest_head=digest_head,
        system=np.concatenate(
            (block.time_ns, block.rate, block.offset, block.index_in_record), dtype=np.int64
        ),
    )
