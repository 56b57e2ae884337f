"""The writer's input and intermediate values: columns, pages, encoded columns."""

from enum import IntEnum
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from segment.parquet.encoders import Bytes, Indices, Int64s, Part, Texts
from segment.parquet.format.numbers import Encoding

_NOTHING: Bytes = np.empty(0, np.uint8)


class Ints(NamedTuple):
    """64-bit integers. nearly_sorted: written as deltas even if values repeat."""

    values: Int64s
    nearly_sorted: bool = False


class SmallInts(NamedTuple):
    """32-bit integers, always as deltas."""

    values: npt.NDArray[np.int32]


class Doubles(NamedTuple):
    """64-bit floating point numbers."""

    values: npt.NDArray[np.float64]


class Bits(NamedTuple):
    """Booleans as in Arrow: `size` bits of `bitmap` from bit `first` on, the lowest first."""

    bitmap: Bytes
    first: int
    size: int


Values = Ints | SmallInts | Doubles | Bits | Texts


class Packing(IntEnum):
    """The kind of data in a column's pages, for the choice of a compressor."""

    TEXTS = 0  # and packed integers
    LONG_TEXTS = 1
    NUMBERS = 2


class Column(msgspec.Struct, frozen=True, gc=False):
    """A column to write.

    rows: uint32[k], strictly increasing numbers of the rows with a value; None if every row has
    one.
    values: the k values.
    bloom: whether a bloom filter is written (texts only).
    """

    name: str
    rows: Indices | None
    values: Values
    bloom: bool = False


class Page(msgspec.Struct, frozen=True, gc=False):
    """A data page before compression.

    values: number of rows with a value.
    low, high: the smallest and the largest value, as statistics write them; None without values, or
    if the column has no bounds.
    """

    first_row: int
    rows: int
    values: int
    parts: tuple[Part, ...]
    low: bytes | None
    high: bytes | None


class EncodedColumn(msgspec.Struct, frozen=True, gc=False):
    """A column's pages.

    dictionary: its page, and its number of entries.
    has_bounds: whether each page with a value has bounds.
    low, high: bounds of the whole column.
    """

    encoding: Encoding
    dictionary: tuple[Bytes, int] | None
    pages: tuple[Page, ...]
    has_bounds: bool
    low: bytes | None
    high: bytes | None
    bloom: Bytes | None
    packing: Packing

    def without_values(self) -> "EncodedColumn":
        """The metadata of the column, without the bytes of its pages."""
        pages = tuple(Page(p.first_row, p.rows, p.values, (), p.low, p.high) for p in self.pages)
        return EncodedColumn(
            self.encoding,
            self.dictionary and (_NOTHING, self.dictionary[1]),
            pages,
            self.has_bounds,
            self.low,
            self.high,
            self.bloom,
            self.packing,
        )
