"""The compiled loops as the writer calls them, with output arrays and scratch memory.

Import after `segment.parquet.load_compiled.load` has set the folder of compiled code. Any number of
threads may use it: each has scratch memory of its own. Hash seeds are fixed, so that a file depends
on its values alone; values chosen to collide are sorted instead (`distinct_by_sorting`).
"""

import threading
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from common.kernels.compile import FULL
from segment.parquet.compiled.distinct_by_sorting import (
    distinct_texts_by_sorting,
    distinct_words_by_sorting,
)
from segment.parquet.compiled.small_files import SmallFiles, small_cells
from segment.parquet.encoders import ByRow, Bytes, Distinct, Indices, Int64s, Texts
from segment.parquet.kernel.bloom import bloom_insert, hash_texts
from segment.parquet.kernel.by_row import cells_by_row
from segment.parquet.kernel.delta import (
    delta_lengths,
    delta_lengths_bound,
    delta_packed,
    delta_packed_bound,
    delta_packed_int32,
    delta_packed_int32_bound,
)
from segment.parquet.kernel.dictionary import (
    TOO_MANY_COLLISIONS,
    distinct_texts,
    distinct_words,
    table_words,
)
from segment.parquet.kernel.number_min_max import grown_steps, range_of_doubles, range_of_ints
from segment.parquet.kernel.pairs import paired_offsets, paired_texts, paired_texts_bound
from segment.parquet.kernel.plain import (
    plain_bits,
    plain_bits_bound,
    plain_texts,
    plain_texts_bound,
)
from segment.parquet.kernel.rle_bit_packed import (
    pack_indices,
    pack_indices_bound,
    pack_levels,
    pack_levels_bound,
)
from segment.parquet.kernel.small import small_file
from segment.parquet.kernel.small_pages import find_values, gather_values
from segment.parquet.kernel.text_min_max import range_of_texts
from segment.parquet.small import SmallCells, SmallFile, SmallPages, SmallTable

COMPILED = (
    bloom_insert,
    cells_by_row,
    delta_lengths,
    delta_packed,
    delta_packed_int32,
    distinct_texts,
    distinct_words,
    find_values,
    gather_values,
    grown_steps,
    hash_texts,
    pack_indices,
    pack_levels,
    paired_offsets,
    paired_texts,
    plain_bits,
    plain_texts,
    range_of_doubles,
    range_of_ints,
    range_of_texts,
    small_file,
)
T = TypeVar("T", bound=np.generic)
_SEEDS = (0x1D8E4E27C47D124F, 0x3C6EF372FE94F82B)


class _Scratch(threading.local):
    """A thread's hash table and firsts, sized for its largest column so far."""

    def __init__(self) -> None:
        self.table = np.empty(0, np.int64)
        self.firsts = np.empty(0, np.uint32)


def _fixed(array: npt.NDArray[T]) -> npt.NDArray[T]:
    """The array as read-only: numba compiles writable arrays separately, and Arrow returns both."""
    if not array.flags.writeable:
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def _read(texts: Texts) -> Texts:
    return Texts(_fixed(texts.offsets), _fixed(texts.data))


