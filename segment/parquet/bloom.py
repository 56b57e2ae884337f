"""Split block bloom filters of Parquet, which hash with XXH64: the oracle of the compiled ones.

Source: BloomFilter.md of Apache Parquet.
"""

import numpy as np
import xxhash

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
        block = ((hashed >> 32) * blocks >> 32) * len(_SALTS)
        for at, salt in enumerate(_SALTS):
            words[block + at] |= np.uint32(1 << ((hashed & _32) * salt & _32) // (1 << 27))
    return words.view(np.uint8)
