"""Small segments: the same bytes in one call as column by column, and read back by any engine."""

import io
from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn, concat
from segment.columns.digest import block_digest
from segment.columns.packed import PackedColumns
from segment.columns.segment import SegmentOrigin
from segment.columns.segment_read import SegmentReader
from segment.columns.segment_write import encode_segment
from segment.columns.small.read import read_small
from segment.columns.small.write import small_columns
from segment.parquet.encoders import Encoders
from segment.parquet.reference import ReferenceEncoders
from tests.segment.columns.equality import assert_same_block

ORIGIN = SegmentOrigin("d", "e", 0, False, 5, 6)
VALUES = {
    FieldType.INT: st.integers(-(2**63), 2**63 - 1),
    FieldType.FLOAT: st.floats() | st.sampled_from([0.0, -0.0, 1.5, -1.5]),
    FieldType.BOOL: st.booleans(),
    FieldType.STRING: st.text(max_size=40) | st.text("ab", max_size=300),
    FieldType.JSON: st.sampled_from(["[]", '["\\u0000"]', "", "[" + "1," * 150 + "2]"]),
}
KEYS = st.builds(
    ColumnKey,
    st.sampled_from(["a", "A", "ä", "", "a_long.name-of/everything", "%", "x" * 200])
    | st.text(max_size=9),
    st.sampled_from(FieldType),
)


@st.composite
def blocks(draw: st.DrawFn) -> ColumnBlock:
    """A block of a few rows with columns of any type, in every row or in some."""
    rows = draw(st.integers(1, limits.SMALL_SEGMENT_ROWS))
    columns = {}
    for key in sorted(draw(st.sets(KEYS, max_size=12))):
        everywhere = draw(st.booleans())
        some = (
            range(rows)
            if everywhere
            else sorted(draw(st.sets(st.integers(0, rows - 1), min_size=1)))
        )
        values = draw(st.lists(VALUES[key.type], min_size=len(some), max_size=len(some)))
        columns[key] = SparseColumn(np.array(some, np.uint32), pa.array(values, key.type.arrow))
    numbers = st.lists(VALUES[FieldType.INT], min_size=rows, max_size=rows)
    return ColumnBlock(
        time_ns=np.array(draw(numbers), np.int64),
        rate=np.array(draw(numbers), np.int64),
        offset=np.sort(np.array(draw(st.lists(st.integers(0, 99), min_size=rows, max_size=rows)))),
        index_in_record=np.arange(rows, dtype=np.int32),
        late_or_early=np.zeros(rows, np.bool_),
        columns=columns,
    )


@settings(suppress_health_check=list(HealthCheck), max_examples=150, deadline=None)
@given(blocks())
def test_one_call_gives_the_bytes_that_one_for_each_column_gives(
    kernel: Encoders, block: ColumnBlock
) -> None:
    whole = encode_segment(block, ORIGIN, kernel)
    assert whole.data == encode_segment(block, ORIGIN, ReferenceEncoders()).data
    assert whole.info.digest == block_digest(block)


@settings(suppress_health_check=list(HealthCheck), max_examples=40, deadline=None)
@given(blocks())
def test_a_small_segment_reads_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, block: ColumnBlock
) -> None:
    path = tmp_path_factory.mktemp("small") / "segment.parquet"
    path.write_bytes(encode_segment(block, ORIGIN, ReferenceEncoders()).data)
    with SegmentReader(path) as reader:
        assert_same_block(reader.block(), block)
        assert reader.digest() == block_digest(block)
    with duckdb.connect() as connection:
        query = "SELECT _offset FROM read_parquet(?) ORDER BY _offset"
        found = connection.execute(query, [str(path)]).fetchall()
    assert [row[0] for row in found] == block.offset.tolist()


def of_texts(texts: Sequence[str]) -> ColumnBlock:
    """A block with one column of these texts."""
    rows = np.arange(len(texts))
    key = ColumnKey("text", FieldType.STRING)
    values = pa.array(texts, pa.large_string())
    return ColumnBlock(
        time_ns=rows,
        rate=rows,
        offset=rows,
        index_in_record=rows.astype(np.int32),
        late_or_early=np.zeros(len(texts), np.bool_),
        columns={key: SparseColumn(rows.astype(np.uint32), values)},
    )


@pytest.mark.parametrize(
    ("texts", "small"),
    [
        (["a"] * limits.SMALL_SEGMENT_ROWS, True),
        (["a"] * (limits.SMALL_SEGMENT_ROWS + 1), False),
        (["a" * limits.SMALL_SEGMENT_TEXT_BYTES], True),
        (["a" * limits.SMALL_SEGMENT_TEXT_BYTES, "b"], False),
    ],
)
def test_what_is_small_follows_from_the_rows(
    encoders: Encoders, texts: list[str], small: bool
) -> None:
    block = of_texts(texts)
    assert (small_columns(block) is not None) == small
    data = encode_segment(block, ORIGIN, encoders).data
    group = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0)
    assert {group.column(at).compression for at in range(4)} == {"UNCOMPRESSED"}
    assert not group.column(0).has_offset_index  # one page each: it would repeat the statistics


def test_only_a_file_with_several_pages_of_a_column_has_a_page_index(encoders: Encoders) -> None:
    for rows, indexed in ((1_000, False), (70_000, True)):
        block = of_texts([f"{number:016x}" for number in range(rows)])
        data = encode_segment(block, ORIGIN, encoders).data
        group = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0)
        found = {group.column(at).has_offset_index for at in range(group.num_columns)}
        assert found == {indexed}


@given(st.lists(blocks(), min_size=1, max_size=5))
@settings(suppress_health_check=list(HealthCheck), max_examples=40, deadline=None)
def test_many_are_read_as_one_block(kernel: Encoders, some: list[ColumnBlock]) -> None:
    files = [encode_segment(block, ORIGIN, ReferenceEncoders()).data for block in some]
    together = concat(some)
    for encoders in (kernel, ReferenceEncoders()):
        found = read_small(files, encoders, far=False)
        if any(small_columns(block) is None for block in some):
            assert found is None
            continue
        assert found is not None
        assert isinstance(found.columns, PackedColumns) == (encoders is kernel)
        assert_same_block(found, together)
        assert block_digest(found) == block_digest(together)
        again = encode_segment(found, ORIGIN, encoders).data
        assert again == encode_segment(together, ORIGIN, encoders).data


def test_what_is_not_small_is_not_read_as_if_it_was(encoders: Encoders) -> None:
    rows = limits.SMALL_SEGMENT_ROWS + 1
    numbers = np.arange(rows)
    block = ColumnBlock(
        time_ns=numbers,
        rate=numbers,
        offset=numbers,
        index_in_record=numbers.astype(np.int32),
        late_or_early=np.zeros(rows, np.bool_),
        columns={},
    )
    data = encode_segment(block, ORIGIN, ReferenceEncoders()).data
    assert read_small([data], encoders, far=False) is None
    assert read_small([b"PAR1PAR1PAR1"], encoders, far=False) is None


def test_no_more_rows_are_taken_from_a_small_file_than_one_has(
    encoders: Encoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is taken for as many as a footer claims, before the pages say how many there are."""
    data = encode_segment(of_texts(["a"] * 2), ORIGIN, ReferenceEncoders()).data
    assert read_small([data], encoders, far=False) is not None
    monkeypatch.setattr(limits, "SMALL_SEGMENT_ROWS", 1)
    assert read_small([data], encoders, far=False) is None
