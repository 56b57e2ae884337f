"""Reading what the encoders write, as slowly as the format's text says it, and where they write."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from common.kernels.compile import FULL

Bytes = npt.NDArray[np.uint8]
A = TypeVar("A", bound=npt.NDArray[Any])
_BEFORE = 5  # bytes that the output already has
_BEHIND = 40
_UNTOUCHED = 0xA5


def fixed(array: A) -> A:
    """The array as what is only read; as the writer passes it, so that it is compiled once."""
    array.flags.writeable = False
    return array


def written(encoder: Callable[..., int], bound: int, *given: Any) -> bytes:
    """What the encoder writes when called with `given`, `out` and `at`.

    Nothing may change before `at` or behind the bound, and with one byte less nothing at all.
    """
    whole = np.full(_BEFORE + bound + _BEHIND, _UNTOUCHED, np.uint8)
    out = whole[: _BEFORE + bound]
    given = tuple(fixed(one) if isinstance(one, np.ndarray) else one for one in given)
    assert encoder(*given, out[:-1], _BEFORE) == FULL
    assert (whole == _UNTOUCHED).all()
    end = encoder(*given, out, _BEFORE)
    assert _BEFORE <= end <= len(out)
    assert (whole[:_BEFORE] == _UNTOUCHED).all()
    assert (whole[len(out) :] == _UNTOUCHED).all()
    return out[_BEFORE:end].tobytes()


def arrow(texts: Sequence[bytes], before: int = 0) -> tuple[npt.NDArray[np.int64], Bytes]:
    """(offsets, data) of texts that begin at `before`; no byte follows the last one."""
    data = b"#" * before + b"".join(texts)
    offsets = np.cumsum([before, *map(len, texts)], dtype=np.int64)
    return fixed(offsets), np.frombuffer(data, np.uint8)


def read_varint(raw: bytes, at: int) -> tuple[int, int]:
    """(value, place behind it)"""
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def read_zigzag(raw: bytes, at: int) -> tuple[int, int]:
    """(value, place behind it)"""
    value, at = read_varint(raw, at)
    return (value >> 1) ^ -(value & 1), at


def _unpacked(raw: bytes, width: int) -> list[int]:
    bits, mask = int.from_bytes(raw, "little"), (1 << width) - 1
    return [bits >> place & mask for place in range(0, len(raw) * 8, width)]


def read_hybrid(raw: bytes, width: int, count: int) -> list[int]:
    """`count` values; what fills up the last group must be zeros, and nothing may follow."""
    values: list[int] = []
    at = 0
    while at < len(raw):
        header, at = read_varint(raw, at)
        size = (header >> 1) * width if header & 1 else (width + 7) // 8
        assert at + size <= len(raw)
        assert len(values) < count
        if header & 1:
            values += _unpacked(raw[at : at + size], width)
        else:
            values += [int.from_bytes(raw[at : at + size], "little")] * (header >> 1)
        at += size
    assert not any(values[count:])
    assert count <= len(values) < count + 8
    return values[:count]


def read_deltas(raw: bytes, bits: int) -> list[int]:
    """Of any number of values; what fills up must be zeros, and nothing may follow."""
    block, at = read_varint(raw, 0)
    miniblocks, at = read_varint(raw, at)
    count, at = read_varint(raw, at)
    first, at = read_zigzag(raw, at)
    assert (block, miniblocks) == (128, 4)
    values = [first][:count]
    while len(values) < count:
        low, at = read_zigzag(raw, at)
        widths = raw[at : at + miniblocks]
        at += miniblocks
        for width in widths:
            size = width * 4
            wanted = min(32, count - len(values))
            assert wanted or not width
            above = _unpacked(raw[at : at + size], width) if width else [0] * 32
            assert len(above) == 32
            assert not any(above[wanted:])
            at += size
            for step in above[:wanted]:
                value = (values[-1] + low + step) % (1 << bits)
                values.append(value - (1 << bits) if value >> (bits - 1) else value)
    assert at == len(raw)
    return values