class KernelEncoders:
    """`Encoders`, compiled. Any number of threads may use it."""

    name = "kernel"

    def __init__(self) -> None:
        self._scratch = _Scratch()
        self._small = SmallFiles()

    def distinct_texts(self, texts: Texts, limit: int) -> Distinct | None:
        """As `Encoders.distinct_texts`."""
        indices = np.empty(len(texts.offsets) - 1, np.uint32)
        table, firsts = self._tables(limit)
        found = distinct_texts(*_read(texts), limit, *_SEEDS, table, indices, firsts)
        if found == TOO_MANY_COLLISIONS:
            return distinct_texts_by_sorting(texts, limit)
        return None if found < 0 else Distinct(indices, firsts[:found].copy())

    def distinct_words(self, values: Int64s, limit: int) -> Distinct | None:
        """As `Encoders.distinct_words`."""
        indices = np.empty(len(values), np.uint32)
        table, firsts = self._tables(limit)
        found = distinct_words(_fixed(values), limit, *_SEEDS, table, indices, firsts)
        if found == TOO_MANY_COLLISIONS:
            return distinct_words_by_sorting(values, limit)
        return None if found < 0 else Distinct(indices, firsts[:found].copy())

    def hybrid(self, indices: Indices, width: int) -> Bytes:
        """As `Encoders.hybrid`."""
        out = np.empty(pack_indices_bound(len(indices), width), np.uint8)
        return out[: pack_indices(_fixed(indices), 0, len(indices), width, out, 0)]

    def levels(self, rows: Indices, first_row: int, end_row: int) -> Bytes:
        """As `Encoders.levels`."""
        out = np.empty(pack_levels_bound(end_row - first_row), np.uint8)
        return out[: pack_levels(_fixed(rows), first_row, end_row, 0, len(rows), out, 0)]

    def plain_texts(self, texts: Texts) -> Bytes:
        """As `Encoders.plain_texts`."""
        size = len(texts.offsets) - 1
        out = np.empty(plain_texts_bound(size, texts.size), np.uint8)
        return out[: plain_texts(*_read(texts), 0, size, out, 0)]

    def pairs(self, left: Texts, left_at: Indices, right: Texts, right_at: Indices) -> Texts:
        """As `Encoders.pairs`."""
        left, right = _read(left), _read(right)
        left_at, right_at = _fixed(left_at), _fixed(right_at)
        offsets = np.empty(len(left_at) + 1, np.int64)
        size = paired_offsets(left.offsets, left_at, right.offsets, right_at, offsets)
        out = np.empty(paired_texts_bound(size), np.uint8)
        end = paired_texts(*left, left_at, *right, right_at, size, out, 0)
        return Texts(offsets, out[:end])

    def by_row(self, rows: Indices, begins: Int64s, ends: Int64s, size: int) -> ByRow:
        """As `Encoders.by_row`."""
        cells, columns = np.empty(len(rows), np.uint32), np.empty(len(rows), np.uint32)
        starts = np.empty(size + 1, np.int64)
        found = cells_by_row(_fixed(rows), _fixed(begins), _fixed(ends), starts, cells, columns)
        if found == FULL:
            raise ValueError("rows and cells do not fit each other")
        return ByRow(cells[:found], columns[:found], starts)

    def lengths(self, texts: Texts) -> Bytes:
        """As `Encoders.lengths`."""
        size = len(texts.offsets) - 1
        out = np.empty(delta_lengths_bound(size), np.uint8)
        return out[: delta_lengths(_fixed(texts.offsets), 0, size, out, 0)]

    def deltas(self, values: Int64s) -> Bytes:
        """As `Encoders.deltas`."""
        out = np.empty(delta_packed_bound(len(values)), np.uint8)
        return out[: delta_packed(_fixed(values), 0, len(values), out, 0)]

    def deltas_int32(self, values: npt.NDArray[np.int32]) -> Bytes:
        """As `Encoders.deltas_int32`."""
        out = np.empty(delta_packed_int32_bound(len(values)), np.uint8)
        return out[: delta_packed_int32(_fixed(values), 0, len(values), out, 0)]

    def bits(self, bitmap: Bytes, first_bit: int, count: int) -> Bytes:
        """As `Encoders.bits`."""
        out = np.empty(plain_bits_bound(count), np.uint8)
        return out[: plain_bits(_fixed(bitmap), first_bit, 0, count, out, 0)]

    def range_of_ints(self, values: Int64s) -> tuple[int, int]:
        """As `Encoders.range_of_ints`."""
        return range_of_ints(_fixed(values), 0, len(values))

    def range_of_doubles(self, values: npt.NDArray[np.float64]) -> tuple[float, float] | None:
        """As `Encoders.range_of_doubles`."""
        low, high, found = range_of_doubles(_fixed(values), 0, len(values))
        return (low, high) if found else None

    def range_of_texts(self, texts: Texts) -> tuple[int, int]:
        """As `Encoders.range_of_texts`."""
        return range_of_texts(*_read(texts))

    def grown_steps(self, texts: Texts, at: Int64s) -> int:
        """As `Encoders.grown_steps`."""
        return grown_steps(*_read(texts), _fixed(at))

    def bloom(self, texts: Texts, size: int) -> Bytes:
        """As `Encoders.bloom`."""
        blocks = np.zeros(size // 4, np.uint32)
        bloom_insert(*_read(texts), len(texts.offsets) - 1, blocks)
        return blocks.view(np.uint8)

    def hashes(self, texts: Texts, seed: int) -> Int64s:
        """As `Encoders.hashes`."""
        out = np.empty(len(texts.offsets) - 1, np.int64)
        hash_texts(*_read(texts), len(out), seed, out)
        return out

    def small(self, table: SmallTable) -> SmallFile:
        """As `Encoders.small`."""
        return self._small.write(table)

    def small_cells(self, pages: SmallPages) -> SmallCells | None:
        """As `Encoders.small_cells`."""
        return small_cells(pages)

    def _tables(self, limit: int) -> tuple[Int64s, Indices]:
        """Scratch memory for dictionaries of up to `limit` values."""
        words = table_words(limit)
        if len(self._scratch.table) < words:
            self._scratch.table = np.empty(words, np.int64)
        if len(self._scratch.firsts) < limit:
            self._scratch.firsts = np.empty(limit, np.uint32)
        return self._scratch.table, self._scratch.firsts
