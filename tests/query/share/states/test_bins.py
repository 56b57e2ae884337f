"""Bins of heatmaps hold what their bounds say, for every double."""

import math

import duckdb
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from query.results.calculations.heatmap import Heat
from query.share.states.heatmap import BEYOND, SHIFT, bin_sql, width_of

CONNECTION = duckdb.connect(config={"threads": 1})
LARGEST = float(np.finfo(np.float64).max)
POWERS = [2.0**k for k in (-1074, -1022, -1, 0, 1, 52, 53, 63, 1023)]


def heat_of(numbers: list[float | None], width: int | None = None) -> Heat:
    """All as one cell."""
    CONNECTION.register("n", pa.table({"v": pa.array(numbers, pa.float64())}))
    found = CONNECTION.sql(f"SELECT {bin_sql('v')} AS b FROM n").fetchall()
    bins = np.array([b for (b,) in found if b is not None], np.int64)
    return Heat.of((np.zeros(len(bins), np.int64), bins, np.ones(len(bins), np.int64)), 1, width)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False)
        | st.sampled_from([0.0, -0.0, *POWERS, *(-p for p in POWERS), LARGEST, -LARGEST]),
        min_size=1,
        max_size=30,
    )
)
def test_every_number_lies_in_its_bin(numbers: list[float]) -> None:
    [bins] = heat_of(list(numbers)).shown(np.zeros(1, np.int64))
    assert sum(one["count"] for one in bins) == len(numbers)
    assert len(bins) <= 50
    for number in numbers:
        near = [one for one in bins if _may_hold(number, one["low"], one["high"])]
        assert near, number


def _may_hold(number: float, low: float | None, high: float | None) -> bool:
    """A logarithm is off by a bit, so a number beside a bound may be on its other side."""
    assert low is not None
    assert high is not None
    off = abs(number) * 1e-12
    return low - off <= number <= high + off


def test_powers_of_two_begin_bins_and_what_is_no_number_is_in_none() -> None:
    for power in POWERS[2:]:
        [[above]], [[below]] = (
            heat_of([one]).shown(np.zeros(1, np.int64)) for one in (power, -power)
        )
        assert above["low"] == power
        assert below["high"] == -power
    [bins] = heat_of([None, math.nan, math.inf, -math.inf, 1.0]).shown(np.zeros(1, np.int64))
    assert [(one["low"], one["count"]) for one in bins] == [(None, 1), (1, 1), (LARGEST, 1)]
    assert bins[-1]["high"] is None


def test_wider_bins_are_made_of_whole_narrower_ones() -> None:
    dice = np.random.default_rng(5)
    numbers = [float(one) for one in dice.lognormal(0, 6, 500) * dice.choice([-1, 1], 500)]
    narrow, wide = heat_of(list(numbers), 4), heat_of(list(numbers), 64)
    [some], [others] = (one.shown(np.zeros(1, np.int64)) for one in (narrow, wide))
    for whole in others:
        low, high = whole["low"], whole["high"]
        assert low is not None
        assert high is not None
        inside = [o for o in some if o["low"] is not None and low <= o["low"] < high]
        assert sum(one["count"] for one in inside) == whole["count"]


def test_a_narrow_range_still_fills_many_bins() -> None:
    [bins] = heat_of([100 + at / 100 for at in range(1_000)]).shown(np.zeros(1, np.int64))
    assert 8 < len(bins) <= 50


NUMBERS = st.one_of(
    st.integers(-70_000, 65_535), st.integers(-70_000, 65_535), st.integers(300, 700)
).map(lambda k: SHIFT + k)
BINS = st.one_of(NUMBERS, NUMBERS.map(lambda n: -n), st.sampled_from([0, BEYOND, -BEYOND]))


@settings(deadline=None)
@given(st.lists(BINS, min_size=1, max_size=40), st.integers(1, 40))
def test_bins_that_some_rows_tell_are_never_wider_than_those_of_the_answer(
    bins: list[int], some: int
) -> None:
    """So a share may group by them, whichever rows it looks at first."""
    every = np.array(bins)
    width = max(1, width_of(every[:some]) // 2)
    sizes = np.abs(every)
    first = np.sign(every) * (SHIFT + (sizes - SHIFT) // width * width)
    grouped = np.where((every == 0) | (sizes == BEYOND), every, first)
    assert width_of(grouped) == width_of(every)
