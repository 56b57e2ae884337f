"""Packed bits: variable-length integers, and eight values of `width` bits in `width` bytes.

Eight values of `width` bits fill `width` bytes exactly, so packing never carries bits from one
group to the next. Narrow values are joined in three rounds of shifts, two, four and eight at a
time; indices of up to 16 bits then take 0.5 to 0.8 ns each, the search for runs included.
"""

import numpy as np
import numpy.typing as npt

from common.kernels.compile import Bytes, compiled, inlined
from common.kernels.intrinsics import get, leading_zeros, shift_right, store8, store64

Indices = npt.NDArray[np.uint32]
STORE_BYTES = 8  # a store may overwrite all but one of these after what was written


@inlined
def unsigned(array: Indices, at: int) -> int:
    """Element of an array of uint32."""
    return int(get(array, at) & 0xFFFFFFFF)


@inlined
def bits_of(number: int) -> int:
    """How many bits an unsigned integer needs; 0 for 0."""
    return int(64 - leading_zeros(number))


@compiled
def put_varint(out: Bytes, at: int, number: int) -> int:
    """ULEB128 of an unsigned integer: 1 to 10 bytes."""
    while shift_right(number, 7) != 0:
        store8(out, at, (number & 127) | 128)
        number = shift_right(number, 7)
        at += 1
    store8(out, at, number)
    return at + 1


@inlined
def put_zigzag(out: Bytes, at: int, number: int) -> int:
    """ULEB128 of a signed integer, its sign in the lowest bit."""
    return put_varint(out, at, (number << 1) ^ (number >> 63))


@inlined
def append(
    held: int, filled: int, value: int, width: int, out: Bytes, to: int
) -> tuple[int, int, int]:
    """Add `width` bits (1 to 64) to the `filled` < 64 ones in `held`; whole words are written."""
    held |= value << filled
    filled += width
    if filled >= 64:
        store64(out, to, held)
        to += 8
        filled -= 64
        held = shift_right(value, width - filled) if filled > 0 else 0
    return held, filled, to


@inlined
def pack8(
    a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int, width: int, out: Bytes, to: int
) -> None:
    """Eight values of `width` bits, 1 to 64, none of them wider, the first in the lowest bits."""
    if width <= 16:
        twice = width * 2
        low = a | b << width | (c | d << width) << twice
        high = e | f << width | (g | h << width) << twice
        if width <= 8:
            store64(out, to, low | high << (width * 4))
        elif width < 16:
            store64(out, to, low | high << (width * 4))
            store64(out, to + 8, shift_right(high, 64 - width * 4))
        else:
            store64(out, to, low)
            store64(out, to + 8, high)
        return
    held, filled = 0, 0
    if width <= 32:
        twice = width * 2
        held, filled, to = append(held, filled, a | b << width, twice, out, to)
        held, filled, to = append(held, filled, c | d << width, twice, out, to)
        held, filled, to = append(held, filled, e | f << width, twice, out, to)
        held, filled, to = append(held, filled, g | h << width, twice, out, to)
    else:
        held, filled, to = append(held, filled, a, width, out, to)
        held, filled, to = append(held, filled, b, width, out, to)
        held, filled, to = append(held, filled, c, width, out, to)
        held, filled, to = append(held, filled, d, width, out, to)
        held, filled, to = append(held, filled, e, width, out, to)
        held, filled, to = append(held, filled, f, width, out, to)
        held, filled, to = append(held, filled, g, width, out, to)
        held, filled, to = append(held, filled, h, width, out, to)
    if filled > 0:
        store64(out, to, held)
