"""Finds the record values that are plain zstd frames, and their content sizes.

Plain: a single frame with its content size and without a dictionary, whose blocks and checksum end
where the value ends. Only such frames are decompressed as one stream: as each ends where the next
one begins, the result is that of one call per value. Only headers are read (10 ns a frame); the
decompressor checks the content. The format is that of RFC 8878.
"""

from common.kernels.compile import Bytes, Int64s, compiled
from common.kernels.intrinsics import byte_at, get, load64, put

_MAGIC = 0xFD2FB528
_FOUR = 0xFFFFFFFF
_RESERVED_OR_DICTIONARY = 0b1011  # a reserved bit, and the size of a dictionary's id
_CHECKSUM = 0b100
_RLE, _RESERVED_BLOCK = 1, 3


@compiled
def _content_size(values: Bytes, at: int, end: int) -> int:
    """The content size of the frame from `at` to `end`; -1: it is not plain.

    Reads up to 16 bytes after `end`.
    """
    if end - at < 6 or load64(values, at) & _FOUR != _MAGIC:
        return -1
    described = byte_at(values, at + 4)
    if described & _RESERVED_OR_DICTIONARY != 0:
        return -1
    at += 5
    wide = described >> 6
    if described & 32 == 0:
        if wide == 0:
            return -1  # without a content size
        at += 1
    size = load64(values, at)
    if wide == 0:
        size &= 0xFF
    elif wide == 1:
        size = (size & 0xFFFF) + 256
    elif wide == 2:
        size &= _FOUR
    at += 1 << wide
    last = 0
    while last == 0:
        if end - at < 3:
            return -1
        block = load64(values, at) & 0xFFFFFF
        last = block & 1
        kind = (block >> 1) & 3
        if kind == _RESERVED_BLOCK:
            return -1
        at += 4 if kind == _RLE else 3 + (block >> 3)
    if described & _CHECKSUM != 0:
        at += 4
    return size if at == end else -1  # a size beyond 63 bits is negative: it is not plain either


@compiled
def measure_frames(values: Bytes, ends: Int64s, sizes: Int64s) -> None:
    """Content sizes of consecutive values; negative: not plain."""
    at = 0
    for index in range(ends.shape[0]):
        end = get(ends, index)
        put(sizes, index, _content_size(values, at, end))
        at = end
