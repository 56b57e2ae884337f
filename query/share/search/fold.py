"""Comparison without regard to case: each character in its simple lower case, as DuckDB's `lower`.

Of one character always one is made, so that a text that is part of another is so in lower case.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from segment.parquet.encoders import texts_of

_ASCII_END: Final = 0x80


def fold(text: str) -> str:
    """The text in lower case.

    Python makes two characters of an I with a dot, and another sigma at the end of a word.
    """
    return text.replace("\u0130", "i").replace("\u03a3", "\u03c3").lower()


def holding(values: pa.Array, folded: str) -> pa.Array:
    """For each text (large_string without nulls) whether it holds this text: a boolean array."""
    offsets, data = texts_of(values)
    used = data[int(offsets[0]) : int(offsets[-1])]
    if not len(used) or int(np.max(used)) < _ASCII_END:
        return pc.match_substring(pc.ascii_lower(values), folded)
    return pa.array([folded in fold(text) for text in values.to_pylist()], pa.bool_())
