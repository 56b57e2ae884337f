"""What a reader of the file can rely on besides the values: where statistics and nulls stand."""

import random
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn, concat, select
from segment.columns.segment import SegmentOrigin
from segment.columns.segment_write import encode_segment
from segment.parquet.reference import ReferenceEncoders

ORIGIN = SegmentOrigin("d", "e", 0, False, 5, 6)
ROWS = 20_000


def texts(values: Sequence[str], rows: Sequence[int] | None = None) -> SparseColumn:
    """A column of texts, in every row unless `rows` are given."""
    where = np.arange(len(values)) if rows is None else np.array(rows)
    return SparseColumn(where.astype(np.uint32), pa.array(values, pa.large_string()))


def block() -> ColumnBlock:
    """Texts that repeat, that are in order, that are neither; and one that is not everywhere."""
    dice = random.Random(7)
    numbers = np.arange(ROWS, dtype=np.int64)
    columns = {
        "id": texts([f"{dice.getrandbits(64):016x}" for _ in range(ROWS)]),
        "repeats": texts([dice.choice(("north", "south")) for _ in range(ROWS)]),
        "seldom": texts(["only"], [17]),
        "when": texts([f"2026-11-21T{at:08d}" for at in range(ROWS)]),
    }
    return ColumnBlock(
        time_ns=numbers + 5,
        rate=np.ones(ROWS, np.int64),
        offset=numbers // 100,
        index_in_record=(numbers % 100).astype(np.int32),
        late_or_early=np.zeros(ROWS, np.bool_),
        columns={ColumnKey(name, FieldType.STRING): column for name, column in columns.items()},
    )


def written(rows: ColumnBlock) -> bytes:
    """The segment's bytes."""
    return encode_segment(rows, ORIGIN, ReferenceEncoders()).data


def test_statistics_stand_where_they_can_tell_segments_apart() -> None:
    file = pq.ParquetFile(pa.BufferReader(written(block())))
    group = file.metadata.row_group(0)
    found = {
        group.column(at).path_in_schema: group.column(at).statistics
        for at in range(group.num_columns)
    }
    assert found["f:repeats:s"].min == "north"
    assert found["f:when:s"].max == f"2026-11-21T{ROWS - 1:08d}"
    assert found["_time"].min == 5
    assert not found["f:id:s"].has_min_max


def test_only_a_column_that_is_not_in_every_row_may_have_nulls() -> None:
    schema = pq.ParquetFile(pa.BufferReader(written(block()))).schema_arrow
    assert [field.name for field in schema if field.nullable] == ["f:seldom:s"]


def test_the_bytes_of_a_segment_do_not_depend_on_the_blocks_of_its_rows() -> None:
    whole = block()
    parts = [
        select(whole, (whole.offset >= first) & (whole.offset < end))
        for first, end in ((0, 3), (3, 120), (120, 200))
    ]
    assert (
        encode_segment(concat(parts), ORIGIN, ReferenceEncoders()).data
        == encode_segment(whole, ORIGIN, ReferenceEncoders()).data
    )
