"""The interface of the writer's inner loops.

All implementations give the same bytes for the same values: a segment's hash does not depend on
which of them wrote it. Values are those of the present cells alone; texts are (offsets, data) as
in Arrow: text i is data[offsets[i]:offsets[i + 1]], and offsets need not begin at 0.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from segment.parquet.small import SmallCells, SmallFile, SmallPages, SmallTable

Bytes = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]
Indices = npt.NDArray[np.uint32]
Part = bytes | Bytes


class Texts(NamedTuple):
    """Texts of a column.

    offsets: int64[k + 1].
    data: uint8[], UTF-8.
    """

    offsets: Int64s
    data: Bytes

    @property
    def size(self) -> int:
        """Bytes of all texts together."""
        return int(self.offsets[-1] - self.offsets[0])

    def part(self, first: int, end: int) -> "Texts":
        """Texts first..end-1."""
        return Texts(self.offsets[first : end + 1], self.data)

    def text(self, at: int) -> bytes:
        """The text at an index."""
        return self.data[int(self.offsets[at]) : int(self.offsets[at + 1])].tobytes()


def joined(parts: Sequence[Part]) -> bytes:
    """The parts concatenated; a single part is returned unchanged, also if it is an array."""
    buffers = cast(Sequence[bytes], parts)  # arrays are buffers, though not to mypy
    return buffers[0] if len(buffers) == 1 else b"".join(buffers)


def texts_of(values: pa.Array) -> Texts:
    """The texts of an Arrow array of large_string or large_binary without nulls. No copy."""
    _, offsets, data = values.buffers()
    whole = np.frombuffer(offsets, np.int64)[values.offset :][: len(values) + 1]
    return Texts(whole, np.frombuffer(data or b"", np.uint8))


class Distinct(NamedTuple):
    """Distinct values, in the order of their first appearance.

    indices: uint32[k], for each value the index of its distinct value.
    firsts: uint32[d], for each distinct value the index of the value where it appears first.
    """

    indices: Indices
    firsts: Indices


class ByRow(NamedTuple):
    """Cells of many columns in the order of rows.

    cells: uint32[k], index of each cell.
    columns: uint32[k], index of its column.
    starts: int64[rows + 1], start of each row in both, and the end of the last one.
    """

    cells: Indices
    columns: Indices
    starts: Int64s


class Encoders(Protocol):
    """The loops. Written integers are little-endian; names are those of the Parquet format."""

    @property
    def name(self) -> str:
        """Name of the implementation."""

    def distinct_texts(self, texts: Texts, limit: int) -> Distinct | None:
        """The distinct texts; None if there are more than `limit`."""

    def distinct_words(self, values: Int64s, limit: int) -> Distinct | None:
        """The distinct values, compared by their bits; None if there are more than `limit`."""

    def hybrid(self, indices: Indices, width: int) -> Bytes:
        """RLE / bit-packed hybrid of `indices`, `width` bits each; no length before it."""

    def levels(self, rows: Indices, first_row: int, end_row: int) -> Bytes:
        """Definition levels of rows first_row..end_row-1 as hybrid of one bit: 1 where the row's
        number is in `rows` (strictly increasing).
        """

    def plain_texts(self, texts: Texts) -> Bytes:
        """PLAIN: each text after its length (4 bytes)."""

    def pairs(self, left: Texts, left_at: Indices, right: Texts, right_at: Indices) -> Texts:
        """Pairs concatenated: text i is left[left_at[i]] followed by right[right_at[i]]. The caller
        owns their data and may change it.
        """

    def by_row(self, rows: Indices, begins: Int64s, ends: Int64s, size: int) -> ByRow:
        """Cells by row, those of a row by column. Column i has cells begins[i]..ends[i]-1, whose
        row numbers are in `rows`; there are `size` rows. Each cell is of one column.
        """

    def lengths(self, texts: Texts) -> Bytes:
        """The lengths of texts as DELTA_BINARY_PACKED 32-bit integers."""

    def deltas(self, values: Int64s) -> Bytes:
        """DELTA_BINARY_PACKED of 64-bit integers."""

    def deltas_int32(self, values: npt.NDArray[np.int32]) -> Bytes:
        """DELTA_BINARY_PACKED of 32-bit integers."""

    def bits(self, bitmap: Bytes, first_bit: int, count: int) -> Bytes:
        """PLAIN booleans: bits of an Arrow bitmap from `first_bit`, the lowest first."""

    def range_of_ints(self, values: Int64s) -> tuple[int, int]:
        """Smallest and largest of at least one value."""

    def range_of_doubles(self, values: npt.NDArray[np.float64]) -> tuple[float, float] | None:
        """Smallest and largest of at least one, zeros as -0.0 and +0.0; None if one is NaN."""

    def range_of_texts(self, texts: Texts) -> tuple[int, int]:
        """Indexes of a smallest and of a largest of at least one text, compared by bytes."""

    def grown_steps(self, texts: Texts, at: Int64s) -> int:
        """Number of texts at these indexes that are less than the text at the next index."""

    def small(self, table: "SmallTable") -> "SmallFile | None":
        """A file of a few rows, all columns at once; None: `write_file` writes each."""

    def small_cells(self, pages: "SmallPages") -> "SmallCells | None":
        """The values of files of a few rows; None: the caller reads each page."""

    def bloom(self, texts: Texts, size: int) -> Bytes:
        """A split block bloom filter of `size` bytes (a multiple of 32) with all texts in it."""

    def hashes(self, texts: Texts, seed: int) -> Int64s:
        """XXH64 of each text, as a signed integer."""
