"""Bins of numbers ascend, and there are some, whatever doubles there are."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from query.differences.distribution import Buckets
from query.differences.grid import NumberDistribution
from query.share.states.buckets import bucket_numbers


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
@example([1e-322])
@example([-1e-322, 2e-322])
@example([1.7e308, -1.7e308])
def test_any_numbers_have_bins_that_ascend(numbers: list[float]) -> None:
    buckets = np.unique(bucket_numbers(np.array(numbers)))
    ones = np.ones(len(buckets))
    found = NumberDistribution.of(Buckets(buckets, ones, ones)).grid()
    assert len(found.edges) - 1 == len(found.inside) == len(found.outside)
    assert all(low < high for low, high in zip(found.edges, found.edges[1:], strict=False))
    assert found.inside.sum() == found.outside.sum() == len(buckets)
