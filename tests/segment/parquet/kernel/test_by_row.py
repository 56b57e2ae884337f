"""Cells of many columns by row are those that a sort by row and column gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from common.kernels.compile import FULL
from segment.parquet.kernel.by_row import cells_by_row
from segment.parquet.reference import ReferenceEncoders
from tests.segment.parquet.kernel.oracle import fixed

ROWS = 70
COLUMNS = st.lists(st.sets(st.integers(0, ROWS - 1), max_size=9).map(sorted), max_size=9)


@given(COLUMNS)
def test_any_columns(columns: list[list[int]]) -> None:
    rows = np.array([row for column in columns for row in column], np.uint32)
    ends = np.cumsum([len(column) for column in columns], dtype=np.int64)
    begins = ends - np.array([len(column) for column in columns], np.int64)
    starts = np.empty(ROWS + 1, np.int64)
    cells, of = np.empty(len(rows), np.uint32), np.empty(len(rows), np.uint32)
    found = cells_by_row(fixed(rows), fixed(begins), fixed(ends), starts, cells, of)
    assert found == len(rows)
    pairs = sorted((row, at) for at, column in enumerate(columns) for row in column)
    assert [(int(rows[cell]), int(at)) for cell, at in zip(cells, of, strict=True)] == pairs
    assert starts.tolist() == [sum(row < at for row, _ in pairs) for at in range(ROWS + 1)]
    reference = ReferenceEncoders().by_row(rows, begins, ends, ROWS)
    assert [one.tolist() for one in reference] == [cells.tolist(), of.tolist(), starts.tolist()]


@given(st.integers(-2, 4), st.integers(-2, 4), st.integers(0, 4), st.integers(0, 3))
def test_places_beyond_the_arrays_are_refused(begin: int, end: int, room: int, row: int) -> None:
    rows = np.full(3, row, np.uint32)
    begins = np.array([begin], np.int64)
    ends = np.array([end], np.int64)
    cells, columns = np.full(room, 9, np.uint32), np.full(room, 9, np.uint32)
    starts = np.empty(4, np.int64)
    found = cells_by_row(fixed(rows), fixed(begins), fixed(ends), starts, cells, columns)
    size = max(0, end - begin)
    if begin < 0 or end > 3 or size > room or (size and row > 2):
        assert found == FULL
    else:
        assert found == size
