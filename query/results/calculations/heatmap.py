"""Heatmaps: the bins of shares, put together until there are few, and how they are shown.

The width of a bin follows from the smallest and the largest number of all cells alone. Widths are
powers of two, so that the bins of a wider one are made of whole bins of a narrower one, and that
more events seldom move the bins of an answer that is asked for again and again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from common import limits
from common.errors import Unprocessable
from query.results.rows.json_rows import json_texts_of
from query.share.states.heatmap import BEYOND, PER_OCTAVE, SHIFT, width_of
from query.share.states.lists import merged_weights

Array = npt.NDArray[Any]
_LARGEST = float(np.finfo(np.float64).max)


class Bin(TypedDict):
    """Part of a heatmap. low, high: of zeros both 0; None: beyond every double."""

    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Heat:
    """Bins in order of cell and number, each once per cell. width: how many bins of the grid."""

    rows: Array
    bins: Array
    weights: Array
    width: int
    cells: int

    @classmethod
    def of(cls, states: Sequence[Array], cells: int, width: int | None = None) -> "Heat":
        """Bins of the grid become bins of this width; None: of one that shows all of them well.

        states: (cells, bins of the grid, weights), in any order.
        """
        rows, bins, weights = states
        bins = bins.astype(np.int64)
        width = width or width_of(bins)
        merged = merged_weights(rows, _wider(bins, width), weights)
        return cls(*merged, width, cells)

    def regrouped(self, ids: Array, cells: int) -> "Heat":
        """Those of cells put together. ids: the new cell of each cell; -1: none."""
        rows = ids[self.rows]
        kept = rows >= 0
        merged = merged_weights(rows[kept], self.bins[kept], self.weights[kept])
        return Heat(*merged, self.width, cells)

    def counts(self) -> Array:
        """int64 by cell: the weights of all bins together."""
        counts = np.zeros(self.cells, np.int64)
        np.add.at(counts, self.rows, self.weights)
        return counts

    def bins_of(self, cells: Array) -> int:
        """How many bins these cells have together."""
        sizes = np.bincount(self.rows, minlength=self.cells)
        return int(sizes[cells].sum())

    def shown(self, cells: Array) -> list[list[Bin]]:
        """The bins of these cells that have events, ascending."""
        firsts = np.searchsorted(self.rows, cells).tolist()
        ends = np.searchsorted(self.rows, cells, "right").tolist()
        bounds = {int(one): self._bounds(int(one)) for one in np.unique(self.bins)}
        bins, weights = self.bins.tolist(), self.weights.tolist()
        return [
            [
                Bin(low=bounds[bins[at]][0], high=bounds[bins[at]][1], count=weights[at])
                for at in range(first, end)
            ]
            for first, end in zip(firsts, ends, strict=True)
        ]

    def json(self, cells: Array) -> pa.Array:
        """As `shown`, a column of texts."""
        return json_texts_of([msgspec.json.encode(one) for one in self.shown(cells)])

    def _bounds(self, number: int) -> tuple[float | None, float | None]:
        if not number:
            return 0.0, 0.0
        size = abs(number)
        low: float | None = _LARGEST
        high: float | None = None
        if size != BEYOND:
            low, high = (_power((size - SHIFT + more) * self.width) for more in (0, 1))
        if number > 0:
            return low, high
        return None if high is None else -high, None if low is None else -low


def _power(bins: int) -> float:
    with np.errstate(over="ignore", under="ignore"):
        return min(float(np.exp2(bins / PER_OCTAVE)), _LARGEST)


def _wider(bins: Array, width: int) -> Array:
    sizes = np.abs(bins)
    wider = np.sign(bins) * (SHIFT + (sizes - SHIFT) // width)
    kept: Array = np.where((bins == 0) | (sizes == BEYOND), bins, wider)
    return kept


def check_bins(heats: Iterable[Heat], cells: Array) -> None:
    """Raises Unprocessable if an answer cannot show so many bins."""
    bins = sum(one.bins_of(cells) for one in heats)
    if bins > limits.HEATMAP_SHOWN_BINS_MAX:
        most = limits.HEATMAP_SHOWN_BINS_MAX
        raise Unprocessable(
            f"the heatmaps of {len(cells):,} groups and steps have {bins:,} bins, more than the "
            f"{most:,} that an answer shows: a lower limit, or longer steps"
        )


def no_heat(cells: int) -> Heat:
    """Of cells without a number."""
    none = np.zeros(0, np.int64)
    return Heat(none, none, none, 1, cells)
