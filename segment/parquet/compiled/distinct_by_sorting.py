"""Distinct values found by sorting: for columns with too many collisions in the hash table.

Hash seeds are fixed, so a client can choose values that all fall into the same slots. The compiled
encoders then call these functions: the result is the reference's, and costs no more than sorting
for any values.
"""

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from segment.parquet.encoders import Distinct, Indices, Int64s, Texts
from segment.parquet.reference import arrow_texts


def distinct_words_by_sorting(values: Int64s, limit: int) -> Distinct | None:
    """As `Encoders.distinct_words`, for at least one value."""
    order = np.argsort(values)
    ordered = values[order]
    return _distinct(order, ordered[1:] != ordered[:-1], limit)


def distinct_texts_by_sorting(texts: Texts, limit: int) -> Distinct | None:
    """As `Encoders.distinct_texts`, for at least one text."""
    raw = arrow_texts(texts)
    order = pc.array_sort_indices(raw)
    ordered = raw.take(order)
    changes = pc.not_equal(ordered[1:], ordered[:-1])
    return _distinct(
        order.to_numpy().astype(np.int64), changes.to_numpy(zero_copy_only=False), limit
    )


def _distinct(order: Int64s, changes: npt.NDArray[np.bool_], limit: int) -> Distinct | None:
    """order: indexes of the values, equal ones adjacent. changes: where the next value differs."""
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
    if len(starts) > limit:
        return None
    firsts = np.minimum.reduceat(order, starts)
    by_first = np.argsort(firsts)
    index_of = np.empty(len(starts), np.uint32)
    index_of[by_first] = np.arange(len(starts), dtype=np.uint32)
    indices: Indices = np.empty(len(order), np.uint32)
    indices[order] = np.repeat(index_of, np.diff(starts, append=len(order)))
    return Distinct(indices, firsts[by_first].astype(np.uint32))
