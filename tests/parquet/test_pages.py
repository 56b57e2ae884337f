"""Where pages end."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from common.parquet.column import encode_column
from common.parquet.encoders import Encoders
from common.parquet.values import Column, Ints
from tests.parquet.columns import values_of, written

ROWS = 100_000


def test_a_rare_column_is_one_page_however_many_rows_there_are(encoders: Encoders) -> None:
    rows = np.array([3, 50_000, 90_000], np.uint32)
    column = Column("n", rows, Ints(np.array([1, -7, 2])))
    (page,) = encode_column(encoders, column, ROWS).pages
    assert (page.first_row, page.rows, page.values) == (0, ROWS, 3)


def test_pages_of_a_half_full_column_meet_behind_a_value(encoders: Encoders) -> None:
    rows = np.arange(0, ROWS, 2, dtype=np.uint32)
    column = Column("n", rows, Ints(rows.astype(np.int64)))
    first, last = encode_column(encoders, column, ROWS).pages
    assert first.values + last.values == len(rows)
    assert first.rows == rows[first.values - 1] + 1 == last.first_row
    assert first.rows + last.rows == ROWS


def test_a_last_text_that_fills_a_page_has_all_rows_behind_it(encoders: Encoders) -> None:
    texts = pa.array(["a", "z" * 9_000_000], pa.large_string())
    column = Column("t", np.array([5, 7], np.uint32), values_of(texts))
    data = written(encoders, [column], ROWS)
    found = pq.ParquetFile(pa.BufferReader(data)).read().column(0).combine_chunks()
    assert found.drop_null().to_pylist() == texts.to_pylist()
    assert np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False)).tolist() == [5, 7]
