"""Numbers of distinct values from the smallest hashes of each cell (k minimum values)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from common import limits

Array = npt.NDArray[Any]
_HASH_SPAN = 2.0**64


@dataclass(frozen=True, slots=True)
class Hashes:
    """Hashes in order of cell and hash, each once per cell; at least the smallest of each cell.

    The smallest of all rows of a cell are among the smallest of its shares, so that merging loses
    nothing.
    """

    rows: Array
    hashes: Array
    cells: int

    @classmethod
    def of(cls, rows: Array, hashes: Array, cells: int, *, ordered: bool = False) -> "Hashes":
        """rows: the cell of each hash. ordered: whether they are in order and each once."""
        if not ordered and len(rows):
            order = np.argsort(hashes) if cells == 1 else np.lexsort((hashes, rows))
            rows, hashes = rows[order], hashes[order]
            first = np.ones(len(rows), np.bool_)
            first[1:] = (rows[1:] != rows[:-1]) | (hashes[1:] != hashes[:-1])
            rows, hashes = rows[first], hashes[first]
        return cls(rows, hashes, cells)

    def counts(self) -> Array:
        """int64 by cell: exact below DISTINCT_EXACT_MAX values, an estimate beyond."""
        size = limits.DISTINCT_EXACT_MAX
        counts = np.bincount(self.rows, minlength=self.cells).astype(np.int64)
        many = np.flatnonzero(counts >= size)
        if len(many):
            last = (np.cumsum(counts) - counts)[many] + size - 1
            largest = self.hashes[last].astype(np.float64)
            counts[many] = np.rint((size - 1) * _HASH_SPAN / largest).astype(np.int64)
        return counts

    def regrouped(self, ids: Array, cells: int) -> "Hashes":
        """Those of cells put together. ids: the new cell of each cell; -1: none."""
        rows = ids[self.rows]
        return Hashes.of(rows[rows >= 0], self.hashes[rows >= 0], cells)
