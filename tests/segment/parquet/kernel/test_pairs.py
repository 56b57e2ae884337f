"""Texts put together from two are those that slicing and adding gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segment.parquet.kernel.pairs import paired_offsets, paired_texts, paired_texts_bound
from tests.segment.parquet.kernel.oracle import arrow, fixed, written

TEXTS = st.lists(st.binary(max_size=5) | st.integers(0, 100).map(bytes), min_size=1, max_size=9)
PLACES = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=30)


@given(TEXTS, TEXTS, PLACES, st.integers(0, 40))
def test_any_texts(
    left: list[bytes], right: list[bytes], places: list[tuple[int, int]], before: int
) -> None:
    pairs = [(at % len(left), other % len(right)) for at, other in places]
    left_at, right_at = (
        fixed(np.array([pair[side] for pair in pairs], np.uint32)) for side in (0, 1)
    )
    (left_offsets, left_data), (right_offsets, right_data) = arrow(left, before), arrow(right)
    offsets = np.empty(len(pairs) + 1, np.int64)
    size = paired_offsets(left_offsets, left_at, right_offsets, right_at, offsets)
    wanted = [left[at] + right[other] for at, other in pairs]
    assert offsets.tolist() == np.cumsum([0, *map(len, wanted)]).tolist()
    sources = left_offsets, left_data, left_at, right_offsets, right_data, right_at, size
    assert written(paired_texts, paired_texts_bound(size), *sources) == b"".join(wanted)
