"""Logarithmic buckets of numbers, in which percentiles are counted; in SQL and in Arrow alike.

A bucket holds the values in (GAMMA^(k-1), GAMMA^k], so its middle is within QUANTILE_RELATIVE_ERROR
of each (the mapping of DDSketch: Masson, Rim, Lee, VLDB 2019). Numbers of buckets ascend with their
values: SHIFT + k for values above zero, 0 for zero, -(SHIFT + k) below. They are a function of the
value alone, so that any split of the rows over shares gives the same buckets.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from common import limits

Array = npt.NDArray[Any]
GAMMA: Final = (1 + limits.QUANTILE_RELATIVE_ERROR) / (1 - limits.QUANTILE_RELATIVE_ERROR)
SHIFT: Final = 100_000  # k of the smallest double is -74,444
NUMBER_BITS: Final = 19  # numbers are within -2^18 and 2^18
_PER_E: Final = 1 / math.log(GAMMA)  # buckets in a factor of e
_LARGEST: Final = float(np.finfo(np.float64).max)


def bucket_sql(number: str) -> str:
    """SQL INTEGER: the number of the bucket of a DOUBLE; NULL if that is NULL."""
    return (
        f"CASE WHEN {number} > 0 THEN (ceil(ln({number}) * {_PER_E!r}))::INTEGER + {SHIFT}"
        f" WHEN {number} < 0 THEN -{SHIFT} - (ceil(ln(-({number})) * {_PER_E!r}))::INTEGER"
        f" WHEN {number} = 0 THEN 0 END"
    )


def bucket_numbers(values: Array) -> Array:
    """As `bucket_sql`: int32 numbers of the buckets of finite doubles.

    Arrow and DuckDB both take the logarithm of the C library; that of numpy may differ by a bit.
    """
    sizes = np.abs(values)
    logarithms = pc.ln(pa.array(np.where(sizes == 0, 1.0, sizes))).to_numpy()
    k = np.ceil(logarithms * _PER_E).astype(np.int32) + np.int32(SHIFT)
    numbers: Array = np.sign(values).astype(np.int32) * k
    return numbers


def bucket_middles(numbers: Array) -> Array:
    """The double that stands for each bucket."""
    k = np.abs(numbers).astype(np.float64) - SHIFT
    with np.errstate(over="ignore", under="ignore"):
        below = np.power(GAMMA, np.clip(k - 1, -80_000, 80_000))
        middles = np.minimum(below * (2 * GAMMA / (GAMMA + 1)), _LARGEST)
    tiny = below == 0  # the lower end is smaller than any double: the bucket of the smallest one
    middles = np.where(tiny, 5e-324, middles)
    signed: Array = np.where(numbers == 0, 0.0, np.sign(numbers) * middles)
    return signed
