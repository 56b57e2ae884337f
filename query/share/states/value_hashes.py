"""Hashes of values for distinct counts, of whole columns at a time: version 2.

XXH64 with the value's kind as the seed: of a text its UTF-8 bytes, of numbers and booleans eight
bytes, little-endian. A hash is a function of the value alone, on every machine and in every version
of DuckDB.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segment.parquet.encoders import Int64s, Texts, texts_of
from segment.xxh64 import word_hashes

Array = npt.NDArray[Any]
HashTexts = Callable[[Texts, int], Int64s]  # `segment.parquet.encoders.Encoders.hashes`


def hashes_of(parts: Mapping[str, pa.Array], hash_texts: HashTexts) -> tuple[Array, Array]:
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
        made = _hashes(column.drop_null() if column.null_count else column, ord(kind), hash_texts)
        if len(made) == rows:
            return made, there
        hashes[there] = made
        held |= there
    return hashes, held


def _hashes(column: pa.Array, seed: int, hash_texts: HashTexts) -> Array:
    if pa.types.is_string(column.type):
        return hash_texts(texts_of(column.cast(pa.large_string())), seed).view(np.uint64)
    if pa.types.is_boolean(column.type):
        return word_hashes(column.cast(pa.int64()).to_numpy().view(np.uint64), seed)
    return word_hashes(column.to_numpy().view(np.uint64), seed)
