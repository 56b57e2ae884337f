"""Smallest and largest are those of numpy and of bytes, zeros and NaN as the format asks."""

import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segment.parquet.kernel.number_min_max import (
    grown_steps,
    range_of_doubles,
    range_of_ints,
)
from tests.segment.parquet.kernel.oracle import arrow, fixed

DOUBLES = (
    st.floats(allow_nan=False)
    | st.floats()
    | st.sampled_from((0.0, -0.0, math.nan, math.inf, -math.inf))
)
STEM = b"0123456789abcdef" * 5
TEXTS = st.integers(0, 80).map(lambda size: STEM[:size]) | st.binary(max_size=3)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=100))
def test_integers(values: list[int]) -> None:
    array = np.array([-(2**63), *values, 2**63 - 1], np.int64)
    assert range_of_ints(fixed(array), 1, len(array) - 1) == (min(values), max(values))


def test_no_value_has_no_range() -> None:
    low, high = range_of_ints(fixed(np.array([5])), 1, 1)
    assert low > high
    assert range_of_doubles(fixed(np.array([5.0])), 1, 1)[2] == 0


@given(st.lists(DOUBLES, max_size=60))
def test_doubles(values: list[float]) -> None:
    array = np.array([math.inf, *values, -math.inf])
    low, high, found = range_of_doubles(fixed(array), 1, len(array) - 1)
    assert found == (bool(values) and not any(map(math.isnan, values)))
    if found:
        assert (low, high) == (min(values), max(values))
        assert low != 0 or math.copysign(1, low) == -1
        assert high != 0 or math.copysign(1, high) == 1


def test_nan_of_every_kind_leaves_no_range() -> None:
    nans = np.array([0x7FF8 << 48, -0x8 << 48, (0x7FF0 << 48) + 1, -1], np.int64)
    for nan in nans.view(np.float64):
        assert range_of_doubles(fixed(np.array([1.0, nan, 2.0])), 0, 3)[2] == 0
    assert range_of_doubles(fixed(np.array([math.inf, 1, -math.inf])), 0, 3)[2] == 1


@given(st.lists(TEXTS, min_size=1, max_size=30), st.integers(0, 40), st.data())
def test_steps_that_grow(texts: list[bytes], before: int, draw: st.DataObject) -> None:
    places = draw.draw(st.lists(st.integers(0, len(texts) - 1), max_size=20))
    offsets, data = arrow(texts, before)
    wanted = sum(texts[one] < texts[other] for one, other in pairwise(places))
    assert grown_steps(offsets, data, fixed(np.array(places, np.int64))) == wanted
