"""Columns of lists as flat arrays with the row of each element, and back."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from query.share.states.buckets import NUMBER_BITS

Array = npt.NDArray[Any]


def flat(column: pa.ChunkedArray) -> tuple[Array, Array]:
    """(row of each element, the elements); a missing list has none."""
    joined = column.combine_chunks()
    if isinstance(joined, pa.ChunkedArray):  # too large for one, or without chunks
        joined = pa.concat_arrays(joined.chunks) if joined.chunks else pa.array([], column.type)
    rows = pc.list_parent_indices(joined).to_numpy().astype(np.int64)
    return rows, pc.list_flatten(joined).to_numpy()


def lists_of(rows: Array, elements: Array, count: int) -> pa.Array:
    """A list for each of `count` rows. rows: the row of each element, ascending."""
    bounds = np.searchsorted(rows, np.arange(count + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(bounds), pa.array(elements))


def merged_weights(rows: Array, numbers: Array, weights: Array) -> tuple[Array, Array, Array]:
    """The same elements ordered by row and number, each number once per row with its weight.

    rows: below 2^40. numbers: doubles, or numbers of buckets.
    """
    if not len(rows):
        return rows, numbers, weights
    if numbers.dtype.kind == "f":
        order = np.lexsort((numbers, rows))
    else:  # buckets: one key is sorted six times as fast as two
        order = np.argsort((rows << NUMBER_BITS) + numbers)
    rows, numbers, weights = rows[order], numbers[order], weights[order]
    first = np.empty(len(rows), np.bool_)
    first[0] = True
    first[1:] = (rows[1:] != rows[:-1]) | (numbers[1:] != numbers[:-1])
    starts = np.flatnonzero(first)
    return rows[starts], numbers[starts], np.add.reduceat(weights, starts)
