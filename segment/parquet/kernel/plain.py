"""Values as they are: texts with their lengths before them, booleans in bits.

Bytes are copied 32 at a time wherever source and target are long enough, whatever a text's length:
what is written after its end is overwritten by the next text.
"""

from common.kernels.compile import FULL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, copy32, get, load64, store8, store32, store64
from segment.parquet.kernel.bits import STORE_BYTES

_STEP = 32
_LENGTH_BYTES = 4


def plain_texts_bound(texts: int, text_bytes: int) -> int:
    """Bytes that `plain_texts` may touch."""
    return texts * _LENGTH_BYTES + text_bytes + _STEP


def plain_bits_bound(values: int) -> int:
    """Bytes that `plain_bits` may touch."""
    return (values + 7) // 8 + STORE_BYTES


_plain_texts_bound = inlined(plain_texts_bound)
_plain_bits_bound = inlined(plain_bits_bound)


@compiled
def _copy_near_end(data: Bytes, at: int, size: int, out: Bytes, to: int) -> None:
    """As `copy_text`, where `data` ends soon."""
    whole = size & -_STEP
    for step in range(0, whole, _STEP):
        copy32(out, to + step, data, at + step)
    for step in range(whole, size):
        store8(out, to + step, byte_at(data, at + step))


@inlined
def copy_text(data: Bytes, at: int, size: int, out: Bytes, to: int) -> None:
    """Copy `size` bytes; up to 32 after them are overwritten too."""
    if at + size + _STEP > data.shape[0]:
        _copy_near_end(data, at, size, out, to)
        return
    copy32(out, to, data, at)
    for step in range(_STEP, size, _STEP):
        copy32(out, to + step, data, at + step)


@compiled
def plain_texts(offsets: Int64s, data: Bytes, first: int, end: int, out: Bytes, at: int) -> int:
    """PLAIN of texts first..end-1: 4 bytes of length, then the text. End of output or FULL."""
    text_end = get(offsets, first)
    size = get(offsets, end) - text_end
    if at + _plain_texts_bound(end - first, size) > out.shape[0]:
        return FULL
    for text in range(first, end):
        begin = text_end
        text_end = get(offsets, text + 1)
        store32(out, at, text_end - begin)
        copy_text(data, begin, text_end - begin, out, at + _LENGTH_BYTES)
        at += _LENGTH_BYTES + text_end - begin
    return at


@compiled
def plain_bits(bits: Bytes, bit_offset: int, first: int, end: int, out: Bytes, at: int) -> int:
    """PLAIN of booleans first..end-1, the first in the lowest bit; unused bits of the last byte are
    0. bits: a bitmap in which value 0 is bit `bit_offset`. End of output or FULL.
    """
    if at + _plain_bits_bound(end - first) > out.shape[0]:
        return FULL
    bit = bit_offset + first
    shift = bit & 7
    byte = bit >> 3
    left = end - first
    while left >= 56 and byte + 8 <= bits.shape[0]:
        store64(out, at, load64(bits, byte) >> shift)  # 7 bytes of it are used
        byte += 7
        at += 7
        left -= 56
    while left > 0:
        held = byte_at(bits, byte) >> shift
        if left > 8 - shift:
            held |= byte_at(bits, byte + 1) << (8 - shift)
        if left < 8:
            held &= (1 << left) - 1
        store8(out, at, held)
        byte += 1
        at += 1
        left -= 8
    return at
