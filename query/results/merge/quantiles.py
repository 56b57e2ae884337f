"""Percentiles from numbers with weights: exact where they are few, from buckets beyond.

They are exact if all cells together have at most QUANTILE_EXACT_PAIRS_MAX pairs of a cell and a
number; this follows from the merged state. Beyond, every number is replaced by its bucket.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from common import limits
from query.share.states.buckets import bucket_middles, bucket_numbers
from query.share.states.lists import merged_weights

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers (or numbers of buckets) in order of cell and number, each once per cell."""

    rows: Array
    numbers: Array
    weights: Array
    in_buckets: bool
    cells: int

    def at(self, per_mille: int) -> tuple[Array, Array]:
        """By cell (the percentile, whether the cell has a number).

        The smallest number whose cumulated weight reaches per_mille of the cell's weight.
        """
        sizes = np.bincount(self.rows, minlength=self.cells)
        held = sizes > 0
        values = np.zeros(self.cells)
        if not held.any():
            return values, held
        cumulated = np.cumsum(self.weights)
        ends = np.cumsum(sizes)[held] - 1
        upto = cumulated[ends]
        before = np.concatenate([np.zeros(1, upto.dtype), upto[:-1]])
        total = upto - before
        # per_mille * total may exceed 64 bits
        wanted = total // 1000 * per_mille + -(-(total % 1000 * per_mille) // 1000)
        found = self.numbers[np.searchsorted(cumulated, before + wanted)]
        values[held] = bucket_middles(found) if self.in_buckets else found
        return values, held

    def regrouped(self, ids: Array, cells: int) -> "Numbers":
        """Those of cells put together. ids: the new cell of each cell; -1: none."""
        rows = ids[self.rows]
        kept = rows >= 0
        merged = merged_weights(rows[kept], self.numbers[kept], self.weights[kept])
        return Numbers(*merged, self.in_buckets, cells)


def numbers_of(exact: Sequence[Array], bucketed: Sequence[Array], cells: int) -> Numbers:
    """Merge (cells, numbers, weights), and the same with numbers of buckets; either may be ()."""
    if exact and not bucketed:
        merged = merged_weights(*exact)
        if len(merged[0]) <= limits.QUANTILE_EXACT_PAIRS_MAX:
            return Numbers(*merged, False, cells)
        exact = merged
    parts = [bucketed] if bucketed else []
    if exact:
        parts.append((exact[0], bucket_numbers(exact[1]), exact[2]))
    rows, numbers, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Numbers(*merged_weights(rows, numbers.astype(np.int64), weights), True, cells)
