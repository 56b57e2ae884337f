"""The fixed logarithmic grid of heatmaps: bins of numbers, in SQL, and their bounds.

Bin SHIFT + k holds the numbers in [2^(k/PER_OCTAVE), 2^((k+1)/PER_OCTAVE)), bin 0 holds zero, and
-(SHIFT + k) the same numbers below zero. What is larger than every double is in a bin beyond. Bins
ascend with their numbers. They are a function of the number alone, so that any split of the rows
over shares gives the same bins; a query role puts neighbours together
(`query.results.calculations.heatmap`).
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from common import limits

Array = npt.NDArray[Any]
PER_OCTAVE: Final = 64  # a bin is 1.1 % wide: readings between 100 and 110 still fill nine bins
SHIFT: Final = 80_000  # k of the smallest double is -68,736, of the largest 65,535
BEYOND: Final = 200_000  # below 2^18 (`query.share.states.lists.NUMBER_BITS`)
_LARGEST: Final = repr(float(np.finfo(np.float64).max))


def bin_sql(number: str, width: int = 1) -> str:
    """SQL INTEGER: the bin of a DOUBLE; NULL if that is NULL or no number.

    width: a power of two: the first of so many bins, which are together one wider bin.
    Most numbers are above zero: they are asked about first. A NaN is more than any to DuckDB.
    """
    per = PER_OCTAVE / width  # exact, as is the product with a power of two
    more = f" * {width}" if width > 1 else ""
    above = f"floor(log2({number}) * {per!r})::INTEGER{more}"
    below = f"floor(log2(-({number})) * {per!r})::INTEGER{more}"
    return (
        f"CASE WHEN {number} > 0 AND {number} <= {_LARGEST} THEN {SHIFT} + {above}"
        f" WHEN {number} = 0 THEN 0"
        f" WHEN {number} < 0 AND {number} >= -{_LARGEST} THEN -{SHIFT} - {below}"
        f" WHEN {number} < 0 THEN -{BEYOND}"
        f" WHEN NOT isnan({number}) THEN {BEYOND} END"
    )


def width_of(bins: Array) -> int:
    """The least power of two of which few wider bins reach from the least to the largest of these.

    It is never less for more bins, and the same if each is the first of a bin of half that width.
    """
    sizes = np.abs(bins)
    plain = (bins != 0) & (sizes != BEYOND)
    single = len(np.unique(bins[~plain]))
    spans = []
    for some in (sizes[plain & (bins > 0)] - SHIFT, sizes[plain & (bins < 0)] - SHIFT):
        if len(some):
            spans.append((int(some.min()), int(some.max())))
    width = 1
    while single + sum(last // width - first // width + 1 for first, last in spans) > (
        limits.HEATMAP_BINS_MAX
    ):
        width *= 2
    return width
