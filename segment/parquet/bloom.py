"""Split block bloom filters of Parquet, which hash with XXH64: made, and asked for one text.

What makes them is the oracle of the compiled ones. Source: BloomFilter.md of Apache Parquet.
"""

import os
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from segment.parquet.column_chunk.chunk import bloom_header
from segment.parquet.encoders import Bytes, Texts

_SALTS = (
    0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31,
)  # fmt: skip
_32 = (1 << 32) - 1
_BLOCK_BYTES = 32


def bloom_filter(texts: Texts, size: int) -> Bytes:
    """A filter of `size` bytes, a multiple of 32, with all these texts in it."""
    words = np.zeros(size // 4, np.uint32)
    blocks = size // _BLOCK_BYTES
    for text in {texts.text(at) for at in range(len(texts.offsets) - 1)}:
        hashed = xxhash.xxh64_intdigest(text)
        block = _block(hashed, blocks) * len(_SALTS)
        for at, bit in enumerate(_bits(hashed)):
            words[block + at] |= np.uint32(bit)
    return words.view(np.uint8)


class TextHash(NamedTuple):
    """Where filters have a text. high: upper half of its hash. bits: uint32[8], of a block."""

    high: int
    bits: npt.NDArray[np.uint32]


def hash_text(text: bytes) -> TextHash:
    """The hash of a text, to look it up in many filters."""
    hashed = xxhash.xxh64_intdigest(text)
    return TextHash(hashed >> 32, np.array(_bits(hashed), np.uint32))


def blocks_of(
    text: TextHash, first: npt.NDArray[np.uint64], blocks: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    """The block in which each of several filters would have the text.

    first: indices of their first blocks. blocks: their numbers of blocks, less than 2**32.
    """
    return first + (np.uint64(text.high) * blocks >> np.uint64(32))


class PlacedFilter(NamedTuple):
    """A filter inside of a file. at: offset of its first block. blocks: their number."""

    path: str
    at: int
    blocks: int

    def may_hold(self, text: bytes) -> bool:
        """Whether the text may be in the filter: one block is read, of a filter of any size.

        Raises OSError.
        """
        hashed = xxhash.xxh64_intdigest(text)
        block = _read(self.path, self.at + _block(hashed, self.blocks) * _BLOCK_BYTES, _BLOCK_BYTES)
        if len(block) < _BLOCK_BYTES:
            raise OSError(f"a filter of {self.path} ends too early")
        words = int.from_bytes(block, "little")
        wanted = sum(bit << 32 * at for at, bit in enumerate(_bits(hashed)))
        return words & wanted == wanted

    def words(self) -> npt.NDArray[np.uint32]:
        """The whole filter, uint32[blocks, 8]. Raises OSError."""
        data = _read(self.path, self.at, self.blocks * _BLOCK_BYTES)
        if len(data) < self.blocks * _BLOCK_BYTES:
            raise OSError(f"a filter of {self.path} ends too early")
        return np.frombuffer(data, "<u4").reshape(-1, len(_SALTS))


def find_filter(path: str, offset: int, size: int) -> PlacedFilter | None:
    """The filter at this offset of a file, with a header as it is written here; None: another one.

    size: bytes of header and filter. Raises OSError.
    """
    filter_bytes = 1 << max(size.bit_length() - 1, 0)  # a power of two, and the header is shorter
    if filter_bytes < _BLOCK_BYTES:
        return None
    header = bloom_header(filter_bytes)
    if size != len(header) + filter_bytes or _read(path, offset, len(header)) != header:
        return None
    return PlacedFilter(path, offset + len(header), filter_bytes // _BLOCK_BYTES)


def _block(hashed: int, blocks: int) -> int:
    return (hashed >> 32) * blocks >> 32


def _bits(hashed: int) -> list[int]:
    """The bit of each word of a block."""
    return [1 << ((hashed & _32) * salt & _32) // (1 << 27) for salt in _SALTS]


def _read(path: str, at: int, size: int) -> bytes:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(file, size, at)
    finally:
        os.close(file)
