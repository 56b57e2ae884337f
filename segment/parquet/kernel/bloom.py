"""Parquet's split block bloom filter of texts, and the hash that it is made with, XXH64.

A block is 256 bits, eight words in each of which a value sets one bit; the upper half of the hash
selects the block, the lower half, times an odd constant per word, the bits. The constants are
those of the two specifications.
"""

from common.kernels.compile import Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, get, load64, put, shift_right
from segment.parquet.kernel.bits import Indices, unsigned

BLOCK_WORDS = 8
_PRIME1 = -7046029288634856825
_PRIME2 = -4417276706812531889
_PRIME3 = 1609587929392839161
_PRIME4 = -8796714831421723037
_PRIME5 = 2870177450012600261


@inlined
def _turned(word: int, bits: int) -> int:
    return int(word << bits | shift_right(word, 64 - bits))


@inlined
def _round(lane: int, word: int) -> int:
    return _turned(lane + word * _PRIME2, 31) * _PRIME1


@inlined
def _merged(hashed: int, lane: int) -> int:
    return (hashed ^ _round(0, lane)) * _PRIME1 + _PRIME4


@compiled
def xxh64(data: Bytes, at: int, size: int, seed: int) -> int:
    """XXH64 of `size` bytes at `at`, as a signed integer. Reads nothing after them."""
    left = size
    if left >= 32:
        a, b = seed + _PRIME1 + _PRIME2, seed + _PRIME2
        c, d = seed, seed - _PRIME1
        while left >= 32:
            a = _round(a, load64(data, at))
            b = _round(b, load64(data, at + 8))
            c = _round(c, load64(data, at + 16))
            d = _round(d, load64(data, at + 24))
            at += 32
            left -= 32
        hashed = _turned(a, 1) + _turned(b, 7) + _turned(c, 12) + _turned(d, 18)
        hashed = _merged(_merged(_merged(_merged(hashed, a), b), c), d)
    else:
        hashed = seed + _PRIME5
    hashed += size
    while left >= 8:
        hashed = _turned(hashed ^ _round(0, load64(data, at)), 27) * _PRIME1 + _PRIME4
        at += 8
        left -= 8
    if left >= 4:
        half = (
            byte_at(data, at)
            | byte_at(data, at + 1) << 8
            | byte_at(data, at + 2) << 16
            | byte_at(data, at + 3) << 24
        )
        hashed = _turned(hashed ^ half * _PRIME1, 23) * _PRIME2 + _PRIME3
        at += 4
        left -= 4
    while left > 0:
        hashed = _turned(hashed ^ byte_at(data, at) * _PRIME5, 11) * _PRIME1
        at += 1
        left -= 1
    hashed = (hashed ^ shift_right(hashed, 33)) * _PRIME2
    hashed = (hashed ^ shift_right(hashed, 29)) * _PRIME3
    return int(hashed ^ shift_right(hashed, 32))


@inlined
def _set_bit(blocks: Indices, word: int, key: int, salt: int) -> None:
    bit = ((key * salt) & 0xFFFFFFFF) >> 27
    put(blocks, word, unsigned(blocks, word) | 1 << bit)


@compiled
def bloom_insert(offsets: Int64s, data: Bytes, texts: int, blocks: Indices) -> None:
    """Add the first `texts` texts to the filter.

    blocks: uint32[blocks * BLOCK_WORDS], at first 0, of at least one block; the filter's bytes.
    """
    count = blocks.shape[0] // BLOCK_WORDS
    end = get(offsets, 0)
    for text in range(texts):
        begin = end
        end = get(offsets, text + 1)
        hashed = xxh64(data, begin, end - begin, 0)
        word = shift_right(shift_right(hashed, 32) * count, 32) * BLOCK_WORDS
        key = hashed & 0xFFFFFFFF
        _set_bit(blocks, word, key, 0x47B6137B)
        _set_bit(blocks, word + 1, key, 0x44974D91)
        _set_bit(blocks, word + 2, key, 0x8824AD5B)
        _set_bit(blocks, word + 3, key, 0xA2B7289D)
        _set_bit(blocks, word + 4, key, 0x705495C7)
        _set_bit(blocks, word + 5, key, 0x2DF1424B)
        _set_bit(blocks, word + 6, key, 0x9EFC4947)
        _set_bit(blocks, word + 7, key, 0x5C6BFB31)


@compiled
def hash_texts(offsets: Int64s, data: Bytes, texts: int, seed: int, out: Int64s) -> None:
    """XXH64 of the first `texts` texts into `out`."""
    end = get(offsets, 0)
    for text in range(texts):
        begin = end
        end = get(offsets, text + 1)
        put(out, text, xxh64(data, begin, end - begin, seed))
