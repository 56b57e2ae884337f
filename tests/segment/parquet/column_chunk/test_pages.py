"""Where pages end."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from segment.parquet.column_chunk.chunk import make_chunk
from segment.parquet.column_chunk.column import encode_column
from segment.parquet.column_chunk.values import Column, Ints
from segment.parquet.encoders import Encoders
from tests.segment.parquet.columns import values_of, written

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


def test_repeating_values_of_a_whole_cut_are_one_page_and_others_are_not(
    encoders: Encoders,
) -> None:
    repeating = Column("r", None, Ints(np.arange(ROWS) % 50))
    distinct = Column("d", None, Ints(np.arange(ROWS) * 7))
    assert len(encode_column(encoders, repeating, ROWS).pages) == 1
    assert [page.rows for page in encode_column(encoders, distinct, ROWS).pages] == [
        32_768,
        32_768,
        32_768,
        ROWS - 3 * 32_768,
    ]


def test_what_comes_again_after_ten_thousand_rows_is_hardly_stored_again(
    encoders: Encoders,
) -> None:
    period = np.random.default_rng(1).integers(0, 1_000, 10_000)
    once = make_chunk(encode_column(encoders, Column("n", None, Ints(period)), len(period)))
    often = Column("n", None, Ints(np.tile(period, 10)))
    assert make_chunk(encode_column(encoders, often, 100_000)).size < 1.2 * once.size


def test_each_page_of_a_dictionary_says_its_own_bounds(encoders: Encoders) -> None:
    numbers = np.repeat(np.array([5, 9, 2]), ROWS)
    column = encode_column(encoders, Column("n", None, Ints(numbers)), len(numbers))
    assert column.dictionary is not None
    bounds = [(number_of(page.low), number_of(page.high)) for page in column.pages]
    first = 1 << 18  # values of the first page
    assert bounds == [(2, 9), (2, 2)]
    assert [page.rows for page in column.pages] == [first, len(numbers) - first]
    assert (number_of(column.low), number_of(column.high)) == (2, 9)


def number_of(bound: bytes | None) -> int:
    assert bound is not None
    return int.from_bytes(bound, "little", signed=True)
