"""Deltas read back, wrap as the format says, and are those that Arrow's writer gives."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment.parquet.kernel.delta import (
    delta_lengths,
    delta_lengths_bound,
    delta_packed,
    delta_packed_bound,
    delta_packed_int32,
    delta_packed_int32_bound,
)
from tests.segment.parquet.kernel.oracle import arrow, read_deltas, written

SIZES = (0, 1, 2, 8, 32, 33, 34, 127, 128, 129, 130, 161, 257, 4_100)


def packed(values: list[int]) -> bytes:
    """As 64-bit integers, in a slice of an array."""
    array = np.array([7, *values, 7], np.int64)
    bound = delta_packed_bound(len(values))
    raw = written(delta_packed, bound, array, 1, len(values) + 1)
    assert read_deltas(raw, 64) == values
    return raw


def packed_int32(values: list[int]) -> bytes:
    array = np.array([7, *values, 7], np.int32)
    bound = delta_packed_int32_bound(len(values))
    raw = written(delta_packed_int32, bound, array, 1, len(values) + 1)
    assert read_deltas(raw, 32) == values
    return raw


def by_arrow(values: pa.Array, encoding: str) -> bytes:
    """A file with one page of these values, so encoded and not compressed."""
    schema = pa.schema([pa.field("a", values.type, nullable=False)])
    out = io.BytesIO()
    pq.write_table(
        pa.table([values], schema=schema),
        out,
        compression="none",
        use_dictionary=False,
        column_encoding={"a": encoding},
        write_batch_size=1 << 20,
        data_page_size=1 << 24,
        max_rows_per_page=1 << 20,
    )
    return out.getvalue()


@pytest.mark.parametrize("width", range(65))
def test_every_width_and_size(width: int) -> None:
    dice = np.random.default_rng(width)
    for size in SIZES:
        wide = dice.integers(-(2**63), 2**63 - 1, size, endpoint=True) >> (63 - max(0, width - 1))
        packed(wide.tolist() if width else [-5] * size)
        if width <= 32 and size:
            half = dice.integers(-(2**31), 2**31 - 1, size, endpoint=True) >> min(31, 32 - width)
            raw = packed_int32(half.tolist())
            values = pa.array(half, pa.int32())
            assert raw in by_arrow(values, "DELTA_BINARY_PACKED")


def test_steps_from_one_extreme_to_the_other_wrap() -> None:
    for top, pack in ((2**63, packed), (2**31, packed_int32)):
        pack([-top, top - 1] * 100)
        pack([top - 1, -top, 0, -1, 1] * 50)
        pack([-top] * 130 + [top - 1] * 130)
    assert len(packed([-(2**63), 2**63 - 1] * 64)) < 80  # the steps are 1 and -1


def test_values_that_grow_evenly_take_no_bits() -> None:
    assert packed([1, 2, 3, 4, 5]) == bytes((0x80, 1, 4, 5, 2, 2, 0, 0, 0, 0))
    assert len(packed(list(range(0, 7_000_000, 1_000)))) < 450


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=300))
def test_any_integers(values: list[int]) -> None:
    packed(values)
    packed_int32([value >> 32 for value in values])


@given(st.lists(st.integers(0, 40) | st.just(0), max_size=200), st.integers(0, 50))
def test_any_lengths(lengths: list[int], first: int) -> None:
    texts = [bytes(size) for size in lengths]
    offsets, _ = arrow(texts, before=9)
    first = min(first, len(texts))
    bound = delta_lengths_bound(len(texts) - first)
    raw = written(delta_lengths, bound, offsets, first, len(texts))
    assert read_deltas(raw, 32) == lengths[first:]


def test_lengths_are_those_that_arrow_writes() -> None:
    for size in SIZES[1:]:
        texts = [b"x" * (at * at % 91) for at in range(size)]
        offsets, _ = arrow(texts)
        raw = written(delta_lengths, delta_lengths_bound(size), offsets, 0, size)
        values = pa.array(texts, pa.large_binary())
        assert raw + b"".join(texts) in by_arrow(values, "DELTA_LENGTH_BYTE_ARRAY")
