"""XXH64 of whole columns at a time, without an object per value (its specification's constants).

`segment.parquet.kernel.bloom` has the same for texts, compiled.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_P1: Final = np.uint64(0x9E3779B185EBCA87)
_P2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_P3: Final = np.uint64(0x165667B19E3779F9)
_P4: Final = np.uint64(0x85EBCA77C2B2AE63)
_P5: Final = np.uint64(0x27D4EB2F165667C5)
_WORD, _STRIPE = 8, 32  # bytes
_AT_ONCE: Final = 8_192  # texts: their words stay in the processor's cache


def word_hashes(words: Array, seed: int) -> Array:
    """The hashes of uint64 words, each as eight bytes."""
    return _avalanche(_with_word(np.uint64(seed) + _P5 + np.uint64(_WORD), words))


def text_hashes(offsets: Array, data: Array, seed: int) -> Array:
    """The hashes of texts: text i is data[offsets[i] : offsets[i + 1]]. offsets: int64."""
    hashes = np.empty(len(offsets) - 1, np.uint64)
    for at in range(0, len(hashes), _AT_ONCE):
        some = slice(at, at + _AT_ONCE)
        hashes[some] = _text_hashes(offsets[at : at + _AT_ONCE + 1], data, seed)
    return hashes


def _text_hashes(offsets: Array, data: Array, seed: int) -> Array:
    first, end = int(offsets[0]), int(offsets[-1])
    at, left = offsets[:-1] - first, np.diff(offsets)
    # whole words are read at any byte: bytes after the last text must be there
    padded = np.zeros(end - first + _STRIPE, np.uint8)
    padded[: end - first] = data[first:end]
    words = np.ndarray((len(padded) - _WORD + 1,), "<u8", padded, strides=(1,))
    hashes = np.full(len(left), np.uint64(seed) + _P5)
    long = np.flatnonzero(left >= _STRIPE)
    if len(long):
        hashes[long] = _striped(words, at, left, long, seed)
    hashes += np.diff(offsets).astype(np.uint64)
    for size, add in ((_WORD, _with_word), (4, _with_half), (1, _with_byte)):
        mask = np.uint64((1 << 8 * size) - 1)
        while (enough := left >= size).any():
            some = slice(None) if enough.all() else np.flatnonzero(enough)
            hashes[some] = add(hashes[some], words[at[some]] & mask)
            at[some] += size
            left[some] -= size
    return _avalanche(hashes)


def _striped(words: Array, at: Array, left: Array, long: Array, seed: int) -> Array:
    """The sums of the four lanes of long texts, which are moved behind their stripes."""
    first = np.uint64(seed)
    with np.errstate(over="ignore"):
        starts = (first + _P1 + _P2, first + _P2, first, first - _P1)
    lanes = [np.full(len(long), start) for start in starts]
    some = np.arange(len(long))
    while len(some):
        rows = long[some]
        for number, lane in enumerate(lanes):
            lane[some] = _round(lane[some], words[at[rows] + _WORD * number])
        at[rows] += _STRIPE
        left[rows] -= _STRIPE
        some = some[left[rows] >= _STRIPE]
    joined = sum((_turned(v, n) for v, n in zip(lanes, (1, 7, 12, 18), strict=True)), np.uint64(0))
    for lane in lanes:
        joined = (joined ^ _turned(lane * _P2, 31) * _P1) * _P1 + _P4
    return np.asarray(joined)


def _with_word(hashes: Any, words: Array) -> Array:
    return _turned(hashes ^ _turned(words * _P2, 31) * _P1, 27) * _P1 + _P4


def _with_half(hashes: Array, words: Array) -> Array:
    return _turned(hashes ^ words * _P1, 23) * _P2 + _P3


def _with_byte(hashes: Array, words: Array) -> Array:
    return _turned(hashes ^ words * _P5, 11) * _P1


def _round(lane: Array, words: Array) -> Array:
    return _turned(lane + words * _P2, 31) * _P1


def _turned(words: Array, bits: int) -> Array:
    turned: Array = words << np.uint64(bits) | words >> np.uint64(64 - bits)
    return turned


def _avalanche(hashes: Array) -> Array:
    hashes = (hashes ^ hashes >> np.uint64(33)) * _P2
    hashes = (hashes ^ hashes >> np.uint64(29)) * _P3
    last: Array = hashes ^ hashes >> np.uint64(32)
    return last
