"""Integers as differences: DELTA_BINARY_PACKED, blocks of 128 in four miniblocks of 32.

For each block the smallest difference is written once, for each miniblock the differences less that
one, in as many bits as the largest needs. Smallest and largest are found in loops that the compiler
turns into wide instructions; differences are computed anew each time, which costs less than keeping
them.
The integers to be packed are kept in `out`, after the room of their miniblock.

Arithmetic wraps at the width of the physical type, 64 or 32 bits; so do readers (INT32: also the
lengths of DELTA_LENGTH_BYTE_ARRAY).
"""

import numpy as np
import numpy.typing as npt

from common.kernels.compile import FULL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import get, load64, store8, store32, store64
from segment.parquet.kernel.bits import (
    bits_of,
    pack8,
    put_varint,
    put_zigzag,
)

Halves = npt.NDArray[np.int32]
_BLOCK = 128
_MINIBLOCK = 32
_MINIBLOCKS = 4
_HEADER_BYTES_MAX = 2 + 1 + 10 + 10
_SCRATCH_BYTES = _MINIBLOCK * 8  # after the room of a miniblock, which takes as many at most
_INT64 = 0
_INT32 = 1
_LENGTHS = 2


def _bound(values: int, low_bytes: int, value_bytes: int) -> int:
    blocks = values // _BLOCK + 1
    block_bytes = low_bytes + _MINIBLOCKS + _BLOCK * value_bytes
    return _HEADER_BYTES_MAX + blocks * block_bytes + 2 * _SCRATCH_BYTES


def delta_packed_bound(values: int) -> int:
    """Bytes that `delta_packed` may touch."""
    return _bound(values, 10, 8)


def delta_packed_int32_bound(values: int) -> int:
    """Bytes that `delta_packed_int32` may touch."""
    return _bound(values, 5, 4)


def delta_lengths_bound(texts: int) -> int:
    """Bytes that `delta_lengths` may touch."""
    return delta_packed_int32_bound(texts)


_any_bound = inlined(_bound)


@inlined
def _value(values: Int64s | Halves, index: int, kind: int) -> int:
    if kind == _LENGTHS:
        return int(get(values, index + 1) - get(values, index))
    return int(get(values, index))


@inlined
def _step(values: Int64s | Halves, index: int, kind: int) -> int:
    """The difference of the value at this index from the one before it."""
    step = _value(values, index, kind) - _value(values, index - 1, kind)
    return (step << 32) >> 32 if kind == _INT32 else step


@compiled
def _pack_miniblock(out: Bytes, scratch: int, width: int, to: int) -> None:
    """Pack the 32 integers at `scratch`."""
    for at in range(scratch, scratch + _SCRATCH_BYTES, 64):
        pack8(
            load64(out, at),
            load64(out, at + 8),
            load64(out, at + 16),
            load64(out, at + 24),
            load64(out, at + 32),
            load64(out, at + 40),
            load64(out, at + 48),
            load64(out, at + 56),
            width,
            out,
            to,
        )
        to += width


@inlined
def _packed(values: Int64s | Halves, first: int, end: int, kind: int, out: Bytes, at: int) -> int:
    at = put_varint(out, at, _BLOCK)
    at = put_varint(out, at, _MINIBLOCKS)
    at = put_varint(out, at, max(0, end - first))
    if first >= end:
        return put_zigzag(out, at, 0)
    at = put_zigzag(out, at, _value(values, first, kind))
    index = first + 1
    while index < end:
        block_end = min(index + _BLOCK, end)
        low = _step(values, index, kind)
        for each in range(index + 1, block_end):
            low = min(low, _step(values, each, kind))
        at = put_zigzag(out, at, low)
        widths = at
        store32(out, widths, 0)
        at += _MINIBLOCKS
        while index < block_end:
            last = min(index + _MINIBLOCK, block_end)
            high = low
            for each in range(index, last):
                high = max(high, _step(values, each, kind))
            width = bits_of(high - low)
            store8(out, widths, width)
            widths += 1
            if width > 0:
                scratch = at + _SCRATCH_BYTES
                for each in range(index, last):
                    store64(out, scratch + (each - index) * 8, _step(values, each, kind) - low)
                for each in range(last - index, _MINIBLOCK):
                    store64(out, scratch + each * 8, 0)
                _pack_miniblock(out, scratch, width, at)
                at += width * (_MINIBLOCK // 8)
            index = last
    return at


@compiled
def delta_packed(values: Int64s, first: int, end: int, out: Bytes, at: int) -> int:
    """DELTA_BINARY_PACKED of values first..end-1 for the physical type INT64; end or FULL."""
    if at + _any_bound(end - first, 10, 8) > out.shape[0]:
        return FULL
    return _packed(values, first, end, _INT64, out, at)


@compiled
def delta_packed_int32(values: Halves, first: int, end: int, out: Bytes, at: int) -> int:
    """DELTA_BINARY_PACKED of values first..end-1 for the physical type INT32; end or FULL."""
    if at + _any_bound(end - first, 5, 4) > out.shape[0]:
        return FULL
    return _packed(values, first, end, _INT32, out, at)


@compiled
def delta_lengths(offsets: Int64s, first: int, end: int, out: Bytes, at: int) -> int:
    """The lengths of texts first..end-1, below 2**31, as DELTA_LENGTH_BYTE_ARRAY begins with; the
    texts' bytes follow. End or FULL.
    """
    if at + _any_bound(end - first, 5, 4) > out.shape[0]:
        return FULL
    return _packed(offsets, first, end, _LENGTHS, out, at)
