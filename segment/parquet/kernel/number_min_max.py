"""Smallest and largest numbers, and whether texts grow from one to the next.

Loops without branches per value, which the compiler turns into wide instructions. Doubles are
compared as integers: with the lower 63 bits of negative ones inverted their bits are in order,
infinities at the ends and NaNs beyond them.
"""

import numpy as np
import numpy.typing as npt

from common.kernels.compile import Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import (
    as_double,
    byte_at,
    differing,
    get,
    shift_right,
    trailing_zeros,
)

Doubles = npt.NDArray[np.float64]
_LARGEST = (1 << 63) - 1
_SMALLEST = -_LARGEST - 1
_INFINITY = 0x7FF0000000000000
_MINUS_INFINITY = ~_INFINITY  # in order
_STEP = 32


@compiled
def range_of_ints(values: Int64s, first: int, end: int) -> tuple[int, int]:
    """(smallest, largest) of values first..end-1; the first is larger if there are none."""
    low, high = _LARGEST, _SMALLEST
    for index in range(first, end):
        value = get(values, index)
        low = min(low, value)
        high = max(high, value)
    return low, high


@inlined
def _in_order(bits: int) -> int:
    return int(bits ^ shift_right(bits >> 63, 1))


@compiled
def range_of_doubles(values: Doubles, first: int, end: int) -> tuple[float, float, int]:
    """(smallest, largest, 1) of values first..end-1; the last is 0 if there are none or one is NaN.

    A smallest zero is -0.0 and a largest one 0.0, as Parquet's format requires: readers that
    distinguish the two and readers that do not then find both.
    """
    low, high = _LARGEST, _SMALLEST
    for index in range(first, end):
        key = _in_order(get(values, index))
        low = min(low, key)
        high = max(high, key)
    if low < _MINUS_INFINITY or high > _INFINITY or first >= end:
        return 0.0, 0.0, 0
    low = -1 if low == 0 else low  # -1 is -0.0 in order
    high = 0 if high == -1 else high
    return as_double(_in_order(low)), as_double(_in_order(high)), 1


@compiled
def less(offsets: Int64s, data: Bytes, left: int, right: int) -> bool:
    """Whether text `left` sorts before text `right`, byte by byte."""
    i, i_end = get(offsets, left), get(offsets, left + 1)
    j, j_end = get(offsets, right), get(offsets, right + 1)
    size = min(i_end - i, j_end - j)
    at = 0
    while at < size:
        if max(i, j) + at + _STEP <= data.shape[0]:
            found = differing(data, i + at, data, j + at)
            if found != 0:
                at += trailing_zeros(found)
                break
            at += _STEP
        elif byte_at(data, i + at) == byte_at(data, j + at):
            at += 1
        else:
            break
    if at < size:
        return bool(byte_at(data, i + at) < byte_at(data, j + at))
    return bool(i_end - i < j_end - j)


@compiled
def grown_steps(offsets: Int64s, data: Bytes, at: Int64s) -> int:
    """How many of the texts at these indexes sort before the text at the next one, byte by byte."""
    grown = 0
    for step in range(1, at.shape[0]):
        if less(offsets, data, get(at, step - 1), get(at, step)):
            grown += 1
    return grown
