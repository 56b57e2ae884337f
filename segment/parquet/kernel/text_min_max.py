"""The first smallest and the first largest of texts, byte by byte.

Each is compared with the best so far by its first 8 bytes, as one big-endian number; only where
those are equal are the texts compared as a whole.
"""

from common.kernels.compile import Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, get, load64, shift_right
from segment.parquet.kernel.number_min_max import less

_SIGN = -(1 << 63)


@inlined
def _swapped(word: int) -> int:
    """Bytes in the opposite order."""
    word = (word & 0x00FF00FF00FF00FF) << 8 | shift_right(word, 8) & 0x00FF00FF00FF00FF
    word = (word & 0x0000FFFF0000FFFF) << 16 | shift_right(word, 16) & 0x0000FFFF0000FFFF
    return int(word << 32 | shift_right(word, 32))


@compiled
def _head_near_end(data: Bytes, at: int, size: int) -> int:
    word = 0
    for byte in range(min(size, 8)):
        word |= byte_at(data, at + byte) << (56 - 8 * byte)
    return word


@inlined
def _head(data: Bytes, at: int, size: int) -> int:
    """The first 8 bytes as a number with the same order; a shorter text is padded with zeros."""
    if at + 8 > data.shape[0]:
        return _head_near_end(data, at, size) ^ _SIGN
    word = _swapped(load64(data, at))
    if size < 8:
        word = word & -(1 << (64 - 8 * size)) if size > 0 else 0
    return word ^ _SIGN


@compiled
def range_of_texts(offsets: Int64s, data: Bytes) -> tuple[int, int]:
    """(smallest, largest): indexes of their first appearance. For at least one text."""
    lowest = highest = 0
    end = get(offsets, 1)
    low = high = _head(data, get(offsets, 0), end - get(offsets, 0))
    for text in range(1, offsets.shape[0] - 1):
        at = end
        end = get(offsets, text + 1)
        head = _head(data, at, end - at)
        if head < low or (head == low and less(offsets, data, text, lowest)):
            low, lowest = head, text
        if head > high or (head == high and less(offsets, data, highest, text)):
            high, highest = head, text
    return lowest, highest
