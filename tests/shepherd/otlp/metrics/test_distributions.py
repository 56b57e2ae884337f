"""Buckets of histograms as JSON, and the quantiles estimated from them."""

import math
from random import Random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shepherd.otlp.metrics.distributions import (
    PERCENTILES,
    Buckets,
    Explicit,
    Exponential,
    Side,
    as_json,
    is_empty,
    is_finite,
    percentiles,
    quantile_suffix,
)


def test_buckets_can_be_added_and_subtracted_from_their_json() -> None:
    assert orjson.loads(as_json(Explicit((0.5, 10.0), (1, 2, 2**64 - 1)))) == {
        "bounds": [0.5, 10.0],
        "counts": [1, 2, 2**64 - 1],
    }
    found = Exponential(-3, 0.25, 7, Side(-2, (1, 0, 4)), Side(5, (9,)))
    assert orjson.loads(as_json(found)) == {
        "scale": -3,
        "zero_threshold": 0.25,
        "zero_count": 7,
        "positive": {"offset": -2, "counts": [1, 0, 4]},
        "negative": {"offset": 5, "counts": [9]},
    }


def test_a_histogram_without_buckets_is_empty_and_one_with_infinite_bounds_is_no_json() -> None:
    assert is_empty(Explicit())
    assert is_empty(Exponential(scale=3))
    assert not is_empty(Explicit((), (4,)))
    assert not is_empty(Exponential(zero_count=1))
    assert is_finite(Explicit((1.0,), (1, 2)))
    assert not is_finite(Explicit((1.0, math.inf), (1, 2, 3)))
    assert not is_finite(Exponential(zero_threshold=math.nan))


def test_quantiles_lie_evenly_within_their_bucket() -> None:
    found = dict(percentiles(Explicit((10.0, 20.0), (50, 50, 0)), None, None))
    assert found["p50"] == pytest.approx(10.0)
    assert found["p25"] == pytest.approx(5.0)
    assert found["p75"] == pytest.approx(15.0)
    assert found["p99"] == pytest.approx(19.8)
    assert list(found) == [suffix for suffix, _ in PERCENTILES]


def test_known_extremes_bound_the_outer_buckets() -> None:
    buckets = Explicit((10.0, 20.0), (1, 0, 1))
    unknown = dict(percentiles(buckets, None, None))
    assert (unknown["p001"], unknown["p999"]) == (pytest.approx(0.02), 20.0)
    known = dict(percentiles(buckets, 8.0, 50.0))
    assert known["p001"] == pytest.approx(8.004)
    assert known["p999"] == pytest.approx(49.94)
    below = dict(percentiles(Explicit((-5.0,), (3, 0)), None, None))
    assert set(below.values()) == {-5.0}
    single = dict(percentiles(Explicit((), (4,)), 1.0, 3.0))
    assert single["p50"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    "buckets",
    [
        Explicit(),
        Explicit((1.0,), (0, 0)),
        Explicit((), (4,)),  # nothing is known of its values
        Explicit((1.0,), (1, 2, 3)),
        Explicit((2.0, 1.0), (1, 2, 3)),
        Explicit((1.0, 1.0), (1, 2, 3)),
        Exponential(),
    ],
)
def test_buckets_without_values_or_that_contradict_themselves_have_no_quantiles(
    buckets: Buckets,
) -> None:
    assert percentiles(buckets, None, None) == []


def test_quantiles_of_an_exponential_histogram_are_near_those_of_its_values() -> None:
    random, scale = Random(5), 5
    base = 2 ** (2**-scale)
    values = sorted(random.lognormvariate(3, 2) * random.choice((1, 1, 1, -1)) for _ in range(5000))
    sides: dict[bool, dict[int, int]] = {True: {}, False: {}}
    for value in values:
        index = math.ceil(math.log(abs(value), base)) - 1
        side = sides[value > 0]
        side[index] = side.get(index, 0) + 1

    def side_of(counts: dict[int, int]) -> Side:
        low = min(counts)
        return Side(low, [counts.get(index, 0) for index in range(low, max(counts) + 1)])

    buckets = Exponential(scale, 0.0, 0, side_of(sides[True]), side_of(sides[False]))
    for suffix, found in percentiles(buckets, values[0], values[-1]):
        share = dict(PERCENTILES)[suffix]
        exact = values[min(math.ceil(share * len(values)), len(values)) - 1]
        assert found == pytest.approx(exact, rel=base - 1 + 0.01), suffix


@given(
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.lists(st.integers(0, 2**64 - 1), max_size=5),
)
def test_no_scale_or_offset_breaks_the_estimate(scale: int, offset: int, counts: list[int]) -> None:
    side = Side(offset, counts)
    for _, value in percentiles(Exponential(scale, 0.0, 3, side, side), None, None):
        assert math.isfinite(value)


@pytest.mark.parametrize(
    ("share", "suffix"),
    [
        *((0.0, "min"), (1.0, "max"), (0.5, "p50"), (0.25, "p25"), (0.05, "p05"), (0.1, "p10")),
        *((0.99, "p99"), (0.999, "p999"), (0.9999, "p9999"), (0.001, "p001"), (0.95, "p95")),
        *((1.5, None), (-0.1, None), (math.nan, None), (1e-12, None), (1 - 1e-12, None)),
    ],
)
def test_a_quantile_of_a_summary_has_the_suffix_that_questions_use(
    share: float, suffix: str | None
) -> None:
    assert quantile_suffix(share) == suffix
