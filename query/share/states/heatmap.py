"""The fixed logarithmic grid of heatmaps: bins of numbers, in SQL, and their bounds.

Bin SHIFT + k holds the numbers in [2^(k/PER_OCTAVE), 2^((k+1)/PER_OCTAVE)), bin 0 holds zero, and
-(SHIFT + k) the same numbers below zero. What is larger than every double is in a bin beyond. Bins
ascend with their numbers. They are a function of the number alone, so that any split of the rows
over shares gives the same bins; a query role puts neighbours together (`query.results.heatmap`).
"""

from typing import Final

import numpy as np

PER_OCTAVE: Final = 64  # a bin is 1.1 % wide: readings between 100 and 110 still fill nine bins
SHIFT: Final = 80_000  # k of the smallest double is -68,736, of the largest 65,535
BEYOND: Final = 200_000  # below 2^18 (`query.share.states.lists.NUMBER_BITS`)
_LARGEST: Final = repr(float(np.finfo(np.float64).max))


def bin_sql(number: str) -> str:
    """SQL INTEGER: the bin of a DOUBLE; NULL if that is NULL or no number.

    Most numbers are above zero: they are asked about first. A NaN is more than any to DuckDB.
    """
    above = f"floor(log2({number}) * {PER_OCTAVE})::INTEGER"
    below = f"floor(log2(-({number})) * {PER_OCTAVE})::INTEGER"
    return (
        f"CASE WHEN {number} > 0 AND {number} <= {_LARGEST} THEN {SHIFT} + {above}"
        f" WHEN {number} = 0 THEN 0"
        f" WHEN {number} < 0 AND {number} >= -{_LARGEST} THEN -{SHIFT} - {below}"
        f" WHEN {number} < 0 THEN -{BEYOND}"
        f" WHEN NOT isnan({number}) THEN {BEYOND} END"
    )
