"""Small integers as Parquet's hybrid of runs and packed groups: the oracle of the compiled form.

The format leaves open where runs begin; here one pass over the values decides it: for indices, at
the next eight equal values if a run of them takes fewer bytes than groups; for levels, at the next
64 rows that all have a value or all lack one.
"""

import numpy as np
import numpy.typing as npt

from segment.parquet.encoders import Bytes, Indices
from segment.parquet.format.thrift import varint

_GROUP = 8
_GROUPS_MAX = 63  # of a header of one byte
_WORD = 64  # levels read in one step
_WORDS_MAX = 7  # packed words whose groups fit into a header of one byte


def hybrid(indices: Indices, width: int) -> Bytes:
    """Indices of `width` bits each."""
    size = len(indices)
    out = bytearray()
    if width == 0:
        return _array(_run(0, size, 0) if size else b"")
    changes = np.flatnonzero(indices[1:] != indices[:-1]) + 1
    ends = np.append(changes, size)  # of runs
    run_end: list[int] = np.repeat(ends, np.diff(ends, prepend=0)).tolist()  # of each value's run
    at = first = 0  # groups from `first` on are not yet written
    while at < size:
        end = run_end[at]
        if (at + _GROUP > size or end - at >= _GROUP) and _run_pays(end - at, end == size, width):
            out += _groups(indices[first:at], width, _GROUPS_MAX)
            out += _run(int(indices[at]), end - at, width)
            at = first = end
        elif at + _GROUP > size:
            at = size
        else:
            at += max(1, (end - at) // _GROUP) * _GROUP
    return _array(out + _groups(indices[first:], width, _GROUPS_MAX))


def hybrid_levels(levels: Indices) -> Bytes:
    """Definition levels, 0 or 1 each."""
    size = len(levels)
    out = bytearray()
    counts = np.add.reduceat(levels, np.arange(0, size, _WORD)) if size else np.zeros(0)
    sizes = np.full(len(counts), _WORD)
    sizes[-1:] = size - _WORD * (len(counts) - 1)
    kinds = np.where(counts == 0, 0, np.where(counts == sizes, 1, -1)).tolist()
    at = 0
    while at < len(kinds):
        end = at
        while end < len(kinds) and kinds[end] == kinds[at]:
            end += 1
        part = levels[at * _WORD : end * _WORD]
        if kinds[at] < 0:
            out += _groups(part, 1, _WORDS_MAX * _WORD // _GROUP)
        else:
            out += _run(kinds[at], len(part), 1)
        at = end
    return _array(out)


def packed(values: npt.NDArray[np.uint64], width: int, size: int) -> bytes:
    """`width` bits of each value, the lowest first, padded with zeros to `size` values."""
    bits = (values[:, None] >> np.arange(width, dtype=np.uint64)) & np.uint64(1)
    padded = np.zeros((size, width), np.uint8)
    padded[: len(values)] = bits
    return np.packbits(padded.reshape(-1), bitorder="little").tobytes()


def _array(out: bytes | bytearray) -> Bytes:
    return np.frombuffer(bytes(out), np.uint8)


def _run(value: int, size: int, width: int) -> bytes:
    return varint(size << 1) + value.to_bytes((width + 7) // 8, "little")


def _run_pays(size: int, is_last: bool, width: int) -> bool:
    """Whether a run takes fewer bytes than groups, with the header that packing then needs anew."""
    groups = -(-size // _GROUP) if is_last else size // _GROUP
    header = 1 if size < 64 else (2 if size < 8192 else 5)
    return groups * width > header + (width + 7) // 8


def _groups(values: Indices, width: int, groups_max: int) -> bytes:
    out = bytearray()
    for at in range(0, len(values), groups_max * _GROUP):
        part = values[at : at + groups_max * _GROUP]
        groups = -(-len(part) // _GROUP)
        out += varint(groups << 1 | 1) + packed(part.astype(np.uint64), width, groups * _GROUP)
    return bytes(out)
