"""Hashes of values for distinct counts, of whole columns at a time: version 2.

XXH64 with the value's kind as the seed: of a text its UTF-8 bytes, of numbers and booleans eight
bytes, little-endian. A hash is a function of the value alone, on every machine and in every version
of DuckDB.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segment.xxh64 import text_hashes, word_hashes

Array = npt.NDArray[Any]


def hashes_of(parts: Mapping[str, pa.Array]) -> tuple[Array, Array]:
    """(uint64 hash of each row's value, whether the row has one).

    parts: by kind (`n` whole number, `f` double, `b` boolean, `s` text) a column of int64, double,
    bool or string; a row has a value in at most one.
    """
    rows = len(next(iter(parts.values())))
    hashes, held = np.zeros(rows, np.uint64), np.zeros(rows, np.bool_)
    for kind, column in parts.items():
        if column.null_count == rows:
            continue
        there = column.is_valid().to_numpy(zero_copy_only=False)
        made = _hashes(column.drop_null() if column.null_count else column, ord(kind))
        hashes[there] = made
        held |= there
    return hashes, held


def _hashes(column: pa.Array, seed: int) -> Array:
    if pa.types.is_string(column.type):
        return text_hashes(column, seed)
    if pa.types.is_boolean(column.type):
        return word_hashes(column.cast(pa.int64()).to_numpy().view(np.uint64), seed)
    return word_hashes(column.to_numpy().view(np.uint64), seed)
