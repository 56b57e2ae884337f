"""Numbers of both sides on a common grid, their medians and spreads."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from query.differences.distribution import Buckets
from query.share.states.buckets import bucket_middles

Array = npt.NDArray[np.float64]
_BINS: Final = 20
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_WIDTH_LEAST: Final = 1e-300  # of a bin: powers of ten much below are no doubles
_LOGARITHMIC: Final = 100.0  # ratio of the largest to the smallest number from which bins grow
_POWER_MOST: Final = 308.25  # of ten, that a double holds
_TAIL: Final = 0.001  # of either side's numbers beyond the first and the last edge


@dataclass(frozen=True, slots=True)
class NumberSide:
    """Quartiles of one side; None where it has no number."""

    median: float | None
    p25: float | None
    p75: float | None


@dataclass(frozen=True, slots=True)
class Grid:
    """edges: ascending; bins lie between them, the first and the last hold what is beyond, too.

    inside, outside: weight per bin.
    """

    edges: list[float]
    inside: Array
    outside: Array


@dataclass(frozen=True, slots=True, repr=False)
class NumberDistribution:
    """Ascending numbers with their weights on either side."""

    numbers: Array
    inside: Array
    outside: Array

    @classmethod
    def of(cls, buckets: Buckets) -> "NumberDistribution":
        """From buckets (`query.share.states.buckets`)."""
        return cls(bucket_middles(buckets.numbers), buckets.inside, buckets.outside)

    def sides(self) -> tuple[NumberSide, NumberSide]:
        """The quartiles inside and outside."""
        return self._side(self.inside), self._side(self.outside)

    def _side(self, weights: Array) -> NumberSide:
        return NumberSide(*(_quantile(self.numbers, weights, q) for q in (0.5, 0.25, 0.75)))

    def grid(self) -> Grid:
        """Both sides in the same bins."""
        low, high = self._extent()
        edges = _edges(low, high)
        places = np.searchsorted(edges[1:-1], self.numbers, side="right")
        bins = len(edges) - 1
        return Grid(
            edges,
            np.bincount(places, self.inside, bins).astype(np.float64),
            np.bincount(places, self.outside, bins).astype(np.float64),
        )

    def _extent(self) -> tuple[float, float]:
        """The numbers between which all but the outliers of both sides are."""
        found = [
            (_quantile(self.numbers, side, _TAIL), _quantile(self.numbers, side, 1 - _TAIL))
            for side in (self.inside, self.outside)
        ]
        lows = [low for low, _ in found if low is not None]
        highs = [high for _, high in found if high is not None]
        return min(lows, default=0.0), max(highs, default=0.0)


def _quantile(numbers: Array, weights: Array, part: float) -> float | None:
    up = np.cumsum(weights)
    if not len(up) or up[-1] <= 0:
        return None
    return float(numbers[min(len(up) - 1, int(np.searchsorted(up, part * up[-1])))])


def _edges(low: float, high: float) -> list[float]:
    """Round numbers that divide what lies between two numbers into at most 20 bins."""
    if low > 0 and high / low >= _LOGARITHMIC:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        per_ten = next((n for n in (4, 2, 1) if (last - first) * n <= _BINS), 1)
        powers = (first + at / per_ten for at in range((last - first) * per_ten + 1))
        edges = sorted({10.0 ** min(power, _POWER_MOST) for power in powers})
        each = -(-(len(edges) - 1) // _BINS)
        edges = edges[::each] + ([edges[-1]] if (len(edges) - 1) % each else [])
        return _within(edges, low, high)
    width = (high - low) / _BINS or abs(high) / _BINS or 1.0
    if not math.isfinite(width):
        return [low, 0.0, high]
    width = max(width, _WIDTH_LEAST)
    unit = 10.0 ** math.floor(math.log10(width))
    step = next(unit * one for one in _STEPS if unit * one >= width * (1 - 1e-9))
    begin = math.floor(low / step)
    bins = max(1, math.ceil(high / step - 1e-9) - begin)
    return [float(f"{(begin + at) * step:.12g}") for at in range(bins + 1)]


def _within(edges: Sequence[float], low: float, high: float) -> list[float]:
    """Without the bins that lie beyond; with at least one bin."""
    first = max(0, int(np.searchsorted(edges, low, side="right")) - 1)
    last = min(len(edges) - 1, int(np.searchsorted(edges, high, side="left")))
    return [float(f"{edge:.4g}") for edge in edges[first : max(last, first + 1) + 1]]
