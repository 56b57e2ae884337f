"""Split block bloom filters of the Parquet format, and the hash that they use (xxHash, 64 bits).

The plain form: the oracle of the compiled one, and fast enough where nothing is compiled.
Sources: BloomFilter.md of Apache Parquet; xxhash_spec.md of xxHash.
"""

import numpy as np

from common.parquet.encoders import Bytes, Texts

_SALTS = (
    0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31,
)  # fmt: skip
_P1 = 11400714785074694791
_P2 = 14029467366897019727
_P3 = 1609587929392839161
_P4 = 9650029242287828579
_P5 = 2870177450012600261
_64 = (1 << 64) - 1
_32 = (1 << 32) - 1
_BLOCK_BYTES = 32


def bloom_filter(texts: Texts, size: int) -> Bytes:
    """A filter of `size` bytes, a multiple of 32, with all these texts in it."""
    words = np.zeros(size // 4, np.uint32)
    blocks = size // _BLOCK_BYTES
    for text in {texts.text(at) for at in range(len(texts.offsets) - 1)}:
        hashed = xxh64(text)
        block = ((hashed >> 32) * blocks >> 32) * len(_SALTS)
        for at, salt in enumerate(_SALTS):
            words[block + at] |= np.uint32(1 << ((hashed & _32) * salt & _32) // (1 << 27))
    return words.view(np.uint8)


def xxh64(data: bytes) -> int:
    """The hash with seed 0."""
    at, size = 0, len(data)
    if size >= 32:
        lanes = [_P1 + _P2 & _64, _P2, 0, -_P1 & _64]
        while at + 32 <= size:
            for lane in range(4):
                lanes[lane] = _round(lanes[lane], _word(data, at + lane * 8, 8))
            at += 32
        mixed = sum(_turned(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True))
        for lane in lanes:
            mixed = ((mixed ^ _round(0, lane)) * _P1 + _P4) & _64
    else:
        mixed = _P5
    mixed = mixed + size & _64
    while at + 8 <= size:
        mixed = _turned(mixed ^ _round(0, _word(data, at, 8)), 27) * _P1 + _P4 & _64
        at += 8
    if at + 4 <= size:
        mixed = _turned(mixed ^ _word(data, at, 4) * _P1 & _64, 23) * _P2 + _P3 & _64
        at += 4
    for byte in data[at:]:
        mixed = _turned(mixed ^ byte * _P5 & _64, 11) * _P1 & _64
    mixed = (mixed ^ mixed >> 33) * _P2 & _64
    mixed = (mixed ^ mixed >> 29) * _P3 & _64
    return mixed ^ mixed >> 32


def _word(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _round(lane: int, word: int) -> int:
    return _turned(lane + word * _P2 & _64, 31) * _P1 & _64


def _turned(value: int, by: int) -> int:
    return (value << by | value >> 64 - by) & _64
