"""Columns of packed blocks are what the same columns of ordinary blocks are, however they are asked
for: one by one, joined, gathered, in digests and in the bytes of a segment.
"""

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn, concat
from segment.columns.digest import block_digest, digest_of
from segment.columns.gather import gather, joined, sizes_of
from segment.columns.names import PackedKeys
from segment.columns.packed import PackedColumns
from segment.columns.segment import SegmentOrigin
from segment.columns.segment_write import encode_segment
from segment.parquet.encoders import Encoders
from tests.segment.columns.equality import assert_same_block

VALUES = {
    FieldType.INT: st.integers(-(2**63), 2**63 - 1),
    FieldType.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    FieldType.BOOL: st.booleans(),
    FieldType.STRING: st.text(max_size=40),
    FieldType.JSON: st.sampled_from(["[]", '["\\u0000"]', ""]),
}
KEYS = st.builds(ColumnKey, st.sampled_from(["a", "b", "A", "ä"]), st.sampled_from(FieldType))
ORIGIN = SegmentOrigin("d", "e", 0, False, 0, 1)


def packed(columns: dict[ColumnKey, SparseColumn]) -> PackedColumns:
    """The columns in one buffer, parts of eight bytes one after the other."""
    parts: list[bytes] = []
    begins, row_begins = [], []

    def add(data: bytes) -> int:
        at = 8 * len(parts)
        whole = data + bytes(-len(data) % 8)
        parts.extend(whole[place : place + 8] for place in range(0, len(whole), 8))
        return at

    add(bytes(8))
    for key, column in columns.items():
        row_begins.append(add(column.rows.tobytes()) // 4)
        values = column.values
        if key.type is FieldType.BOOL:
            bits = values.to_numpy(zero_copy_only=False)
            begins.append(add(np.packbits(bits, bitorder="little").tobytes()) * 8)
        elif key.type in (FieldType.INT, FieldType.FLOAT):
            begins.append(add(values.to_numpy().tobytes()) // 8)
        else:
            texts = [text.encode() for text in values.to_pylist()]
            first = add(b"".join(texts))
            offsets = np.cumsum([first, *map(len, texts)])
            begins.append(add(offsets.astype(np.int64).tobytes()) // 8)
    add(bytes(16))
    sizes = [len(column.rows) for column in columns.values()]
    arrays = (np.array(numbers, np.int64) for numbers in (sizes, begins, row_begins))
    return PackedColumns(list(columns), pa.py_buffer(b"".join(parts)), *arrays)


@st.composite
def blocks(draw: st.DrawFn) -> list[ColumnBlock]:
    """One to three blocks of any columns, every one with a value somewhere."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 5))
        columns = {}
        for key in sorted(draw(st.sets(KEYS, min_size=1, max_size=8))):
            cells = draw(st.dictionaries(st.integers(0, size - 1), VALUES[key.type], min_size=1))
            rows = sorted(cells)
            values = pa.array([cells[row] for row in rows], key.type.arrow)
            columns[key] = SparseColumn(np.array(rows, np.uint32), values)
        numbers = np.arange(size)
        found.append(
            ColumnBlock(
                numbers + 5,
                numbers,
                np.full(size, number),
                numbers.astype(np.int32),
                np.zeros(size, np.bool_),
                columns,
            )
        )
    return found


def of_packed(some: list[ColumnBlock]) -> list[ColumnBlock]:
    """The blocks with their columns packed."""
    return [replace(block, columns=packed(dict(block.columns))) for block in some]


@given(blocks())
def test_joined_packed_blocks_are_the_blocks_put_together(some: list[ColumnBlock]) -> None:
    wanted = concat(some)
    found = joined(of_packed(some))
    assert list(found.columns) == list(wanted.columns)
    assert sizes_of(found.columns).tolist() == sizes_of(wanted.columns).tolist()
    assert_same_block(found, wanted)
    assert_same_block(concat(of_packed(some)), wanted)
    assert_same_block(joined([*of_packed(some[:1]), *some[1:]]), wanted)


@given(blocks(), st.integers(0, 8))
def test_gathered_columns_have_the_digest_of_each(some: list[ColumnBlock], own_size: int) -> None:
    wanted = concat(some)
    for block in (wanted, joined(of_packed(some))):
        own, rest = list(block.columns)[:own_size], list(block.columns)[own_size:]
        gathered = gather(block.columns, rest)
        assert sum(len(one.indexes) for one in gathered) == len(rest)
        one_by_one = {key: block.columns[key] for key in own}
        assert digest_of(block, one_by_one, PackedKeys.of(rest), gathered) == block_digest(wanted)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(some=blocks(), own_size=st.integers(0, 3))
def test_packed_blocks_give_the_bytes_of_ordinary_ones(
    encoders: Encoders, some: list[ColumnBlock], own_size: int
) -> None:

    with patch.object(limits, "SEGMENT_COLUMNS_MAX_V1", own_size):
        wanted = encode_segment(concat(some), ORIGIN, encoders)
        found = encode_segment(joined(of_packed(some)), ORIGIN, encoders)
    assert found == wanted
