"""Indices and levels read back, and runs are written as runs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment.parquet.kernel.rle_bit_packed import (
    pack_indices,
    pack_indices_bound,
    pack_levels,
    pack_levels_bound,
)
from tests.segment.parquet.kernel.oracle import read_hybrid, written

SIZES = (0, 1, 7, 8, 9, 15, 16, 17, 127, 128, 129, 503, 504, 505, 1_100)


def packed(values: list[int], width: int) -> bytes:
    """The values, in a slice of an array."""
    indices = np.array([1, *values, 2], np.uint32)
    given = indices, 1, len(values) + 1, width
    raw = written(pack_indices, pack_indices_bound(len(values), width), *given)
    assert read_hybrid(raw, width, len(values)) == values
    return raw


def levels(present: list[bool], first_row: int = 0) -> bytes:
    """Levels of rows from `first_row` on, in a column that has other rows around them."""
    rows = np.flatnonzero(present).astype(np.uint32) + np.uint32(first_row)
    around = np.concatenate(([0], rows, [first_row + len(present)])).astype(np.uint32)
    given = around, first_row, first_row + len(present), 1, len(rows) + 1
    raw = written(pack_levels, pack_levels_bound(len(present)), *given)
    assert read_hybrid(raw, 1, len(present)) == [int(here) for here in present]
    return raw


@pytest.mark.parametrize("width", range(33))
def test_every_width_and_size(width: int) -> None:
    dice = np.random.default_rng(width)
    for size in SIZES:
        values = dice.integers(0, 1 << width, size).tolist()
        packed(values, width)
        packed([(1 << width) - 1] * size, width)
        for repeated in (3, 9, 40, 200):
            packed(np.repeat(values, dice.integers(1, repeated, size))[:size].tolist(), width)


@given(
    st.integers(0, 32),
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 90)), max_size=30),
)
def test_any_runs(width: int, runs: list[tuple[int, int]]) -> None:
    packed([value & (1 << width) - 1 for value, times in runs for _ in range(times)], width)


def test_the_example_of_the_format() -> None:
    assert packed(list(range(8)), 3) == bytes((3, 0b10001000, 0b11000110, 0b11111010))


def test_equal_values_are_one_run() -> None:
    assert packed([5] * 4_096, 3) == bytes((0x80, 0x40, 5))
    assert packed([0] * 100, 0) == bytes((0xC8, 1))
    assert len(packed([1, 2, 3, 4, 5, 6, 7, 0] * 3 + [9] * 1_000, 4)) == 1 + 12 + 3


def test_a_run_shorter_than_its_own_header_is_packed() -> None:
    values = [0, 1] * 8 + [1] * 16 + [0, 1] * 8
    assert len(packed(values, 1)) == 1 + 6


def test_all_rows_or_none_are_one_run() -> None:
    for rows in (1, 63, 64, 65, 30_000):
        assert len(levels([True] * rows, 1_000)) <= 4
        assert len(levels([False] * rows, 1_000)) <= 4


def test_long_gaps_and_long_dense_stretches_are_runs() -> None:
    present = [True] * 5_000 + [False] * 5_000 + [True] * 7 + [False] * 5_000
    assert len(levels(present)) < 40


@pytest.mark.parametrize("share", [0.001, 0.03, 0.5, 0.97, 0.999])
def test_levels_of_every_size(share: float) -> None:
    dice = np.random.default_rng(5)
    for rows in (*range(130), 447, 448, 449, 511, 512, 513, 4_096, 5_000):
        levels((dice.random(rows) < share).tolist(), rows + 1)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 200)), max_size=20),
    st.integers(1, 2**32 - 9_000),
)
def test_any_levels(stretches: list[tuple[bool, int]], first_row: int) -> None:
    levels([here for here, rows in stretches for _ in range(rows)], first_row)
